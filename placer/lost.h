/* SPDX-License-Identifier: ISC */
#ifndef PLACER_LOST_H
#define PLACER_LOST_H

/* Devices that go silent and come back: their clocks and Events.  Pure. */

#include "placer/plan.h"

/* The device's turn, before its pods have theirs. */
void lost_look(struct world *, struct wdevice *, struct now, struct effects *);

#endif
