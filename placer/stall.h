/* SPDX-License-Identifier: ISC */
#ifndef PLACER_STALL_H
#define PLACER_STALL_H

/*
 * Specs that Flightctl stored and does not render: v1.2.0 forgets to when its
 * client goes away during the write.  The next change of the spec mends it.
 * Pure.
 */

#include "placer/world.h"

enum {
	STALL_MS = 20 * 1000, /* a render takes 17 ms, seconds under load */
	STALL_MAX_MS = 5 * 60 * 1000 /* between two nudges, which double */
};

/* A read came in. */
void stall_note(struct world *, struct wdevice *, struct now);

/* Waiting for a render is in vain. */
int stall_is(const struct wdevice *, struct now);

/*
 * Of a stalled device with nothing to write: an entry that the device was not
 * told of is queued the other way round, which is what it runs; then what the
 * pod is to be puts it back, and that is rendered.  1: one was queued, to be
 * written at once.
 */
int stall_nudge(struct world *, struct wdevice *, struct now);

#endif
