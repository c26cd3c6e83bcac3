/* SPDX-License-Identifier: ISC */
#ifndef COMMON_XEVENT_H
#define COMMON_XEVENT_H

/*
 * libevent's events, as xmem.h has memory: an event is made, and one that is
 * added will come; else the process is aborted.  A timer that was not added
 * would leave what waits for it waiting for ever.
 */

#include <event2/event.h>
#include <stdint.h>

struct event *xevent_new(struct event_base *, evutil_socket_t, short what,
    event_callback_fn, void *arg);
struct event *xevent_timer(struct event_base *, event_callback_fn, void *arg);
struct event *xevent_signal(struct event_base *, int, event_callback_fn,
    void *arg);

void xevent_add(struct event *);
/* Also when so long has passed; negative: at once. */
void xevent_in(struct event *, int64_t ms);

#endif
