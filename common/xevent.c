/* SPDX-License-Identifier: ISC */
/*
 * xevent.c: events that cannot fail to be made or to be waited for.
 *
 * Owns nothing: an event is its maker's, who frees it by event_free().
 */
#include "common/xevent.h"

#include "common/xmem.h"

struct event *
xevent_new(struct event_base *base, evutil_socket_t fd, short what,
    event_callback_fn fn, void *arg)
{
	struct event *ev = event_new(base, fd, what, fn, arg);

	if (ev == NULL)
		xmem_none();
	return ev;
}

struct event *
xevent_timer(struct event_base *base, event_callback_fn fn, void *arg)
{
	return xevent_new(base, -1, 0, fn, arg);
}

struct event *
xevent_signal(struct event_base *base, int sig, event_callback_fn fn, void *arg)
{
	return xevent_new(base, sig, EV_SIGNAL | EV_PERSIST, fn, arg);
}

static void
add(struct event *ev, const struct timeval *in)
{
	if (event_add(ev, in) == -1)
		xmem_none();
}

void
xevent_add(struct event *ev)
{
	add(ev, NULL);
}

void
xevent_in(struct event *ev, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	add(ev, &(struct timeval){ ms / 1000, ms % 1000 * 1000 });
}
