/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PACE_H
#define PLACER_PACE_H

/*
 * How fast a budget of requests lets us go: the budget itself is flightside's,
 * this is the placer's idea of it, so that changes gather here and not as
 * single writes in its queue.  Pure.
 */

#include <stdint.h>

enum {
	/*
	 * A change waits so long for another, in all at most this or a tick,
	 * whichever is longer; two ticks while many devices change.
	 */
	PACE_COMPANY_MS = 200,
	/* So does a removal, which nothing else holds up. */
	PACE_REMOVAL_MS = 100,
	PACE_REMOVAL_MAX_MS = 400,
	/* So long flightside may let its read wait for others. */
	PACE_READ_MS = 100,
	PACE_READ_REMOVAL_MS = 50,
};

struct pace {
	int64_t set;   /* FLIGHTCTL_RATE, a minute */
	int64_t rate;  /* of it, what flightside may use: less after a 429 */
	int64_t level; /* thousandths of a write that weigh still */
	int64_t at_boot;
	int busy; /* half a burst went; until all of it has leaked away */
};

void pace_init(struct pace *, int64_t rate);

/* Another FLIGHTCTL_RATE; and what of it may be used now, 0: not said. */
void pace_set(struct pace *, int64_t rate);
void pace_slow(struct pace *, int64_t rate, int64_t now_boot);

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

/* A device with something to write. */
struct pace_queue {
	int urgent;			 /* a removal is among it */
	unsigned int ndirty;		 /* devices that have something */
	int64_t dirty_boot, queued_boot; /* its first, its last */
	int64_t any_boot;		 /* the last of any device */
	int64_t sent_boot;		 /* its last write */
};

/*
 * Until when it waits for more: of its device, or of any while there is a
 * rollout, whose next pod may be for this one.
 */
int64_t pace_company_ends(struct pace *, const struct pace_queue *,
    int64_t now_boot);

/* A device's first poll, and the next one, in motion since moved_boot. */
int64_t pace_poll_first(const struct pace *, int never_read, int64_t now_boot);
int64_t pace_poll_next(struct pace *, int64_t moved_boot, int64_t now_boot);

#endif
