/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_BREADTH_H
#define FLIGHTSIDE_BREADTH_H

/*
 * How many different devices of a fleet are written to within an hour
 * (CHANGE_DEVICES).  One that was written to may be again, and counts until it
 * has been left alone for an hour.  Pure but for memory.
 */

#include <stdint.h>

struct breadth;

enum {
	BREADTH_MS = 3600 * 1000,
};

/* most: of each fleet; 0: any number. */
struct breadth *breadth_new(int64_t most);
void breadth_free(struct breadth *);

/* Another bound; whoever counts goes on counting. */
void breadth_change(struct breadth *, int64_t most);

/*
 * fleet: "" for devices of none.  0: the device may be written to, and counts
 * from now on; -1: so many others do.
 */
int breadth_take(struct breadth *, const char *fleet, const char *device,
    int64_t now);

#endif
