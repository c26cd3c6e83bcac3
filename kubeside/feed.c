/* SPDX-License-Identifier: ISC */
/*
 * feed.c: the pods of one node, from the server to the placer.
 *
 * Owns when they are listed anew.  Keeps of a pod what pods.c keeps; stops
 * reading while the link is full, so that memory stays bounded.  What it
 * cannot take of the server's is told once an hour, not once a pod.
 */
#include "kubeside/feed.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/pods.h"
#include "kubeside/serve.h"
#include "kubeside/watch.h"

enum {
	TELL_MS = 3600000,
	AGAIN_MS = 2000, /* a doubted list, then doubled */
	DOUBTS = 5,	 /* over a minute, where a whole one was seen */
	SPREAD = 8,	 /* of the interval, a random part of one in so many */
};

struct feed {
	struct pods *pods;
	struct serve *serve;
	struct feed_conf conf;
	struct watch *watch;
	struct event *relist;
	int spoilt;	     /* this list has a pod that cannot be told */
	int whole;	     /* one had none, or was believed */
	unsigned int doubts; /* of the lists before, in a row */
	/* Pods that are not taken, by kind. */
	struct {
		int64_t told_ms; /* 0: never */
		unsigned int more;
	} left_out[ERR_COUNT];
};

static void
on_begin(void *arg)
{
	struct feed *f = arg;

	f->spoilt = 0;
	pods_list_begin(f->pods, f->conf.index);
	serve_list_begin(f->serve, f->conf.node);
}

static void
leave_out(struct feed *f, const struct why *why)
{
	int64_t now = now_read().boot_ms;
	AUTO_FREE char *more = NULL;

	if (f->left_out[why->kind].told_ms != 0 &&
	    now - f->left_out[why->kind].told_ms < TELL_MS) {
		f->left_out[why->kind].more++;
		return;
	}
	if (f->left_out[why->kind].more > 0)
		more = xasprintf(" (and %u times since the last such line)",
		    f->left_out[why->kind].more);
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "pod",
		.fleet = f->conf.fleet,
		.error = why->text },
	    "node %s: a pod is left out%s", f->conf.node,
	    more == NULL ? "" : more);
	f->left_out[why->kind].told_ms = now;
	f->left_out[why->kind].more = 0;
}

static int
on_item(enum pod_how how, struct span object, void *arg)
{
	struct feed *f = arg;
	struct why why;

	if (how == POD_DELETED)
		pods_forget(f->pods, object);
	else if (pods_see(f->pods, f->conf.index, f->conf.node, object, &why) ==
	    -1) {
		f->spoilt |= why.kind != ERR_LIMIT;
		leave_out(f, &why);
		return 0;
	}
	serve_pod(f->serve, f->conf.node, how, object);
	return serve_is_full(f->serve);
}

/* Level, not edge: what a watch may have lost is found by a list. */
static void
relist_later(struct feed *f)
{
	int64_t ms = f->conf.resync_ms;

	xevent_in(f->relist, ms + arc4random_uniform((uint32_t)(ms / SPREAD)));
}

/*
 * One that was left out may be one that was known, come to harm on the way: by
 * such a list nobody is gone.  Whoever always leaves one out is believed.
 */
static int
is_doubted(struct feed *f)
{
	if (f->spoilt && f->doubts < (f->whole ? DOUBTS : 1))
		return 1;
	if (!f->spoilt)
		f->doubts = 0;
	f->whole = 1;
	return 0;
}

static void
on_end(void *arg)
{
	struct feed *f = arg;
	int64_t ms;

	if (is_doubted(f)) {
		ms = retry_doubled_ms(AGAIN_MS, f->doubts++, f->conf.resync_ms);
		xevent_in(f->relist, ms + arc4random_uniform(AGAIN_MS));
		return;
	}
	pods_list_end(f->pods, f->conf.index);
	serve_list_end(f->serve, f->conf.node);
	relist_later(f);
}

static void
on_relist(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	/* Not while the link is full: what is on its way comes first. */
	if (serve_is_full(f->serve))
		relist_later(f);
	else
		watch_start(f->watch);
}

struct feed *
feed_new(struct event_base *base, struct api *api, struct pods *pods,
    struct serve *serve, const struct feed_conf *conf)
{
	static const struct watch_ops ops = { on_begin, on_item, on_end };
	AUTO_FREE char *selector = xasprintf("spec.nodeName=%s", conf->node);
	struct feed *f = xcalloc(1, sizeof(*f));

	f->pods = pods;
	f->serve = serve;
	f->conf = *conf;
	f->watch = watch_new(base, api,
	    &(struct watch_conf){ "/api/v1/pods", selector, 0 }, &ops, f);
	f->relist = xevent_timer(base, on_relist, f);
	return f;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	watch_free(f->watch);
	event_free(f->relist);
	free(f);
}

void
feed_start(struct feed *f)
{
	evtimer_del(f->relist);
	watch_start(f->watch);
}

void
feed_stop(struct feed *f)
{
	evtimer_del(f->relist);
	watch_stop(f->watch);
}

void
feed_go_on(struct feed *f)
{
	watch_go_on(f->watch);
}

void
feed_again(struct feed *f)
{
	watch_again(f->watch);
}
