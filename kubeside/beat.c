/* SPDX-License-Identifier: ISC */
/*
 * beat.c: a node's heartbeat.
 *
 * Owns the lease of its name in kube-node-lease and when it is renewed; who
 * may do so, and whether the node lives, is node.c's.  The lease is left to
 * expire, never deleted.
 */
#include "kubeside/beat.h"

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
	LEASE_S = 40,
	SPREAD = 10,	 /* of the period, one part in so many */
	HURRY_MS = 3000, /* the longest between tries */
	DEADLINE_MS = 8000,
};

#define NAMESPACE "kube-node-lease"

struct beat {
	struct api *api;
	char *node;
	const char *fleet;
	char uid[MAX_UID + 1];
	struct event *timer;
	struct api_call *call;
	int going;
	int known;   /* it was read, or may not be */
	int missing; /* the lease is to be created */
	int64_t period_ms;
	int64_t last_us;
	unsigned int failures;
};

static void
wait_ms(struct beat *b, int64_t ms)
{
	xevent_in(b->timer, ms);
}

static void
renew_later(struct beat *b)
{
	int64_t spread = b->period_ms / SPREAD;

	wait_ms(b,
	    b->period_ms - spread +
		(int64_t)arc4random_uniform((uint32_t)(2 * spread + 1)));
}

/* What was read is where ours goes on; without the right to, from our clock. */
static int
learn(struct beat *b, const struct https_answer *a)
{
	struct lease l;
	struct why why;

	if (a->why.kind != ERR_NONE && a->status != 404 && a->status != 403)
		return 0;
	b->known = 1;
	b->missing = a->status == 404;
	if (a->why.kind == ERR_NONE && lease_read(a->body, &l, &why) == 0 &&
	    (l.renew_ms + 1) * 1000 > b->last_us)
		b->last_us = (l.renew_ms + 1) * 1000;
	wait_ms(b, 0);
	return 1;
}

static void
on_answer(const struct https_answer *a, void *arg)
{
	struct beat *b = arg;
	int64_t ms;

	b->call = NULL;
	if (!b->going || (!b->known && learn(b, a)))
		return;
	if (a->why.kind == ERR_NONE) {
		b->failures = 0;
		b->missing = 0;
		renew_later(b);
		return;
	}
	/* 404: to be created; 409: it was, meanwhile. */
	if (a->status == 404 || a->status == 409)
		b->missing = a->status == 404;
	else if (b->failures == 1 && a->why.kind != ERR_DENIED)
		/* One alone is no news: its connection was just closed. */
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "heartbeat",
			.fleet = b->fleet,
			.error = a->why.text },
		    "the Lease of node %s was not renewed", b->node);
	ms = b->failures++ == 0 && a->status != 0 && a->status < 500 ?
	    1 :
	    retry_wait_ms(a->why.kind, b->failures, a->retry_after_ms,
		arc4random());
	wait_ms(b, ms < HURRY_MS ? ms : HURRY_MS);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct beat *b = arg;
	AUTO_FREE char *path = NULL, *body = NULL;
	struct lease_write l = { .ns = NAMESPACE,
		.name = b->node,
		.holder = b->node,
		.duration_s = LEASE_S,
		.owner = b->node,
		.owner_uid = b->uid };

	(void)fd;
	(void)what;
	if (!b->known) {
		path = lease_path(NAMESPACE, b->node);
		b->call = api_send(b->api,
		    &(struct https_req){ .path = path,
			.deadline_ms = DEADLINE_MS,
			.done = on_answer,
			.arg = b });
		return;
	}
	l.renew_us = lease_next_us(&b->last_us, now_read().wall_ms);
	path = lease_path(NAMESPACE, b->missing ? NULL : b->node);
	body = b->missing ? lease_create_text(&l) : lease_patch_text(&l);
	b->call = api_send(b->api,
	    &(struct https_req){ .method =
				     b->missing ? HTTPS_POST : HTTPS_PATCH,
		.path = path,
		.content_type =
		    b->missing ? NULL : "application/merge-patch+json",
		.body = span_of(body),
		.deadline_ms = DEADLINE_MS,
		.done = on_answer,
		.arg = b });
}

struct beat *
beat_new(struct event_base *base, struct api *api, const char *node,
    const char *fleet, int64_t period_ms)
{
	struct beat *b = xcalloc(1, sizeof(*b));

	b->api = api;
	b->node = xstrdup(node);
	b->fleet = fleet;
	b->period_ms = period_ms;
	b->timer = xevent_timer(base, on_timer, b);
	return b;
}

void
beat_free(struct beat *b)
{
	if (b == NULL)
		return;
	api_cancel(b->call);
	event_free(b->timer);
	free(b->node);
	free(b);
}

void
beat_start(struct beat *b, const char *uid)
{
	size_t len = strlen(uid);

	if (b->going || len >= sizeof(b->uid))
		return;
	memcpy(b->uid, uid, len + 1);
	b->going = 1;
	b->known = 0;
	b->failures = 0;
	if (b->call == NULL)
		wait_ms(b, 0);
}

void
beat_stop(struct beat *b)
{
	b->going = 0;
	evtimer_del(b->timer);
	api_cancel(b->call);
	b->call = NULL;
}
