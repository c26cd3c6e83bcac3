/* SPDX-License-Identifier: ISC */
/*
 * writer.c: who writes for a virtual node.
 *
 * Owns the Lease of that name in our namespace: taken when nobody holds it or
 * its holder was not seen to renew it for its whole duration, by our clock
 * and not by the other's.  What we hold ends by itself: the instant counts
 * from before the request that renewed it was sent.  Who has more nodes takes
 * one later, so that replicas share those that become free.
 *
 * The Lease also keeps what people ordered for the node, for whoever holds it
 * next.  It goes with a renewal; one that is refused with it goes without.
 */
#include "kubeside/writer.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"
#include "kubeside/lease.h"

enum {
	LEASE_S = 15,
	LEASE_MS = 15000,
	MARGIN_MS = 5000, /* a write sent before it ends in time */
	RENEW_MS = 5000,
	SPREAD_MS = 500,
	DEADLINE_MS = 4000,
	HURRY_MS = 1000, /* between tries while it is still ours */
	AWAY_MS = 10000, /* and while it is not: nothing is done without it */
	YIELD_MS = 100,	 /* for each node we have, before taking another */
	YIELD_MAX_MS = 2000,
};

#define MERGE "application/merge-patch+json"

struct writer {
	struct event_base *base;
	struct api *api;
	char *ns;
	char *node;
	const char *fleet;
	char *identity;
	const struct writer_ops *ops;
	void *arg;
	struct event *timer;
	struct api_call *call;
	int mine;
	int taking;   /* it will be, if nobody comes first */
	int yielded;  /* others had their time */
	int creating; /* what was sent last */
	int stopping;
	int told_other;
	int64_t sent_ms;
	int64_t until_ms;
	int64_t last_us;
	unsigned int failures;
	struct lease seen;
	int64_t seen_ms; /* when we first saw that version */
	char *orders;	 /* as it has them, or is to have them */
	int unkept;	 /* it has others yet */
	int keeping;	 /* they were in what was sent last */
	int64_t kept_ms; /* when they last were */
};

static void step(struct writer *);

static void
wait_ms(struct writer *w, int64_t ms)
{
	xevent_in(w->timer, ms);
}

static void
tell(struct writer *w, int64_t until_ms)
{
	if (w->until_ms == 0 && until_ms == 0)
		return;
	w->until_ms = until_ms;
	w->ops->held(until_ms, w->arg);
}

static void
send_request(struct writer *w, enum https_method method, const char *body,
    void (*done)(const struct https_answer *, void *))
{
	AUTO_FREE char *path =
	    lease_path(w->ns, method == HTTPS_POST ? NULL : w->node);

	w->creating = method == HTTPS_POST;
	w->sent_ms = now_read().boot_ms;
	w->call = api_send(w->api,
	    &(struct https_req){ .method = method,
		.path = path,
		.content_type = method == HTTPS_PATCH ? MERGE : NULL,
		.body = body == NULL ? (struct span){ NULL, 0 } : span_of(body),
		.deadline_ms = DEADLINE_MS,
		.done = done,
		.arg = w });
}

/* No answer that helps: soon again while the lease lasts. */
static void
on_failure(struct writer *w, const struct why *why, int64_t retry_after_ms)
{
	int64_t ms = retry_wait_ms(why->kind, ++w->failures, retry_after_ms,
	    arc4random());

	if (w->failures == 2) /* one alone is no news */
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "writer",
			.fleet = w->fleet,
			.error = why->text },
		    "the Lease of node %s was not renewed", w->node);
	if (w->mine && ms > HURRY_MS)
		ms = HURRY_MS;
	if (ms > AWAY_MS && retry_after_ms < AWAY_MS)
		ms = AWAY_MS;
	if (now_read().boot_ms >= w->until_ms)
		tell(w, 0);
	wait_ms(w, ms);
}

/* What was sent had the orders in it. */
static void
end_keeping(struct writer *w, unsigned int status, const struct why *why)
{
	w->keeping = 0;
	if (status == 400 || status == 413 || status == 422)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "writer",
			.fleet = w->fleet,
			.error = why->text },
		    "the Lease of node %s does not take its orders", w->node);
	else if (why->kind != ERR_NONE)
		w->unkept = 1;
}

static void
on_held(struct writer *w)
{
	int64_t ms = RENEW_MS - SPREAD_MS + arc4random_uniform(2 * SPREAD_MS);

	if (!w->mine)
		log_line(LOG_LEVEL_INFO,
		    &(struct log_about){ .operation = "writer",
			.fleet = w->fleet },
		    "writer of %s: this is %s", w->node, w->identity);
	w->mine = 1;
	w->told_other = 0;
	w->failures = 0;
	tell(w, w->sent_ms + LEASE_MS - MARGIN_MS);
	wait_ms(w, w->unkept ? HURRY_MS : ms);
}

/* Renewed, taken or created. */
static void
on_written(const struct https_answer *a, void *arg)
{
	struct writer *w = arg;
	struct why why = a->why;
	struct lease l;

	w->call = NULL;
	w->taking = 0;
	/* What cannot be read leaves the version that we may write over. */
	if (why.kind == ERR_NONE && lease_read(a->body, &l, &why) == 0)
		w->seen = l;
	if (w->keeping)
		end_keeping(w, a->status, &why);
	if (w->stopping) {
		w->mine |= why.kind == ERR_NONE;
		writer_release(w);
	} else if (why.kind == ERR_NONE) {
		on_held(w);
	} else if (a->status == 409 || (a->status == 404 && !w->creating)) {
		/* Somebody else wrote it, or it is not there. */
		w->mine = 0;
		tell(w, 0);
		/* Again and again: some proxy repeats what we write. */
		if (w->failures > 0)
			on_failure(w, &why, a->retry_after_ms);
		else {
			w->failures++;
			step(w);
		}
	} else {
		on_failure(w, &why, a->retry_after_ms);
	}
}

/* 1: later, when whoever has less has had its time. */
static int
yields(struct writer *w)
{
	int64_t ms;

	if (w->yielded || w->ops->others == NULL)
		return 0;
	ms = (int64_t)w->ops->others(w->arg) * YIELD_MS;
	if (ms == 0)
		return 0;
	w->yielded = 1;
	wait_ms(w, ms < YIELD_MAX_MS ? ms : YIELD_MAX_MS);
	return 1;
}

static void
write_lease(struct writer *w, enum https_method method, int acquire)
{
	AUTO_FREE char *body = NULL;
	int64_t us = lease_next_us(&w->last_us, now_read().wall_ms);
	struct lease_write l = { .ns = w->ns,
		.name = w->node,
		.version = method == HTTPS_PATCH ? w->seen.version : NULL,
		.holder = w->identity,
		.duration_s = LEASE_S,
		.renew_us = us,
		.acquire_us = acquire ? us : 0,
		.orders = w->unkept ? w->orders : NULL };

	w->yielded = 0;
	w->taking = acquire;
	w->keeping = w->unkept;
	w->unkept = 0;
	if (w->keeping)
		w->kept_ms = now_read().boot_ms;
	body =
	    method == HTTPS_POST ? lease_create_text(&l) : lease_patch_text(&l);
	send_request(w, method, body, on_written);
}

/* What is read holds, and not what was ours before. */
static void
set_orders(struct writer *w, char *text, int unkept)
{
	free(w->orders);
	w->orders = text;
	w->unkept = unkept;
}

/* Somebody's: ours when it has not moved for as long as it was meant to. */
static void
consider(struct writer *w, const struct lease *l)
{
	int64_t now = now_read().boot_ms;
	int64_t duration =
	    l->duration_ms > LEASE_MS ? l->duration_ms : LEASE_MS;

	if (strcmp(l->version, w->seen.version) != 0) {
		w->seen = *l;
		w->seen_ms = now;
	}
	if (l->holder[0] == '\0' || strcmp(l->holder, w->identity) == 0 ||
	    now - w->seen_ms >= duration) {
		w->seen = *l;
		if (strcmp(l->holder, w->identity) == 0 || !yields(w))
			write_lease(w, HTTPS_PATCH, 1);
		return;
	}
	w->yielded = 0;
	if (!w->told_other)
		log_line(LOG_LEVEL_INFO,
		    &(struct log_about){ .operation = "writer",
			.fleet = w->fleet },
		    "writer of %s: %s is, this one waits", w->node, l->holder);
	w->told_other = 1;
	duration -= now - w->seen_ms;
	wait_ms(w, duration < RENEW_MS ? duration : RENEW_MS);
}

static void
on_read(const struct https_answer *a, void *arg)
{
	struct writer *w = arg;
	struct lease l;
	struct why why = a->why;

	w->call = NULL;
	if (w->stopping) {
		writer_release(w);
		return;
	}
	if (a->status == 404) {
		set_orders(w, xstrdup(""), 0);
		if (!yields(w))
			write_lease(w, HTTPS_POST, 1);
		return;
	}
	if (why.kind != ERR_NONE || lease_read(a->body, &l, &why) == -1) {
		on_failure(w, &why, a->retry_after_ms);
		return;
	}
	set_orders(w, lease_orders(a->body), 0);
	consider(w, &l);
}

static void
step(struct writer *w)
{
	if (w->mine)
		write_lease(w, HTTPS_PATCH, 0);
	else
		send_request(w, HTTPS_GET, NULL, on_read);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct writer *w = arg;

	(void)fd;
	(void)what;
	step(w);
}

struct writer *
writer_new(struct event_base *base, struct api *api,
    const struct writer_conf *conf, const struct writer_ops *ops, void *arg)
{
	struct writer *w = xcalloc(1, sizeof(*w));

	w->base = base;
	w->api = api;
	w->ns = xstrdup(conf->ns);
	w->node = xstrdup(conf->node);
	w->identity = xstrdup(conf->identity);
	w->orders = xstrdup("");
	w->fleet = conf->fleet;
	w->ops = ops;
	w->arg = arg;
	w->timer = xevent_timer(base, on_timer, w);
	return w;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	api_cancel(w->call);
	event_free(w->timer);
	free(w->ns);
	free(w->node);
	free(w->identity);
	free(w->orders);
	free(w);
}

void
writer_start(struct writer *w)
{
	step(w);
}

void
writer_again(struct writer *w)
{
	if (w->call != NULL || w->stopping)
		return;
	evtimer_del(w->timer);
	step(w);
}

int
writer_has(const struct writer *w)
{
	return w->mine || w->taking;
}

int64_t
writer_until(const struct writer *w)
{
	return w->until_ms;
}

const char *
writer_orders(const struct writer *w)
{
	return w->orders;
}

void
writer_keep(struct writer *w, struct span text)
{
	int64_t since = now_read().boot_ms - w->kept_ms;

	if (!w->mine || span_is(text, w->orders))
		return;
	set_orders(w, xstrndup(text.p, text.len), 1);
	/* Whoever waits for an answer, or after failures, takes it along. */
	if (w->call == NULL && w->failures == 0)
		wait_ms(w, since < HURRY_MS ? HURRY_MS - since : 0);
}

static void
on_released(const struct https_answer *a, void *arg)
{
	struct writer *w = arg;

	w->call = NULL;
	if (a->why.kind != ERR_NONE)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "writer",
			.fleet = w->fleet,
			.error = a->why.text },
		    "the Lease of node %s was not given back", w->node);
	w->ops->released(w->arg);
}

void
writer_release(struct writer *w)
{
	AUTO_FREE char *body = NULL;
	struct lease_write l = { .version = w->seen.version,
		.holder = "",
		.renew_us = lease_next_us(&w->last_us, now_read().wall_ms),
		.orders = w->unkept ? w->orders : NULL };

	evtimer_del(w->timer);
	w->stopping = 1;
	/* One that flies says what there is to give back. */
	if (w->call != NULL)
		return;
	if (!w->mine) {
		w->ops->released(w->arg);
		return;
	}
	w->mine = 0;
	tell(w, 0);
	body = lease_patch_text(&l);
	send_request(w, HTTPS_PATCH, body, on_released);
}
