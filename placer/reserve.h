/* SPDX-License-Identifier: ISC */
#ifndef PLACER_RESERVE_H
#define PLACER_RESERVE_H

/*
 * A pod that has waited five minutes for room keeps the device that is nearest
 * to having it: whatever leaves there, leaves for this pod, so that small ones
 * that come later cannot starve a big one.  A device is kept for one pod, one
 * pod keeps one device, and one device in ten of a node (at least one) may be
 * kept.  Not saved: since when a pod waits stands in its condition.
 */

#include "placer/world.h"

/* It found no room, on any device: keeps one if it is time, or looks then. */
void reserve_look(struct world *, struct wpod *, struct now);

/* It waits no more, or for other things: what it keeps is free again. */
void reserve_end(struct wpod *);

/* The device will not do any more: its pod looks for another. */
void reserve_lose(struct wdevice *);

#endif
