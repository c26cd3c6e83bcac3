/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SPREAD_H
#define PLACER_SPREAD_H

/*
 * How long things took that take seconds to minutes: counts by upper bound,
 * for the metrics.  Pure.
 */

#include <stdint.h>

enum {
	SPREAD_BOUNDS = 12 /* and the rest */
};

struct spread {
	uint64_t took[SPREAD_BOUNDS + 1];
	int64_t ms; /* in all */
};

/* ms below 0 (a clock that went back) is 0. */
void spread_add(struct spread *, int64_t ms);

/* Upper bound of took[i] in seconds; i < SPREAD_BOUNDS. */
int spread_bound(unsigned int i);

#endif
