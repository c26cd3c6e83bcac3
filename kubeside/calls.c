/* SPDX-License-Identifier: ISC */
/*
 * calls.c: the few writes and reads of a pod.
 *
 * Owns their order (one at a time for a pod, the newest status wins), how
 * many fly at once, and the last look at the lease before one is sent.  Never
 * decides what a pod's status is; never touches a pod that pods.c has not.
 */
#include "kubeside/calls.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "kubeside/api.h"

enum {
	FLYING_MAX = 8,
	TRIES_MAX = 6,
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
	struct event *hold; /* pending: the server wants a rest */
	unsigned int failures;
};

static void fly(struct calls *);

static int
is_read(const struct write *w)
{
	return w->kind == READ_OBJECT || w->kind == READ_POD;
}

static void
write_free(struct write *w)
{
	api_cancel(w->call);
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
on_hold_over(evutil_socket_t fd, short what, void *arg)
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
	if ((c->hold = evtimer_new(base, on_hold_over, c)) == NULL)
		abort();
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

/* A 422 whose cause is the uid: another pod has the name now. */
static int
is_replaced(const struct https_answer *a)
{
	struct span causes, cause;
	char field[64];
	size_t at = 0;

	if (a->status != 422 ||
	    scan_get(a->body, &causes, "details", "causes", NULL) != 1)
		return 0;
	while (scan_next(causes, &at, &cause) == 1)
		if (scan_get_string(cause, field, sizeof(field), "field",
			NULL) == 1 &&
		    strcmp(field, "metadata.uid") == 0)
			return 1;
	return 0;
}

/* A pod that was read by its name has the uid of another one. */
static int
is_another(const struct write *w, const struct https_answer *a)
{
	char uid[MAX_UID + 1];

	return w->kind == READ_POD && a->why.kind == ERR_NONE &&
	    (scan_get_string(a->body, uid, sizeof(uid), "metadata", "uid",
		 NULL) != 1 ||
		strcmp(uid, w->pod->uid) != 0);
}

/* What an answer means for that pod. */
static void
judge(const struct write *w, const struct https_answer *a, struct why *why)
{
	const struct pod *pod = w->pod;

	*why = a->why;
	if (is_replaced(a) || is_another(w, a) ||
	    (w->kind == WRITE_DELETE && a->status == 409))
		fail_code(why, ERR_GONE, a->status, "%s/%s: replaced", pod->ns,
		    pod->name);
	else if (why->kind == ERR_FORMAT && a->status == 422)
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "status",
			.error = why->text },
		    "%s/%s: the server refuses what we made", pod->ns,
		    pod->name);
}

static int
may_retry(const struct write *w, const struct why *why)
{
	/* A newer status makes an old one needless. */
	if (is_read(w) || w->unlinked ||
	    (w->kind == WRITE_STATUS && w->pod->waiting != NULL))
		return 0;
	return (why->kind == ERR_AGAIN || why->kind == ERR_AUTH ||
		   why->kind == ERR_DENIED) &&
	    w->tries < TRIES_MAX && now_read().boot_ms < w->until_ms;
}

/* Back to the front; the whole queue rests, the trouble is the server's. */
static void
retry(struct write *w, const struct why *why, int64_t retry_after_ms)
{
	struct calls *c = w->calls;
	struct timeval tv;
	int64_t ms;

	TAILQ_INSERT_HEAD(&c->queue, w, entry);
	if (w->kind == WRITE_STATUS)
		w->pod->waiting = w;
	if (evtimer_pending(c->hold, NULL))
		return;
	ms = retry_wait_ms(why->kind, ++c->failures, retry_after_ms,
	    arc4random());
	tv = (struct timeval){ ms / 1000, (ms % 1000) * 1000 };
	evtimer_add(c->hold, &tv);
}

static void
on_answer(const struct https_answer *a, void *arg)
{
	struct write *w = arg;
	struct calls *c = w->calls;
	struct why why;

	w->call = NULL;
	TAILQ_REMOVE(&c->flying, w, entry);
	c->nflying--;
	if (!is_read(w))
		w->pod->flying = 0;
	judge(w, a, &why);
	if (why.kind == ERR_NONE)
		c->failures = 0;
	if (why.kind == ERR_NONE && is_read(w) && !w->unlinked) {
		c->ops->object(w->id, a->body, c->arg);
		write_free(w);
	} else if (may_retry(w, &why)) {
		retry(w, &why, a->retry_after_ms);
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

/* The oldest whose pod has nothing on its way; few are passed over. */
static struct write *
next_write(struct calls *c)
{
	struct write *w;

	TAILQ_FOREACH(w, &c->queue, entry)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		if (is_read(w) || !w->pod->flying)
			return w;
	return NULL;
}

static void
fly(struct calls *c)
{
	struct write *w;

	while (c->nflying < FLYING_MAX && !evtimer_pending(c->hold, NULL) &&
	    (w = next_write(c)) != NULL)
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

static char *
pod_path(const struct pod *pod, const char *below)
{
	AUTO_FREE char *ns = https_escape(pod->ns);
	AUTO_FREE char *name = https_escape(pod->name);

	return xasprintf("/api/v1/namespaces/%s/pods/%s%s", ns, name, below);
}

/* One object, and not one that says where the pod can be reached. */
static int
check_status(struct span status, struct why *why)
{
	struct span key, value;
	size_t at = 0;

	if (!scan_is_valid(status) || status.p[0] != '{')
		return fail(why, ERR_FORMAT,
		    "status: not exactly one JSON object");
	while (scan_member(status, &at, &key, &value) == 1)
		if (scan_string_is(key, "podIP") ||
		    scan_string_is(key, "podIPs"))
			return fail(why, ERR_DENIED,
			    "status: podIP is not ours to say");
	return 0;
}

static char *
status_body(const struct pod *pod, struct span status)
{
	AUTO_FREE char *head = NULL;
	struct json_object *o = jmake_object();

	jmake_str(jmake_in(o, "metadata"), "uid", pod->uid);
	head = jmake_text(&o);
	return xasprintf("%.*s,\"status\":%.*s}", (int)strlen(head) - 1, head,
	    (int)status.len, status.p);
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
	if (pod == NULL || check_status(m->status, &why) == -1) {
		c->ops->done(id, &why, c->arg);
		return;
	}
	if ((w = pod->waiting) == NULL) {
		w = write_new(c, pod, WRITE_STATUS, id, m->until_boot);
		w->path = pod_path(pod, "/status");
		w->body = status_body(pod, m->status);
		pod->waiting = w;
		TAILQ_INSERT_TAIL(&c->queue, w, entry);
		fly(c);
		return;
	}
	/* The newest wins, in the older one's place. */
	old = w->id;
	free(w->body);
	w->body = status_body(pod, m->status);
	w->id = id;
	w->until_ms = (int64_t)m->until_boot;
	w->tries = 0;
	fail(&why, ERR_NONE, "a newer status took its place");
	c->ops->done(old, &why, c->arg);
	fly(c);
}

void
calls_delete(struct calls *c, uint64_t id, unsigned int node,
    const struct body_pod_delete *m)
{
	struct json_object *o;
	struct why why = { 0 };
	struct write *w;
	struct pod *pod;

	pod = pods_find(c->pods, node, m->ns, m->name, m->uid, &why);
	if (pod == NULL) {
		c->ops->done(id, &why, c->arg);
		return;
	}
	w = write_new(c, pod, WRITE_DELETE, id, m->until_boot);
	w->path = pod_path(pod, "");
	o = jmake_object();
	jmake_str(o, "apiVersion", "v1");
	jmake_str(o, "kind", "DeleteOptions");
	if (m->grace_s != NO_GRACE)
		jmake_int(o, "gracePeriodSeconds", m->grace_s);
	jmake_str(jmake_in(o, "preconditions"), "uid", pod->uid);
	w->body = jmake_text(&o);
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	fly(c);
}

/* A ConfigMap or Secret that the pod names, or the pod itself. */
static int
may_read(const struct pod *pod, const struct body_get_object *m)
{
	if (pod == NULL || strcmp(pod->ns, m->ns) != 0)
		return 0;
	if (m->kind == OBJECT_POD)
		return strcmp(pod->name, m->name) == 0;
	return (m->kind == OBJECT_CONFIGMAP || m->kind == OBJECT_SECRET) &&
	    pod_names(pod, (enum object_kind)m->kind, m->name);
}

void
calls_object(struct calls *c, uint64_t id, const struct body_get_object *m)
{
	AUTO_FREE char *ns = https_escape(m->ns);
	AUTO_FREE char *name = https_escape(m->name);
	struct pod *pod = pods_by_uid(c->pods, m->pod_uid);
	struct why why = { 0 };
	struct write *w;

	if (!may_read(pod, m)) {
		fail(&why, ERR_DENIED, "%s/%s: named by no pod %s on our nodes",
		    m->ns, m->name, m->pod_uid);
		c->ops->done(id, &why, c->arg);
		return;
	}
	w = write_new(c, pod, m->kind == OBJECT_POD ? READ_POD : READ_OBJECT,
	    id, 0);
	w->path = m->kind == OBJECT_POD ?
	    pod_path(pod, "") :
	    xasprintf("/api/v1/namespaces/%s/%s/%s", ns,
		m->kind == OBJECT_SECRET ? "secrets" : "configmaps", name);
	TAILQ_INSERT_TAIL(&c->queue, w, entry);
	fly(c);
}
