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
	int64_t rate;  /* FLIGHTCTL_RATE, a minute */
	int64_t level; /* thousandths of a write that weigh still */
	int64_t at_boot;
	int busy; /* half a burst went; until all of it has leaked away */
};

void pace_init(struct pace *, int64_t rate);

/* Polls of all devices share instants that are so far apart: 100..1000 ms. */
int64_t pace_tick_ms(const struct pace *);

/* One write leaves. */
void pace_spend(struct pace *, int64_t now_boot);

/* Writes have to gather. */
int pace_is_busy(struct pace *, int64_t now_boot);

/*
 * When a device that wrote at sent_boot may write again while n devices have
 * something to write: at once, or when busy at the next of the instants that
 * all devices share, a round of n writes apart, so that their bases are read
 * together.
 */
int64_t pace_next_boot(struct pace *, unsigned int n, int64_t sent_boot,
    int64_t now_boot);

#endif
