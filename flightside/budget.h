/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_BUDGET_H
#define FLIGHTSIDE_BUDGET_H

/*
 * How many requests may be sent to Flightctl, and whose turn it is.  Pure:
 * milliseconds of boot time are an argument.
 */

#include <stdint.h>

#include "common/bucket.h"

/*
 * Whose request it is, in order of rank.  Each has a least share, which it is
 * given as soon as it asks for it, and some have a most; what is left goes by
 * rank.  Shares are so many of 240, the default rate.
 *     name      least  most
 */
enum {
	BUDGET_WHOLE = 240
};
#define BUDGET_SHARES(X)                                          \
	X(WRITE, 80, 240)  /* writes and the reads before them */ \
	X(MOTION, 80, 144) /* devices that are changing */        \
	X(FULL, 40, 240)   /* the full list */                    \
	X(SUSPECT, 10, 20) /* devices that may be lost */         \
	X(REST, 10, 240)   /* what happened in between */

enum budget_class {
#define X(name, least, most) BUDGET_##name,
	BUDGET_SHARES(X)
#undef X
	BUDGET_CLASSES, /* nobody */
};

/*
 * Beside 1 << class in a mask: the first of BUDGET_WRITE is a read that a
 * write follows at once, so that nobody writes in between.  It goes when there
 * are two, and the second is kept; or the first is that write, which needs no
 * turn while one is kept.
 */
enum {
	BUDGET_PAIR = 1 << BUDGET_CLASSES,
	BUDGET_KEPT = 2 << BUDGET_CLASSES,
};

struct budget {
	struct bucket all;
	struct bucket most[BUDGET_CLASSES];
	int64_t due[BUDGET_CLASSES]; /* when its least share gives it a turn */
	int64_t rate;		     /* a minute, as configured */
	int64_t slowed;		     /* what is used: less after a refusal */
	int64_t free_at;	     /* nothing before: the server refused */
	int64_t better_at;	     /* when slowed grows next */
	int64_t kept;		     /* of all, for writes after their reads */
};

/* At once, after a pause: a sixth of a minute's, 1..40. */
int64_t budget_burst(int64_t rate);

/* Milliseconds between two turns of a class's least share. */
int64_t budget_interval(int64_t rate, enum budget_class);

/*
 * A class that waits all the time is served after so many milliseconds at
 * most, while nobody refuses and the rate stays.
 */
int64_t budget_bound(int64_t rate, enum budget_class);

void budget_init(struct budget *, uint32_t rate, int64_t now);

/* Another configured rate. */
void budget_change(struct budget *, uint32_t rate, int64_t now);

/*
 * Whose request goes now, of those in the mask of 1 << class; it is counted.
 * BUDGET_CLASSES: nobody's.  When budget_keeps() is more than before, one more
 * is kept.
 */
enum budget_class budget_next(struct budget *, unsigned int waiting,
    int64_t now);

/* How many are kept: none after a refusal. */
int64_t budget_keeps(const struct budget *);

/* How many may go at once now, whosever they are. */
int64_t budget_left(const struct budget *, int64_t now);

/* One that was kept will not be used. */
void budget_unkeep(struct budget *);

/* What budget_next() gave was not used. */
void budget_return(struct budget *, enum budget_class);

/* Milliseconds until budget_next() may give another answer; -1: never. */
int64_t budget_wait(struct budget *, unsigned int waiting, int64_t now);

/* The server answered 429: nothing for so long, then at half the rate. */
void budget_refused(struct budget *, int64_t pause_ms, int64_t now);

/*
 * How long a 429 asks to wait: Retry-After is the whole window, the reset
 * time (seconds since 1970, -1: absent) its true end.
 */
int64_t budget_pause(int64_t retry_after_ms, int64_t reset_s, int64_t wall_ms);

#endif
