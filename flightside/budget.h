/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_BUDGET_H
#define FLIGHTSIDE_BUDGET_H

/*
 * How many requests may be sent to Flightctl, and whose turn it is.  Pure:
 * milliseconds of boot time are an argument.
 */

#include <stdint.h>

/*
 * In order of rank.  WRITE: writes and the reads before them; MOTION: devices
 * that are changing, at most 60 %; FULL: the full list, at least a sixth (40
 * of 240 a minute), before anybody else; REST: what is left.
 */
enum budget_class {
	BUDGET_WRITE,
	BUDGET_MOTION,
	BUDGET_FULL,
	BUDGET_REST,
	BUDGET_CLASSES, /* nobody */
};

/* Whole things at a rate per minute, some at once. */
struct bucket {
	int64_t have;	/* in BUCKET_UNITs */
	int64_t tenths; /* rate: tenths a minute, so units a ms */
	int64_t full;
	int64_t at_ms;
};

void bucket_init(struct bucket *, int64_t tenths, int64_t burst, int64_t now);
/* 1: taken. */
int bucket_take(struct bucket *, int64_t now);
/* Milliseconds until bucket_take() gives one; 0: now. */
int64_t bucket_wait(const struct bucket *, int64_t now);

struct budget {
	struct bucket all, motion, full;
	int64_t rate;	   /* a minute, as configured */
	int64_t slowed;	   /* what is used: less after a refusal */
	int64_t free_at;   /* nothing before: the server refused */
	int64_t better_at; /* when slowed grows next */
};

void budget_init(struct budget *, uint32_t rate, int64_t now);

/* Another configured rate. */
void budget_change(struct budget *, uint32_t rate, int64_t now);

/*
 * Whose request goes now, of those in the mask of 1 << class; it is counted.
 * BUDGET_CLASSES: nobody's.
 */
enum budget_class budget_next(struct budget *, unsigned int waiting,
    int64_t now);

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
