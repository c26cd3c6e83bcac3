/* SPDX-License-Identifier: ISC */
/*
 * report.c: TALLY, BUDGET and VITALS.
 *
 * Owns when they are sent.  Counts nothing but what the heap holds.
 */
#include "common/report.h"

#include <event2/event.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/sandbox.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "ipc/chan.h"

enum {
	PERIOD_MS = 5000,
	HEAP_STEP = 65536, /* a smaller change is none */
};

struct report {
	struct event *timer;
	enum proc self;
	struct meter *meter;
	void (*budget)(struct body_budget *, void *);
	void *arg;
	struct chan *link;
	struct body_budget told_budget;
	struct body_vitals told_vitals;
};

static void
tell_budget(struct report *r)
{
	struct body_budget m = { 0 };

	if (r->budget == NULL)
		return;
	r->budget(&m, r->arg);
	if (memcmp(&m, &r->told_budget, sizeof(m)) == 0)
		return;
	r->told_budget = m;
	(void)chan_send(r->link, MSG_BUDGET, 0, &m, -1);
}

static void
tell_vitals(struct report *r)
{
	struct mallinfo2 heap = mallinfo2();
	struct body_vitals m = { .refused = chan_refused(),
		.missing = sandbox_missing() };

	m.heap = (heap.uordblks + heap.hblkhd) / HEAP_STEP * HEAP_STEP;
	if (memcmp(&m, &r->told_vitals, sizeof(m)) == 0)
		return;
	r->told_vitals = m;
	(void)chan_send(r->link, MSG_VITALS, 0, &m, -1);
}

static void
on_period(evutil_socket_t fd, short what, void *arg)
{
	const struct body_tally *t;
	struct report *r = arg;

	(void)fd, (void)what;
	/* Figures of a while ago are of no use to a placer that is slow. */
	if (chan_is_full(r->link))
		return;
	while ((t = meter_next(r->meter)) != NULL)
		(void)chan_send(r->link, MSG_TALLY, 0, t, -1);
	tell_budget(r);
	tell_vitals(r);
}

struct report *
report_new(struct event_base *base, enum proc self, struct meter *meter,
    void (*budget)(struct body_budget *, void *), void *arg)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->self = self;
	r->meter = meter;
	r->budget = budget;
	r->arg = arg;
	r->timer = xevent_new(base, -1, EV_PERSIST, on_period, r);
	return r;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	event_free(r->timer);
	free(r);
}

void
report_link(struct report *r, struct chan *link)
{
	r->link = link;
	if (link == NULL) {
		event_del(r->timer);
		return;
	}
	meter_forget(r->meter, r->self);
	/* No figure is so large: each report is made once. */
	memset(&r->told_budget, 0xff, sizeof(r->told_budget));
	memset(&r->told_vitals, 0xff, sizeof(r->told_vitals));
	xevent_in(r->timer, PERIOD_MS);
	event_active(r->timer, EV_TIMEOUT, 0);
}
