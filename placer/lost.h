/* SPDX-License-Identifier: ISC */
#ifndef PLACER_LOST_H
#define PLACER_LOST_H

/* Devices that go silent and come back: their clocks and Events.  Pure. */

#include "placer/plan.h"

/* The device's turn, before its pods have theirs. */
void lost_look(struct world *, struct wdevice *, struct now, struct effects *);

/* EVICT: the pod is deleted as a person would, at EVICT_RATE at most. */
void lost_evict(struct world *, struct wpod *, struct now, struct effects *);

/* The same for another reason, a literal, with words for people. */
void lost_delete(struct world *, struct wpod *, struct now, struct effects *,
    const char *reason, const char *text);

/* One was refused: another may go in its place. */
void lost_not_evicted(struct world *);

/* When evictions go on; 0, or in the past: they may. */
int64_t lost_evicts_again(const struct world *);

/* After those: does the brake hold? */
void lost_weigh(struct world *, struct wnode *, struct effects *);

/* After its turn: the device, and a pod of it that is LOST, are looked at
 * again in time. */
void lost_arm_device(struct world *, struct wdevice *, struct now);
void lost_arm_pod(struct world *, struct wpod *, struct now);

/*
 * The instant since when the brake of the node counts the device: silent, or
 * gone from the node while pods of it are there.  0: neither, or the brake was
 * released for it.
 */
int64_t lost_missing_since(const struct wdevice *, const struct wnode *);

#endif
