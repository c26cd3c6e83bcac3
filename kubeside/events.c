/* SPDX-License-Identifier: ISC */
/*
 * events.c: events about pods and nodes.
 *
 * Owns what was posted lately, to count instead of repeat, and the rate: less
 * where the last one failed.
 * Never tries twice: an event that is lost is lost.
 */
#include "kubeside/events.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bucket.h"
#include "common/https.h"
#include "common/jmake.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/stamp.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"

enum {
	KEPT_MAX = 512,
	KEPT_MS = 600000,
	COUNT_MS = 10000, /* a count is written at most so often */
	FLYING_MAX = 4,
	WAITING_MAX = 512,
	NORMAL_MAX = 256, /* of them the rest is kept for warnings */
	RATE_PER_MIN = 3000,
	BURST = 500,
	SOON_MS = 100,	/* until there is room in the rate again */
	NAME_ROOM = 24, /* of an event's name, for what makes it unique */
	REPORT_MS = 60000,
};

#define COMPONENT "vk-flightctl-provider"

/* What two Events have in common that are one, counted. */
enum part {
	OF_NODE,
	OF_POD,
	OF_NS,
	OF_UID,
	REASON,
	MESSAGE,
	PARTS,
};

struct kept {
	TAILQ_ENTRY(kept) entry;   /* the latest first */
	TAILQ_ENTRY(kept) waiting; /* to be sent, in order */
	struct events *events;
	const char *part[PARTS]; /* in text */
	int warning;
	char *name; /* of the Event */
	unsigned int count;
	int posted;
	int is_waiting;
	struct api_call *call;
	int64_t first_ms;
	int64_t last_ms; /* wall */
	int64_t sent_boot_ms;
	char text[]; /* hundreds are kept, and few are long */
};

TAILQ_HEAD(kepts, kept);

struct events {
	struct api *api;
	struct kepts kept;
	struct kepts waiting;
	unsigned int nkept;
	unsigned int nwaiting;
	unsigned int nflying;
	struct event *timer;
	uint64_t serial;
	struct bucket rate;
	uint64_t failing;     /* a bit for each namespace, or some */
	struct bucket budget; /* of those */
	unsigned int dropped;
	int64_t reported_ms;
};

static void fly(struct events *);

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fly(arg);
}

struct events *
events_new(struct event_base *base, struct api *api)
{
	struct events *e = xcalloc(1, sizeof(*e));
	int64_t now = now_read().boot_ms;

	e->api = api;
	TAILQ_INIT(&e->kept);
	TAILQ_INIT(&e->waiting);
	bucket_init(&e->rate, RATE_PER_MIN * 10, BURST, now);
	bucket_init(&e->budget, EVENTS_A_MINUTE * 10, EVENTS_BURST, now);
	e->timer = xevent_timer(base, on_timer, e);
	return e;
}

static void
kept_free(struct kept *k)
{
	struct events *e = k->events;

	if (k->call != NULL)
		e->nflying--;
	api_cancel(k->call);
	if (k->is_waiting) {
		TAILQ_REMOVE(&e->waiting, k, waiting);
		e->nwaiting--;
	}
	TAILQ_REMOVE(&e->kept, k, entry);
	e->nkept--;
	free(k->name);
	free(k);
}

void
events_free(struct events *e)
{
	struct kept *k;

	if (e == NULL)
		return;
	while ((k = TAILQ_FIRST(&e->kept)) != NULL)
		kept_free(k);
	event_free(e->timer);
	free(e);
}

static void
parts_of(const struct body_event *m, const char *part[PARTS])
{
	part[OF_NODE] = m->node;
	part[OF_POD] = m->pod_name;
	part[OF_NS] = m->ns;
	part[OF_UID] = m->uid;
	part[REASON] = m->reason;
	part[MESSAGE] = m->message;
}

static int
same(const struct kept *k, const struct body_event *m)
{
	const char *part[PARTS];
	int i;

	parts_of(m, part);
	for (i = 0; i < PARTS; i++)
		if (strcmp(k->part[i], part[i]) != 0)
			return 0;
	return k->warning == (m->warning != 0);
}

static int
is_about_node(const struct kept *k)
{
	return k->part[OF_POD][0] == '\0';
}

/* An event about a node is in namespace default, the server insists. */
static const char *
namespace_of(const struct kept *k)
{
	return is_about_node(k) ? "default" : k->part[OF_NS];
}

static uint64_t
bit_of(const struct kept *k)
{
	const char *s = namespace_of(k);
	unsigned int h = 0;

	while (*s != '\0')
		h = h * 31 + (unsigned char)*s++;
	return UINT64_C(1) << h % 64;
}

static char *
path_of(const struct kept *k, int create)
{
	AUTO_FREE char *ns = https_escape(namespace_of(k));
	AUTO_FREE char *name = https_escape(k->name);

	return xasprintf("/api/v1/namespaces/%s/events%s%s", ns,
	    create ? "" : "/", create ? "" : name);
}

static void
put_stamp(struct json_object *o, const char *key, int64_t ms)
{
	char stamp[STAMP_SIZE];

	stamp_format(ms, stamp);
	jmake_str(o, key, stamp);
}

static void
put_object(struct json_object *o, const struct kept *k)
{
	struct json_object *about = jmake_in(o, "involvedObject");
	int node = is_about_node(k);

	jmake_str(about, "apiVersion", "v1");
	jmake_str(about, "kind", node ? "Node" : "Pod");
	jmake_str(about, "namespace", node ? NULL : k->part[OF_NS]);
	jmake_str(about, "name", k->part[node ? OF_NODE : OF_POD]);
	/* kubectl finds a node's events by its name as uid. */
	jmake_str(about, "uid", k->part[node ? OF_NODE : OF_UID]);
}

static char *
create_body(const struct kept *k)
{
	struct json_object *o = jmake_object(), *meta, *source;

	jmake_str(o, "apiVersion", "v1");
	jmake_str(o, "kind", "Event");
	meta = jmake_in(o, "metadata");
	jmake_str(meta, "name", k->name);
	jmake_str(meta, "namespace", namespace_of(k));
	put_object(o, k);
	jmake_str(o, "reason", k->part[REASON]);
	jmake_str(o, "message", k->part[MESSAGE]);
	jmake_str(o, "type", k->warning ? "Warning" : "Normal");
	source = jmake_in(o, "source");
	jmake_str(source, "component", COMPONENT);
	jmake_str(source, "host", k->part[OF_NODE]);
	put_stamp(o, "firstTimestamp", k->first_ms);
	put_stamp(o, "lastTimestamp", k->last_ms);
	jmake_int(o, "count", k->count);
	jmake_str(o, "reportingComponent", COMPONENT);
	jmake_str(o, "reportingInstance", k->part[OF_NODE]);
	return jmake_text(&o);
}

static char *
count_body(const struct kept *k)
{
	struct json_object *o = jmake_object();

	jmake_int(o, "count", k->count);
	put_stamp(o, "lastTimestamp", k->last_ms);
	return jmake_text(&o);
}

static void
on_answer(const struct https_answer *a, void *arg)
{
	struct kept *k = arg;
	struct events *e = k->events;

	k->call = NULL;
	e->nflying--;
	if (a->why.kind != ERR_NONE) {
		log_debug("event %s: %s", k->part[REASON], a->why.text);
		e->failing |= bit_of(k);
		/* Counted from anew: its Event is not there. */
		kept_free(k);
	} else {
		k->posted = 1;
		e->failing &= ~bit_of(k);
	}
	fly(e);
}

static void
send_event(struct kept *k)
{
	AUTO_FREE char *path = path_of(k, !k->posted);
	AUTO_FREE char *body = k->posted ? count_body(k) : create_body(k);
	struct events *e = k->events;

	TAILQ_REMOVE(&e->waiting, k, waiting);
	e->nwaiting--;
	k->is_waiting = 0;
	k->sent_boot_ms = now_read().boot_ms;
	e->nflying++;
	k->call = api_send(e->api,
	    &(struct https_req){ .method = k->posted ? HTTPS_PATCH : HTTPS_POST,
		.path = path,
		.content_type =
		    k->posted ? "application/strategic-merge-patch+json" : NULL,
		.body = span_of(body),
		.done = on_answer,
		.arg = k });
}

/* The first that may go. */
static struct kept *
next_kept(struct events *e, int64_t now)
{
	struct kept *k;

	TAILQ_FOREACH(k, &e->waiting, waiting)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		if ((e->failing & bit_of(k)) == 0 ||
		    bucket_wait(&e->budget, now) == 0)
			return k;
	xevent_in(e->timer, bucket_wait(&e->budget, now));
	return NULL;
}

static void
fly(struct events *e)
{
	int64_t now = now_read().boot_ms;
	struct kept *k;

	while (!TAILQ_EMPTY(&e->waiting) && e->nflying < FLYING_MAX &&
	    (k = next_kept(e, now)) != NULL) {
		if (!bucket_take(&e->rate, now)) {
			xevent_in(e->timer, SOON_MS);
			return;
		}
		if ((e->failing & bit_of(k)) != 0)
			(void)bucket_take(&e->budget, now);
		send_event(k);
	}
}

static void
drop(struct events *e)
{
	int64_t now = now_read().boot_ms;

	e->dropped++;
	if (e->reported_ms != 0 && now - e->reported_ms < REPORT_MS)
		return;
	log_warn("%u events were not posted: too many at once", e->dropped);
	e->reported_ms = now;
	e->dropped = 0;
}

static struct kept *
find(struct events *e, const struct body_event *m, int64_t now)
{
	struct kept *k;

	/* The latest first: what is older than the span ends the search. */
	TAILQ_FOREACH(k, &e->kept, entry) {
		if (now - k->last_ms > KEPT_MS)
			return NULL;
		if (same(k, m))
			return k;
	}
	return NULL;
}

static struct kept *
kept_new(const struct body_event *m)
{
	const char *part[PARTS];
	struct kept *k;
	size_t size = 0, at = 0, n;
	int i;

	parts_of(m, part);
	for (i = 0; i < PARTS; i++)
		size += strlen(part[i]) + 1;
	k = xcalloc(1, sizeof(*k) + size);
	for (i = 0; i < PARTS; i++) {
		n = strlen(part[i]) + 1;
		k->part[i] = memcpy(k->text + at, part[i], n);
		at += n;
	}
	k->warning = m->warning != 0;
	return k;
}

static struct kept *
keep(struct events *e, const struct body_event *m, int64_t now)
{
	struct kept *k = kept_new(m);

	k->events = e;
	k->first_ms = now;
	k->name = xasprintf("%.*s.%llx", MAX_NAME - NAME_ROOM,
	    k->part[is_about_node(k) ? OF_NODE : OF_POD],
	    (unsigned long long)((uint64_t)now << 20 |
		(e->serial++ & 0xfffff)));
	TAILQ_INSERT_HEAD(&e->kept, k, entry);
	e->nkept++;
	return k;
}

/* Room for one more; the oldest that nothing is on its way for. */
static void
make_room(struct events *e, int64_t now)
{
	struct kept *k, *before;

	for (k = TAILQ_LAST(&e->kept, kepts); k != NULL; k = before) {
		before = TAILQ_PREV(k, kepts, entry);
		if (e->nkept < KEPT_MAX && now - k->last_ms <= KEPT_MS)
			return;
		if (k->call == NULL && !k->is_waiting)
			kept_free(k);
	}
}

void
events_post(struct events *e, const struct body_event *m)
{
	struct now now = now_read();
	struct kept *k = find(e, m, now.wall_ms);

	if (k == NULL) {
		make_room(e, now.wall_ms);
		if (!m->warning && e->nwaiting >= NORMAL_MAX)
			return;
		if (e->nwaiting == WAITING_MAX) {
			drop(e);
			return;
		}
		k = keep(e, m, now.wall_ms);
	} else {
		TAILQ_REMOVE(&e->kept, k, entry);
		TAILQ_INSERT_HEAD(&e->kept, k, entry);
	}
	k->count++;
	k->last_ms = now.wall_ms;
	if (k->is_waiting || k->call != NULL ||
	    (k->posted && now.boot_ms - k->sent_boot_ms < COUNT_MS))
		return;
	k->is_waiting = 1;
	TAILQ_INSERT_TAIL(&e->waiting, k, waiting);
	e->nwaiting++;
	fly(e);
}
