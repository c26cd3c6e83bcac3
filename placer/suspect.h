/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SUSPECT_H
#define PLACER_SUSPECT_H

/* Who made a device's version fail, or holds up others in it.  Pure. */

#include "common/mono.h"
#include "placer/world.h"

enum {
	/* An image that is being fetched holds up a removal so long, */
	SUSPECT_REMOVAL_MS = 10 * 1000,
	/* and pods whose images are there so long, doubling, to 32 min. */
	SUSPECT_FETCH_MS = 60 * 1000,
	SUSPECT_PARKED_MAX = 5,
	PARKED = 0 /* the batch of such; it comes back last */
};

/* What the device says of an update until now is no news of the next. */
void suspect_forget(struct wdevice *);

/* The device was read for the first time since our start. */
void suspect_first_read(const struct world *, struct wdevice *);

/*
 * What the device says of the version that is rendered; anything else is
 * UNDERWAY.  Keeps the clocks of one that hangs.
 */
enum spec_version suspect_version(struct world *, struct wdevice *,
    int rendered, struct now);

/* A version failed or hangs: blames, or withholds half of the suspects. */
void suspect_judge(struct world *, struct wdevice *, struct now);

/* A version holds up others: withholds what it waits for until they are in. */
void suspect_park(struct world *, struct wdevice *);

/* The version holds: what was withheld last comes back, or the search ends. */
void suspect_release(struct world *, struct wdevice *);

#endif
