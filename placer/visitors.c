/* SPDX-License-Identifier: ISC */
/*
 * visitors.c: who is connected to the health listener, and for how long.
 *
 * Owns a reference to each connection's stream, and whom to cut off: a probe
 * must come through a crowd that says nothing, or a byte at a time.  Never
 * reads what they say.
 */
#include "placer/visitors.h"

#include <bsd/sys/queue.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"

enum {
	SWEEP_MS = 1000,
};

struct visit {
	TAILQ_ENTRY(visit) link; /* the one that has waited longest first */
	struct bufferevent *stream;
	int64_t since_ms;
	int cut;
};

struct visitors {
	TAILQ_HEAD(, visit) list;
	size_t n, cut;
	struct event_base *base;
	struct event *sweep;
};

/*
 * The library takes its callbacks away when it frees its stream.  One that it
 * has not got yet has none either, and no descriptor.
 */
static int
is_gone(const struct visit *v)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(v->stream, NULL, NULL, &on_event, NULL);
	return on_event == NULL && bufferevent_getfd(v->stream) != -1;
}

static void
drop(struct visitors *all, struct visit *v)
{
	TAILQ_REMOVE(&all->list, v, link);
	all->n--;
	all->cut -= (size_t)v->cut;
	bufferevent_decref(v->stream);
	free(v);
}

/* The library sees the end of its stream, and frees it. */
static void
cut_off(struct visitors *all, struct visit *v)
{
	v->cut = 1;
	all->cut++;
	(void)shutdown(bufferevent_getfd(v->stream), SHUT_RDWR);
}

static void
drop_gone(struct visitors *all)
{
	struct visit *v, *next;

	TAILQ_FOREACH_SAFE(v, &all->list, link, next)
		if (is_gone(v))
			drop(all, v);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct visitors *all = arg;
	int64_t late = now_read().boot_ms - VISIT_SECONDS * 1000;
	struct visit *v;

	(void)fd, (void)what;
	drop_gone(all);
	TAILQ_FOREACH(v, &all->list, link)
		if (!v->cut && v->since_ms <= late)
			cut_off(all, v);
}

struct visitors *
visitors_new(struct event_base *base)
{
	struct visitors *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(&all->list);
	all->base = base;
	all->sweep = xevent_new(base, -1, EV_PERSIST, on_sweep, all);
	xevent_in(all->sweep, SWEEP_MS);
	return all;
}

void
visitors_free(struct visitors *all)
{
	struct visit *v;

	if (all == NULL)
		return;
	while ((v = TAILQ_FIRST(&all->list)) != NULL)
		drop(all, v);
	event_free(all->sweep);
	free(all);
}

static void
make_room(struct visitors *all)
{
	struct visit *v;

	drop_gone(all);
	TAILQ_FOREACH(v, &all->list, link) {
		if (all->n - all->cut < VISITORS_MAX)
			return;
		if (!v->cut)
			cut_off(all, v);
	}
}

struct bufferevent *
visitors_add(struct visitors *all)
{
	struct visit *v = xcalloc(1, sizeof(*v));

	if (all->n - all->cut >= VISITORS_MAX)
		make_room(all);
	v->since_ms = now_read().boot_ms;
	if ((v->stream = bufferevent_socket_new(all->base, -1, 0)) == NULL)
		xmem_none();
	bufferevent_incref(v->stream);
	TAILQ_INSERT_TAIL(&all->list, v, link);
	all->n++;
	return v->stream;
}

void
visitors_answered(struct visitors *all, const struct bufferevent *stream)
{
	struct visit *v;

	TAILQ_FOREACH(v, &all->list, link)
		if (v->stream == stream)
			break;
	if (v == NULL)
		return;
	v->since_ms = now_read().boot_ms;
	TAILQ_REMOVE(&all->list, v, link);
	TAILQ_INSERT_TAIL(&all->list, v, link);
}

size_t
visitors_open(struct visitors *all)
{
	if (all->n >= VISITORS_OPEN)
		drop_gone(all);
	return all->n;
}
