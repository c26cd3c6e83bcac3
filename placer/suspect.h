/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SUSPECT_H
#define PLACER_SUSPECT_H

/* Who made a device's version fail.  Pure. */

#include "common/mono.h"
#include "placer/world.h"

/* What the device says of an update until now is no news of the next. */
void suspect_forget(struct wdevice *);

/* The device's turn: judges a version that failed or hangs. */
void suspect_look(struct world *, struct wdevice *, struct now);

#endif
