/* SPDX-License-Identifier: ISC */
/*
 * calls.c: the few writes and reads of a pod.
 *
 * Owns their order (one at a time for a pod, the newest status wins), how
 * many fly at once and how many fail in a minute, and the last look at the
 * lease before one is sent.  Never decides what a pod's status is; never
 * touches a pod that pods.c has not.
 */
#include "kubeside/calls.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bucket.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/calldoc.h"

enum {
	FLYING_MAX = 8,
	TRIES_MAX = 6,
	YIELD = 3, /* refused so often, it lets others of its pod go first */
	/* A rest after a 403 ends before what waits is too old to be sent. */
	DENIED_MAX = 3,
	WARN_MS = 60000,
	/* A write that was sent ends before the lease does: until is 5 s
	 * before its end. */
	DEADLINE_MS = 5000,
};

#define STRATEGIC "application/strategic-merge-patch+json"

enum write_kind {
	WRITE_STATUS,
	WRITE_DELETE,
	READ_OBJECT,
	READ_POD,
};

struct write {
	TAILQ_ENTRY(write) entry;
	struct calls *calls;
	struct pod *pod;
	enum write_kind kind;
	uint64_t id;
	int unlinked; /* nobody waits for its end */
	int64_t until_ms;
	unsigned int tries;
	char *path;
	char *body;
	struct api_call *call; /* NULL: it waits */
	struct event *pause;   /* pending: it waits alone; NULL: never did */
	int again;	       /* it was taken out of the budget */
	struct why why;	       /* of its last failure */
};

TAILQ_HEAD(writes, write);

struct calls {
	struct event_base *base;
	struct api *api;
	struct pods *pods;
	const struct calls_ops *ops;
	void *arg;
	struct writes queue;
	struct writes flying;
	unsigned int nflying;
	struct event *hold;   /* pending: the server wants a rest */
	struct bucket budget; /* of what failed before */
	struct event *turn;   /* pending: it is spent */
	unsigned int failures;
	char denied[MAX_UID + 1]; /* with 403, and none was taken since */
	int64_t warned_ms;
};

static void fly(struct calls *);

static int
is_read(const struct write *w)
{
	return w->kind == READ_OBJECT || w->kind == READ_POD;
}

/* How often it failed for this pod, in a row. */
static unsigned int *
failed(const struct write *w)
{
	return &w->pod->failed[is_read(w)];
}

static int
rests(const struct write *w)
{
	return w->pause != NULL && evtimer_pending(w->pause, NULL);
}

static void
write_free(struct write *w)
{
	api_cancel(w->call);
	if (rests(w))
		w->pod->flying = 0;
	if (w->pause != NULL)
		event_free(w->pause);
	if (w->pod->waiting == w)
		w->pod->waiting = NULL;
	pods_settle(w->calls->pods, w->pod);
	free(w->path);
	free(w->body);
	free(w);
}

/* Takes a write that is in neither list any more. */
static void
finish(struct write *w, const struct why *why)
{
	struct calls *c = w->calls;
	uint64_t id = w->id;
	int unlinked = w->unlinked;

	write_free(w);
	if (!unlinked)
		c->ops->done(id, why, c->arg);
}

static void
on_wait_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fly(arg);
}

struct calls *
calls_new(struct event_base *base, struct api *api, struct pods *pods,
    const struct calls_ops *ops, void *arg)
{
	struct calls *c = xcalloc(1, sizeof(*c));

	c->base = base;
	c->api = api;
	c->pods = pods;
	c->ops = ops;
	c->arg = arg;
	TAILQ_INIT(&c->queue);
	TAILQ_INIT(&c->flying);
	c->hold = xevent_timer(base, on_wait_over, c);
	c->turn = xevent_timer(base, on_wait_over, c);
	bucket_init(&c->budget, CALLS_A_MINUTE * 10, CALLS_BURST,
	    now_read().boot_ms);
	return c;
}

static void
drop_all(struct writes *list)
{
	struct write *w;

	while ((w = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, w, entry);
		write_free(w);
	}
}

void
calls_free(struct calls *c)
{
	if (c == NULL)
		return;
	drop_all(&c->queue);
	drop_all(&c->flying);
	event_free(c->hold);
	event_free(c->turn);
	free(c);
}

void
calls_unlink(struct calls *c)
{
	struct write *w;

	drop_all(&c->queue);
	TAILQ_FOREACH(w, &c->flying, entry)
		w->unlinked = 1;
}

int
calls_is_idle(const struct calls *c)
{
	return TAILQ_EMPTY(&c->queue) && TAILQ_EMPTY(&c->flying);
}

/* What an answer means for that pod. */
static void
judge(const struct write *w, const struct https_answer *a, struct why *why)
{
	const struct pod *pod = w->pod;

	*why = a->why;
	if (calldoc_is_replaced(a) ||
	    (w->kind == READ_POD && calldoc_is_another(pod, a)) ||
	    (w->kind == WRITE_DELETE && a->status == 409))
		fail_code(why, ERR_GONE, a->status, "%s/%s: replaced", pod->ns,
		    pod->name);
	else if (why->kind == ERR_FORMAT && a->status == 422)
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "status",
			.ns = pod->ns,
			.pod = pod->name,
			.error = why->text },
		    "the apiserver refuses what we made");
}

/* Whether all must rest, not this pod's writes only. */
static int
is_for_all(const struct calls *c, const struct write *w,
    const struct https_answer *a)
{
	switch (a->status) {
	case 0:
	case 401:
	case 429:
	case 503:
		return 1;
	case 403:
		return c->denied[0] != '\0' &&
		    strcmp(c->denied, w->pod->uid) != 0;
	default:
		return 0;
	}
}

/* An object that is not there is an answer, too. */
static void
count(struct calls *c, struct write *w, const struct why *why)
{
	unsigned int *n = failed(w);

	if (why->kind != ERR_NONE && !(is_read(w) && why->kind == ERR_GONE)) {
		*n += *n < UINT_MAX;
	} else {
		*n = 0;
		if (w->again)
			bucket_give(&c->budget);
	}
	w->again = 0;
}

/* What the answer says of this pod's luck, and of everybody's. */
static void
note(struct calls *c, const struct write *w, const struct https_answer *a,
    const struct why *why)
{
	int64_t now = now_read().boot_ms;

	if (why->kind == ERR_NONE)
		c->failures = 0;
	if (is_read(w) || is_for_all(c, w, a))
		return;
	if (a->status == 403)
		memcpy(c->denied, w->pod->uid, strlen(w->pod->uid) + 1);
	else
		c->denied[0] = '\0';
	if (why->kind != ERR_AGAIN && why->kind != ERR_DENIED) {
		w->pod->refusals = 0;
		return;
	}
	/* What is not allowed is api.c's to tell. */
	if (++w->pod->refusals != YIELD || why->kind == ERR_DENIED ||
	    (c->warned_ms != 0 && now - c->warned_ms < WARN_MS))
		return;
	c->warned_ms = now;
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){
		.operation = w->kind == WRITE_STATUS ? "status" : "delete",
		.ns = w->pod->ns,
		.pod = w->pod->name,
		.error = why->text },
	    "refused again and again; it waits, others go on");
}

static int
may_retry(const struct write *w, const struct why *why)
{
	/* A newer status makes an old one needless. */
	if (is_read(w) || w->unlinked ||
	    (w->kind == WRITE_STATUS && w->pod->waiting != NULL))
		return 0;
	/* It may be refused for ever; a delete behind it may not. */
	if (w->kind == WRITE_STATUS && w->pod->refusals >= YIELD &&
	    w->pod->writes > 1)
		return 0;
	return (why->kind == ERR_AGAIN || why->kind == ERR_AUTH ||
		   why->kind == ERR_DENIED) &&
	    w->tries < TRIES_MAX && now_read().boot_ms < w->until_ms;
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct write *w = arg;

	(void)fd;
	(void)what;
	w->pod->flying = 0;
	fly(w->calls);
}

/* Back to the front, to wait there with all the others or alone. */
static void
retry(struct write *w, const struct why *why, int64_t retry_after_ms, int all)
{
	struct calls *c = w->calls;
	unsigned int failures = w->pod->refusals;
	struct event *timer = c->hold;

	TAILQ_INSERT_HEAD(&c->queue, w, entry);
	if (w->kind == WRITE_STATUS)
		w->pod->waiting = w;
	w->why = *why;
	if (all && evtimer_pending(c->hold, NULL))
		return;
	if (all) {
		failures = ++c->failures;
		if (why->kind == ERR_DENIED && failures > DENIED_MAX)
			failures = DENIED_MAX;
	} else {
		if (w->pause == NULL)
			w->pause = xevent_timer(c->base, on_pause_over, w);
		timer = w->pause;
		w->pod->flying = 1;
	}
	xevent_in(timer,
	    retry_wait_ms(why->kind, failures, retry_after_ms, arc4random()));
}

static void
on_answer(const struct https_answer *a, void *arg)
{
	struct write *w = arg;
	struct calls *c = w->calls;
	int all = is_for_all(c, w, a);
	struct why why;

	w->call = NULL;
	TAILQ_REMOVE(&c->flying, w, entry);
	c->nflying--;
	if (!is_read(w))
		w->pod->flying = 0;
	judge(w, a, &why);
	count(c, w, &why);
	note(c, w, a, &why);
	if (why.kind == ERR_NONE && is_read(w) && !w->unlinked) {
		c->ops->object(w->id, a->body, c->arg);
		write_free(w);
	} else if (may_retry(w, &why)) {
		retry(w, &why, a->retry_after_ms, all);
	} else {
		finish(w, &why);
	}
	fly(c);
}

static int
is_held(const struct write *w)
{
	int64_t now = now_read().boot_ms;

	return is_read(w) ||
	    (now < w->until_ms &&
		now < w->calls->ops->until(w->pod->node, w->calls->arg));
}

static void
launch(struct write *w)
{
	static const enum https_method methods[] = {
		[WRITE_STATUS] = HTTPS_PATCH,
		[WRITE_DELETE] = HTTPS_DELETE,
		[READ_OBJECT] = HTTPS_GET,
		[READ_POD] = HTTPS_GET,
	};
	struct calls *c = w->calls;
	struct why why;

	TAILQ_REMOVE(&c->queue, w, entry);
	if (w->pod->waiting == w)
		w->pod->waiting = NULL;
	if (!is_held(w)) {
		if (w->why.kind != ERR_NONE)
			why = w->why; /* what kept it so long */
		else
			fail(&why, ERR_DENIED, "%s/%s: lease over", w->pod->ns,
			    w->pod->name);
		finish(w, &why);
		return;
	}
	TAILQ_INSERT_TAIL(&c->flying, w, entry);
	c->nflying++;
	w->tries++;
	if (!is_read(w))
		w->pod->flying = 1;
	w->call = api_send(c->api,
	    &(struct https_req){ .method = methods[w->kind],
		.path = w->path,
		.content_type = w->kind == WRITE_STATUS ? STRATEGIC : NULL,
		.body = w->body == NULL ? (struct span){ NULL, 0 } :
					  span_of(w->body),
		.deadline_ms = DEADLINE_MS,
		.done = on_answer,
		.arg = w });
}

/*
 * The oldest whose pod has nothing on its way; when the budget runs low,
 * rather one that did not fail, or did least.  Few are passed over.
 */
static struct write *
next_write(const struct calls *c)
{
	int plenty = bucket_have(&c->budget, now_read().boot_ms) >
	    CALLS_BURST / 2 * BUCKET_UNIT;
	struct write *w, *best = NULL;

	TAILQ_FOREACH(w, &c->queue, entry) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		if (!is_read(w) && w->pod->flying)
			continue;
		if (plenty || *failed(w) == 0)
			return w;
		if (best == NULL || *failed(w) < *failed(best))
			best = w;
	}
	return best;
}

/* 0: what failed before waits for its turn. */
static int
has_turn(struct calls *c, struct write *w)
{
	int64_t now = now_read().boot_ms;

	/* Too late: nothing is sent. */
	if (*failed(w) == 0 || !is_held(w))
		return 1;
	if ((w->again = bucket_take(&c->budget, now)))
		return 1;
	xevent_in(c->turn, bucket_wait(&c->budget, now));
	return 0;
}

static void
fly(struct calls *c)
{
	struct write *w;

	while (c->nflying < FLYING_MAX && !evtimer_pending(c->hold, NULL) &&
	    (w = next_write(c)) != NULL && has_turn(c, w))
		launch(w);
}

static struct write *
write_new(struct calls *c, struct pod *pod, enum write_kind kind, uint64_t id,
    uint64_t until)
{
	struct write *w = xcalloc(1, sizeof(*w));

	w->calls = c;
	w->pod = pod;
	w->kind = kind;
	w->id = id;
	w->until_ms = until > INT64_MAX ? 0 : (int64_t)until;
	pod->writes++;
	return w;
}

void
calls_status(struct calls *c, uint64_t id, unsigned int node,
    const struct body_pod_status *m)
{
	struct why why = { 0 };
	struct write *w;
	struct pod *pod;
	uint64_t old;

	pod = pods_find(c->pods, node, m->ns, m->name, m->uid, &why);
	if (pod == NULL || calldoc_check(m->status, &why) == -1) {
		c->ops->done(id, &why, c->arg);
		return;
	}
	if ((w = pod->waiting) == NULL) {
		w = write_new(c, pod, WRITE_STATUS, id, m->until_boot);
		w->path = calldoc_path(pod, "/status");
		w->body = calldoc_status(pod, m->status);
		pod->waiting = w;
		TAILQ_INSERT_TAIL(&c->queue, w, entry);
		fly(c);
		return;
	}
	/* The newest wins, in the older one's place. */
	old = w->id;
	free(w->body);
	w->body = calldoc_status(pod, m->status);
	w->id = id;
	w->until_ms = (int64_t)m->until_boot;
	w->tries = 0;
	fail(&why, ERR_NONE, "a newer status took its place");
	c->ops->done(old, &why, c->arg);
	fly(c);
}

/* One that rests does not keep the others of its pod waiting. */
static void
hurry(struct calls *c, const struct pod *pod)
{
	struct write *w;

	TAILQ_FOREACH(w, &c->queue, entry)
		if (w->pod == pod && rests(w)) {
			evtimer_del(w->pause);
			w->pod->flying = 0;
		}
}

void
calls_delete(struct calls *c, uint64_t id, unsigned int node,
    const struct body_pod_delete *m)
{
	struct why why = { 0 };
	struct write *w;
	struct pod *pod;

	pod = pods_find(c->pods, node, m->ns, m->name, m->uid, &why);
	if (pod == NULL) {
		c->ops->done(id, &why, c->arg);
		return;
	}
	w = write_new(c, pod, WRITE_DELETE, id, m->until_boot);
	w->path = calldoc_path(pod, "");
	w->body = calldoc_delete(pod, m->grace_s);
	hurry(c, pod);
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	fly(c);
}

void
calls_object(struct calls *c, uint64_t id, const struct body_get_object *m)
{
	struct pod *pod = pods_by_uid(c->pods, m->pod_uid);
	struct why why = { 0 };
	struct write *w;

	if (pod == NULL || !calldoc_may_read(pod, m)) {
		fail(&why, ERR_DENIED, "%s/%s: named by no pod %s on our nodes",
		    m->ns, m->name, m->pod_uid);
		c->ops->done(id, &why, c->arg);
		return;
	}
	w = write_new(c, pod, m->kind == OBJECT_POD ? READ_POD : READ_OBJECT,
	    id, 0);
	w->path = calldoc_object_path(m);
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	fly(c);
}
