/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SUSPECT_H
#define PLACER_SUSPECT_H

/* Who made a device's version fail.  Pure. */

#include "common/mono.h"
#include "placer/world.h"

/* What the device says of an update until now is no news of the next. */
void suspect_forget(struct wdevice *);

/*
 * What the device says of the version that is rendered; anything else is
 * UNDERWAY.  Keeps the clock of one that hangs.
 */
enum spec_version suspect_version(struct world *, struct wdevice *,
    int rendered, struct now);

/* A version failed or hangs: blames, or withholds suspects and searches. */
void suspect_judge(struct world *, struct wdevice *);

/* The version holds: what was withheld comes back, or the search ends. */
void suspect_release(struct world *, struct wdevice *);

#endif
