/* SPDX-License-Identifier: ISC */
/*
 * spread.c: durations counted.  Owns their bounds; reads no clock.
 */
#include "placer/spread.h"

static const int bounds[SPREAD_BOUNDS] = { 1, 2, 5, 10, 20, 30, 60, 120, 300,
	600, 1800, 3600 };

void
spread_add(struct spread *s, int64_t ms)
{
	unsigned int i = 0;

	if (ms < 0)
		ms = 0;
	while (i < SPREAD_BOUNDS && ms > bounds[i] * 1000)
		i++;
	s->took[i]++;
	s->ms += ms;
}

int
spread_bound(unsigned int i)
{
	return bounds[i];
}
