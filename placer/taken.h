/* SPDX-License-Identifier: ISC */
#ifndef PLACER_TAKEN_H
#define PLACER_TAKEN_H

/*
 * Devices that are taken from us while pods are there: by a Fleet of
 * Flightctl, by another label, to be decommissioned, or frozen by a restore of
 * Flightctl.  Pure.
 */

#include "placer/plan.h"

enum {
	/* A full list, and reads of who is not in it. */
	TAKEN_LEFT_MS = 40 * 1000,
};

/* The device's turn: who has pods there is told once. */
void taken_look(struct world *, struct wdevice *, struct now, struct effects *);

/* MOVE; 1: it retreats, to be decided on once more. */
int taken_move(struct world *, struct wpod *, struct now, struct effects *);

/* A complete list ended: what thaws is one nearer to it. */
void taken_thaw(struct world *, struct wdevice *);

#endif
