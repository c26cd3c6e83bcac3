/* SPDX-License-Identifier: ISC */
#ifndef PLACER_POLL_H
#define PLACER_POLL_H

/* When a device in motion is read again.  Pure. */

#include "placer/effects.h"
#include "placer/world.h"

enum {
	POLL_CALM_MS = 30 * 1000 /* in motion so long, unless all are ready */
};

/* Is there a pod of which something is to be heard? */
int poll_moves(const struct wdevice *, struct now);

/*
 * The device's turn: a read that somebody wants, and, while it is in
 * motion, polls at instants that all devices share.
 */
void poll_look(struct world *, struct wdevice *, int in_motion, struct now,
    struct effects *);

#endif
