/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LEAST_H
#define COMMON_LEAST_H

/* The smaller and the larger of two: milliseconds, instants, counts. */

#include <stdint.h>

static inline int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

#endif
