/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PACE_H
#define PLACER_PACE_H

/*
 * How fast a budget of requests lets us go: the budget itself is flightside's,
 * this is the placer's idea of it, so that changes gather here and not as
 * single writes in its queue.  Pure.
 */

#include <stdint.h>

struct pace {
	int64_t rate;	/* FLIGHTCTL_RATE, a minute */
	int64_t tokens; /* thousandths of a write; full: a burst */
	int64_t at_boot;
};

void pace_init(struct pace *, int64_t rate);

/* Polls of all devices share instants that are so far apart: 100..1000 ms. */
int64_t pace_tick_ms(const struct pace *);

/* One write leaves. */
void pace_spend(struct pace *, int64_t now_boot);

/*
 * How long a device waits after a write for the next, when n devices have
 * something to write: 0 while at least half a burst is left, else their
 * round at the rate.
 */
int64_t pace_round_ms(struct pace *, unsigned int n, int64_t now_boot);

#endif
