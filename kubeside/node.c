/* SPDX-License-Identifier: ISC */
/*
 * node.c: one virtual node, kept as it should be.
 *
 * Owns when its object is created, patched and said to be alive, by the
 * writer of the node only.  What the object looks like is nodedoc.c's; the
 * lease that shows life is beat.c's.
 */
#include "kubeside/node.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/beat.h"
#include "kubeside/lease.h"
#include "kubeside/nodedoc.h"
#include "kubeside/watch.h"

enum {
	TICK_MS = 10000,
	BEAT_MS = 10000,
	STATUS_MS = 300000, /* at least so often */
	STATUS_MIN_MS = 500,
	META_MS = 2000,
	ALIVE_MS = 2000,
};

#define STRATEGIC "application/strategic-merge-patch+json"

struct node {
	struct event_base *base;
	struct api *api;
	const struct node_ops *ops;
	void *arg;
	int64_t away_ms;
	int64_t grace_ms;
	const char *arch; /* setting */
	struct nodedoc doc;
	struct watch *watch;
	struct beat *beat;
	struct event *timer;
	struct api_call *call;
	char *object; /* as last seen, NULL: it is not there */
	size_t object_len;
	char *labels; /* as the placer has them, NULL: it has none */
	char uid[MAX_UID + 1];
	int known; /* a first list told whether it is there */
	int in_list;
	int again; /* something changed while a call was under way */
	int64_t placer_lost_ms; /* boot time, 0: it is there */
	char *told;		/* status as last written, without times */
	char *telling;
	int64_t told_ms;
	int64_t meta_ms;
	int64_t alive_ms;
	unsigned int failures;
};

static void step(struct node *);

static void
wait_ms(struct node *n, int64_t ms)
{
	xevent_in(n->timer, ms);
}

static int
writes(const struct node *n)
{
	return now_read().boot_ms < n->ops->until(n->arg);
}

/*
 * The longest until something is to be looked at, from the time of the last
 * look: what became due after it is still to be seen.
 */
static int64_t
tick_ms(const struct node *n, int64_t looked_ms)
{
	const int64_t news[] = { n->away_ms, n->grace_ms };
	int64_t gone = looked_ms - n->placer_lost_ms, ms = TICK_MS;
	size_t i;

	for (i = 0; n->placer_lost_ms != 0 && i < 2; i++)
		if (gone < news[i] && news[i] - gone < ms)
			ms = news[i] - gone;
	return ms;
}

/* Long without a placer, nobody looks after the pods: the cluster's turn. */
static int
alive(const struct node *n, int64_t now_ms)
{
	return n->placer_lost_ms == 0 ||
	    now_ms - n->placer_lost_ms < n->grace_ms;
}

static void
forget(struct node *n)
{
	free(n->object);
	n->object = NULL;
	n->uid[0] = '\0';
	free(n->told);
	n->told = NULL;
	beat_stop(n->beat);
}

static void
tell_labels(struct node *n, struct span object)
{
	struct span labels = { "{}", 2 };

	(void)scan_get(object, &labels, "metadata", "labels", NULL);
	if (n->placer_lost_ms != 0 ||
	    (n->labels != NULL && span_is(labels, n->labels)))
		return;
	free(n->labels);
	n->labels = xstrndup(labels.p, labels.len);
	n->ops->labels(labels, n->arg);
}

/* Since when a condition is as it is, from what the server has. */
static void
adopt_times(struct node *n, struct span object)
{
	enum node_condition i;
	char status[16];
	int64_t since;

	for (i = 0; i < NODE_CONDITIONS_COUNT; i++)
		if (nodedoc_read(object, i, status, &since) && since > 0 &&
		    strcmp(status, nodedoc_condition(&n->doc, i)) == 0)
			n->doc.since_ms[i] = since;
}

static void
see(struct node *n, struct span object)
{
	char uid[MAX_UID + 1];

	if (scan_get_string(object, uid, sizeof(uid), "metadata", "uid",
		NULL) != 1)
		return;
	if (strcmp(uid, n->uid) != 0) {
		forget(n);
		memcpy(n->uid, uid, sizeof(uid));
		adopt_times(n, object);
	}
	free(n->object);
	n->object = xstrndup(object.p, object.len);
	n->object_len = object.len;
	tell_labels(n, object);
}

static struct span
seen(const struct node *n)
{
	return (struct span){ n->object, n->object_len };
}

static void
on_begin(void *arg)
{
	struct node *n = arg;

	n->in_list = 0;
}

static int
on_item(enum pod_how how, struct span object, void *arg)
{
	struct node *n = arg;

	if (how == POD_DELETED) {
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "node",
			.fleet = n->doc.fleet },
		    "node %s was deleted; it is made again, as long as "
		    "FLEET_ID names its fleet",
		    n->doc.name);
		forget(n);
		n->ops->event("NodeRecreated",
		    "the Node was deleted while "
		    "its provider runs; it was created again",
		    n->arg);
	} else {
		n->in_list = 1;
		see(n, object);
	}
	if (how != POD_LISTED)
		step(n);
	return 0;
}

static void
on_end(void *arg)
{
	struct node *n = arg;

	if (!n->in_list)
		forget(n);
	n->known = 1;
	step(n);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	step(arg);
}

struct node *
node_new(struct event_base *base, struct api *api, const struct node_conf *conf,
    const struct node_ops *ops, void *arg)
{
	static const struct watch_ops watch_ops = { on_begin, on_item, on_end };
	AUTO_FREE char *selector = xasprintf("metadata.name=%s", conf->name);
	struct node *n = xcalloc(1, sizeof(*n));
	struct now now = now_read();
	size_t i;

	n->base = base;
	n->api = api;
	n->ops = ops;
	n->arg = arg;
	n->away_ms = conf->away_ms;
	n->grace_ms = conf->grace_ms;
	n->arch = conf->arch;
	n->doc.name = conf->name;
	n->doc.fleet = conf->fleet;
	n->doc.zone = conf->zone;
	n->doc.arch = conf->arch;
	n->doc.keys = conf->keys;
	n->doc.placer_answers = 1;
	n->placer_lost_ms = now.boot_ms;
	for (i = 0; i < NODE_CONDITIONS_COUNT; i++)
		n->doc.since_ms[i] = now.wall_ms;
	n->watch = watch_new(base, api,
	    &(struct watch_conf){ "/api/v1/nodes", selector, 0 }, &watch_ops,
	    n);
	n->beat = beat_new(base, api, conf->name, conf->fleet, BEAT_MS);
	n->timer = xevent_timer(base, on_tick, n);
	return n;
}

void
node_free(struct node *n)
{
	if (n == NULL)
		return;
	watch_free(n->watch);
	beat_free(n->beat);
	api_cancel(n->call);
	event_free(n->timer);
	free(n->object);
	free(n->labels);
	free(n->told);
	free(n->telling);
	free(n);
}

void
node_start(struct node *n)
{
	watch_start(n->watch);
}

static void
set_condition(struct node *n, enum node_condition i, const char *before)
{
	if (strcmp(before, nodedoc_condition(&n->doc, i)) != 0)
		n->doc.since_ms[i] = now_read().wall_ms;
}

void
node_figures(struct node *n, const struct body_node_figures *f)
{
	const char *before =
	    nodedoc_condition(&n->doc, NODE_FlightctlReachable);

	n->doc.figures = *f;
	n->doc.arch = n->arch[0] != '\0' ? n->arch : n->doc.figures.arch;
	set_condition(n, NODE_FlightctlReachable, before);
	/* The first ones: what the server has may say the same for long. */
	if (!n->doc.has_figures && n->object != NULL)
		adopt_times(n, seen(n));
	n->doc.has_figures = 1;
	step(n);
}

void
node_placer(struct node *n, int there)
{
	n->placer_lost_ms = there ? 0 : now_read().boot_ms;
	free(n->labels);
	n->labels = NULL;
	if (n->object != NULL)
		tell_labels(n, seen(n));
	step(n);
}

void
node_again(struct node *n)
{
	watch_again(n->watch);
	step(n);
}

void
node_look(struct node *n)
{
	step(n);
}

static void
look_at_placer(struct node *n, int64_t now_ms)
{
	const char *before = nodedoc_condition(&n->doc, NODE_PlacerAnswers);

	n->doc.placer_answers =
	    n->placer_lost_ms == 0 || now_ms - n->placer_lost_ms < n->away_ms;
	set_condition(n, NODE_PlacerAnswers, before);
}

static void
on_answer(const struct https_answer *a, void *arg)
{
	struct node *n = arg;
	char *telling = steal(&n->telling);

	n->call = NULL;
	if (a->why.kind == ERR_NONE) {
		n->failures = 0;
		if (telling != NULL) {
			free(n->told);
			n->told = steal(&telling);
			n->told_ms = now_read().boot_ms;
		}
		see(n, a->body);
		n->again = 1;
	} else if (a->status != 404 && a->status != 409) {
		/* Those two: the watch says what is there now. */
		if (n->failures++ == 0 && a->why.kind != ERR_DENIED)
			log_line(LOG_LEVEL_WARN,
			    &(struct log_about){ .operation = "node",
				.fleet = n->doc.fleet,
				.error = a->why.text },
			    "node %s was not written", n->doc.name);
		wait_ms(n,
		    retry_wait_ms(a->why.kind, n->failures, a->retry_after_ms,
			arc4random()));
		n->again = 0;
	}
	free(telling);
	if (n->again) {
		n->again = 0;
		step(n);
	}
}

/* Takes body. */
static void
send_write(struct node *n, enum https_method method, const char *below,
    char *body)
{
	AUTO_FREE char *name = https_escape(n->doc.name);
	AUTO_FREE char *path = method == HTTPS_POST ?
	    xstrdup("/api/v1/nodes") :
	    xasprintf("/api/v1/nodes/%s%s", name, below);
	AUTO_FREE char *mine = body;

	n->call = api_send(n->api,
	    &(struct https_req){ .method = method,
		.path = path,
		.content_type = method == HTTPS_PATCH ? STRATEGIC : NULL,
		.body = span_of(mine),
		.deadline_ms = 5000,
		.done = on_answer,
		.arg = n });
}

/* The server took us for dead: it must be told, a lease does not do it. */
static int
is_ready(const struct node *n)
{
	char status[16];
	int64_t since;

	return nodedoc_read(seen(n), NODE_Ready, status, &since) &&
	    strcmp(status, "True") == 0;
}

/* Milliseconds until the status is due, 0: now. */
static int64_t
status_due(struct node *n)
{
	AUTO_FREE char *text = nodedoc_status(&n->doc, 0);
	int64_t age = now_read().boot_ms - n->told_ms;
	int64_t due;

	due = n->told != NULL && strcmp(n->told, text) == 0 && is_ready(n) ?
	    STATUS_MS :
	    STATUS_MIN_MS;
	if (n->told == NULL || age >= due)
		return 0;
	return due - age;
}

/* Not in a row: somebody else may want them otherwise. */
static int
step_meta(struct node *n)
{
	int64_t now = now_read().boot_ms;
	char *text;

	if (now - n->meta_ms < META_MS ||
	    (text = nodedoc_meta(&n->doc, seen(n))) == NULL)
		return 0;
	n->meta_ms = now;
	send_write(n, HTTPS_PATCH, "", text);
	return 1;
}

/*
 * Figures of an earlier life stay as they are; but a node that was taken for
 * dead says that it is not: a lease does not bring it back
 * (facts/kubernetes.md surprise 4), and its pods are evicted for our fault.
 */
static void
step_without_figures(struct node *n)
{
	int64_t now = now_read().boot_ms;

	if (step_meta(n) || is_ready(n))
		return;
	if (n->alive_ms != 0 && now - n->alive_ms < ALIVE_MS) {
		wait_ms(n, ALIVE_MS);
		return;
	}
	n->alive_ms = now;
	send_write(n, HTTPS_PATCH, "/status",
	    nodedoc_alive(&n->doc, now_read().wall_ms));
}

static void
step(struct node *n)
{
	int64_t now = now_read().boot_ms, due;

	look_at_placer(n, now);
	if (n->call != NULL) {
		n->again = 1;
		return;
	}
	wait_ms(n, tick_ms(n, now));
	if (!n->known || !alive(n, now) || !writes(n)) {
		beat_stop(n->beat);
		return;
	}
	if (n->object == NULL) {
		if (n->doc.has_figures)
			send_write(n, HTTPS_POST, "", nodedoc_create(&n->doc));
		return;
	}
	beat_start(n->beat, n->uid);
	if (!n->doc.has_figures) {
		step_without_figures(n);
		return;
	}
	if (step_meta(n))
		return;
	if ((due = status_due(n)) > 0) {
		wait_ms(n, due < tick_ms(n, now) ? due : tick_ms(n, now));
		return;
	}
	n->telling = nodedoc_status(&n->doc, 0);
	send_write(n, HTTPS_PATCH, "/status",
	    nodedoc_status(&n->doc, now_read().wall_ms));
}
