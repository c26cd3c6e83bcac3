/* SPDX-License-Identifier: ISC */
#ifndef PLACER_CONTEST_H
#define PLACER_CONTEST_H

/*
 * Another writer that undoes what we wrote.  With JSON Patch it does so
 * unseen: Flightctl v1.2.0 lets two patches pass at one moment.  What is
 * undone is written again and told; three times in ten minutes, and the device
 * is contested: it takes no new pods, and what it lacks is written after
 * pauses that double.  Removals go on.  Pure.
 */

#include "placer/effects.h"
#include "placer/world.h"

enum {
	CONTEST_WINDOW_MS = 10 * 60 * 1000,
	CONTEST_MIN_MS = 60 * 1000,
	CONTEST_MAX_MS = 60 * 60 * 1000,
};

/*
 * A write of ours was answered.  Not stored: it may have been, so that what it
 * took out is not missed.
 */
void contest_answered(struct wdevice *, int stored);

/* A read that is not stale came in. */
void contest_read(struct world *, struct wdevice *, struct now,
    struct effects *);

/* Nobody undid anything for a while: as any other device again. */
void contest_look(struct world *, struct wdevice *, struct now);

/* Until when nothing is added; in the past: now is as good. */
int64_t contest_until(const struct wdevice *);

#endif
