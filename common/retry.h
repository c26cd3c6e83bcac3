/* SPDX-License-Identifier: ISC */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

/*
 * How long to wait before the same is tried again.  Pure: the random number
 * is an argument.
 */

#include <stdint.h>

#include "common/why.h"

enum {
	RETRY_AFTER_MAX_MS = 3600000, /* a server may ask for so much */
};

/* first, doubled so many times, but not over longest. */
static inline int64_t
retry_doubled_ms(int64_t first, unsigned int times, int64_t longest)
{
	while (times-- > 0 && first < longest)
		first *= 2;
	return first < longest ? first : longest;
}

/*
 * Milliseconds, at least 1, after the failures-th failure in a row (1: the
 * first) of that kind.  retry_after_ms: what the server asked for, -1:
 * nothing; never less than that.  random: all of 0..UINT32_MAX alike.
 */
int64_t retry_wait_ms(enum why_kind, unsigned int failures,
    int64_t retry_after_ms, uint32_t random);

/* The longest that retry_wait_ms() gives when no server asked for more. */
int64_t retry_longest_ms(enum why_kind);

#endif
