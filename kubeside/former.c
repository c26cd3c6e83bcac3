/* SPDX-License-Identifier: ISC */
/*
 * former.c: virtual nodes of ours that nobody serves any more.
 *
 * Owns the look at all virtual nodes and at the Lease of each that is not
 * ours to serve: a provider of another namespace has none there, so that
 * nobody knows of it and it counts as served; who gave it back, or did not
 * renew it for its whole duration by our clock, is gone.
 */
#include "kubeside/former.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/least.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/lease.h"
#include "kubeside/nodedoc.h"

enum {
	NODES_MAX = 64, /* as many as the placer takes */
	DEADLINE_MS = 20000,
	LAG_MS = 20,
	MAX_CONTINUE = 4096,
};

#define SELECTOR "type%3Dvirtual-kubelet" /* escaped */

struct one {
	char name[MAX_NAME + 1];
	char version[MAX_VERSION]; /* of its Lease, since then: */
	int64_t seen_ms;
	int listed;
	int has_lease; /* in our namespace */
	int served;
	int renewed; /* by another one, as we saw */
};

struct former {
	struct api *api;
	char *ns, *identity;
	int64_t period_ms, patience_ms;
	const struct former_ops *ops;
	void *arg;
	struct event *timer;
	struct api_call *call;
	struct scan *scan;
	char next[MAX_CONTINUE];
	struct one nodes[NODES_MAX];
	size_t n;
	size_t at;  /* whose Lease is asked for */
	int known;  /* a round was complete */
	int doubts; /* a Lease may still run out */
};

static void ask_page(struct former *);
static void ask_lease(struct former *);

/* From when libevent last looked at its clock, which is a little ago. */
static void
wait_ms(struct former *f, int64_t ms)
{
	xevent_in(f->timer, ms + LAG_MS);
}

/* Told by api.c, who knows why. */
static void
give_up(struct former *f, const struct why *why)
{
	log_debug("virtual nodes: %s", why->text);
	wait_ms(f, least(f->period_ms, f->patience_ms));
}

void
former_tell(const struct former *f)
{
	AUTO_BYTES struct bytes lines = { NULL, 0, 0 };
	const struct one *o;

	if (!f->known)
		return;
	for (o = f->nodes; o < f->nodes + f->n; o++) {
		bytes_add_text(&lines, o->name);
		bytes_add_text(&lines,
		    !o->has_lease || o->served ? " served" : "");
		bytes_add_text(&lines,
		    o->has_lease && o->renewed ? " renewed\n" : "\n");
	}
	f->ops->told(bytes_span(&lines), f->arg);
}

int
former_is_others(const struct former *f, const char *node)
{
	const struct one *o;

	for (o = f->nodes; o < f->nodes + f->n; o++)
		if (strcmp(o->name, node) == 0)
			return f->known && !o->has_lease;
	return 0;
}

/* --- Leases --------------------------------------------------------------- */

static void
judge(struct former *f, struct one *o, const struct lease *l)
{
	int64_t now = now_read().boot_ms;
	int64_t duration = most(l->duration_ms, f->patience_ms);

	if (strcmp(l->version, o->version) != 0) {
		o->renewed = o->version[0] != '\0';
		memcpy(o->version, l->version, sizeof(o->version));
		o->seen_ms = now;
	}
	o->has_lease = 1;
	o->served = l->holder[0] != '\0' &&
	    strcmp(l->holder, f->identity) != 0 && now - o->seen_ms < duration;
	o->renewed &= o->served;
	f->doubts |= o->served;
}

static void
on_lease(const struct https_answer *a, void *arg)
{
	struct former *f = arg;
	struct why why = a->why;
	struct lease l;

	f->call = NULL;
	if (a->status == 404)
		f->nodes[f->at].has_lease = 0;
	else if (why.kind != ERR_NONE) {
		give_up(f, &why);
		return;
	} else if (lease_read(a->body, &l, &why) == -1) {
		log_debug("virtual nodes: %s", why.text);
		f->nodes[f->at].has_lease = 0; /* whose it is, who knows */
	} else
		judge(f, &f->nodes[f->at], &l);
	f->at++;
	ask_lease(f);
}

static void
ask_lease(struct former *f)
{
	AUTO_FREE char *path = NULL;

	if (f->at == f->n) {
		f->known = 1;
		former_tell(f);
		wait_ms(f,
		    f->doubts ? least(f->period_ms, f->patience_ms) :
				f->period_ms);
		return;
	}
	path = lease_path(f->ns, f->nodes[f->at].name);
	f->call = api_send(f->api,
	    &(struct https_req){ .method = HTTPS_GET,
		.path = path,
		.deadline_ms = DEADLINE_MS,
		.done = on_lease,
		.arg = f });
}

/* --- Nodes ---------------------------------------------------------------- */

static struct one *
find(struct former *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->nodes[i].name, name) == 0)
			return &f->nodes[i];
	return NULL;
}

static int
on_item(struct span object, void *arg, struct why *why)
{
	struct former *f = arg;
	char name[MAX_NAME + 1];
	struct one *o;

	(void)why;
	if (!nodedoc_is_provider(object) ||
	    scan_get_string(object, name, sizeof(name), "metadata", "name",
		NULL) != 1 ||
	    f->ops->is_ours(name, f->arg))
		return 0;
	if ((o = find(f, name)) == NULL) {
		if (f->n == NODES_MAX)
			return 0;
		o = &f->nodes[f->n++];
		memset(o, 0, sizeof(*o));
		memcpy(o->name, name, strlen(name) + 1);
	}
	o->listed = 1;
	return 0;
}

static int
on_oversize(struct span head, void *arg, struct why *why)
{
	(void)head;
	(void)arg;
	(void)why;
	return 0;
}

static void
drop_absent(struct former *f)
{
	size_t i, kept = 0;

	for (i = 0; i < f->n; i++)
		if (f->nodes[i].listed)
			f->nodes[kept++] = f->nodes[i];
	f->n = kept;
}

static int
on_bytes(struct span piece, void *arg, struct why *why)
{
	struct former *f = arg;

	return scan_feed(f->scan, piece, why);
}

static void
on_page(const struct https_answer *a, void *arg)
{
	struct former *f = arg;
	struct why why = a->why;

	f->call = NULL;
	if (why.kind != ERR_NONE || scan_end(f->scan, &why) == -1) {
		give_up(f, &why);
		return;
	}
	if (scan_get_string(scan_rest(f->scan), f->next, sizeof(f->next),
		"metadata", "continue", NULL) != 1)
		f->next[0] = '\0';
	if (f->next[0] != '\0') {
		ask_page(f);
		return;
	}
	drop_absent(f);
	f->at = 0;
	f->doubts = 0;
	ask_lease(f);
}

static void
ask_page(struct former *f)
{
	static const struct scan_ops ops = { on_item, on_oversize };
	AUTO_FREE char *next = https_escape(f->next);
	AUTO_FREE char *path = xasprintf("/api/v1/nodes?labelSelector=%s"
					 "&limit=100%s%s",
	    SELECTOR, next[0] == '\0' ? "" : "&continue=", next);

	scan_free(f->scan);
	f->scan = scan_new(SCAN_LIST, MAX_ITEM, &ops, f);
	f->call = api_send(f->api,
	    &(struct https_req){ .method = HTTPS_GET,
		.path = path,
		.deadline_ms = DEADLINE_MS,
		.data = on_bytes,
		.done = on_page,
		.arg = f });
}

/* --- in time -------------------------------------------------------------- */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	former_start(arg);
}

void
former_start(struct former *f)
{
	size_t i;

	if (f->call != NULL)
		return;
	evtimer_del(f->timer);
	for (i = 0; i < f->n; i++)
		f->nodes[i].listed = 0;
	f->next[0] = '\0';
	ask_page(f);
}

struct former *
former_new(struct event_base *base, struct api *api,
    const struct former_conf *conf, const struct former_ops *ops, void *arg)
{
	struct former *f = xcalloc(1, sizeof(*f));

	f->api = api;
	f->ns = xstrdup(conf->ns);
	f->identity = xstrdup(conf->identity);
	f->period_ms = conf->period_ms;
	f->patience_ms = conf->patience_ms;
	f->ops = ops;
	f->arg = arg;
	f->timer = xevent_timer(base, on_timer, f);
	return f;
}

void
former_free(struct former *f)
{
	if (f == NULL)
		return;
	api_cancel(f->call);
	scan_free(f->scan);
	event_free(f->timer);
	free(f->ns);
	free(f->identity);
	free(f);
}
