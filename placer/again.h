/* SPDX-License-Identifier: ISC */
#ifndef PLACER_AGAIN_H
#define PLACER_AGAIN_H

/*
 * A version that a device refused though nobody in it is guilty: what was
 * taken out of it runs on.  The agent remembers what it refused by its
 * content, until it starts anew, and never tries that again.  So the same is
 * written in other bytes: a config entry of ours, a file that nobody reads,
 * with the time of the try.  It restarts nothing, and it stays: the spec
 * without it is the one that was refused.  What was refused since our start is
 * known: when it comes to be written once more, that is told apart at once.
 * Pure.
 */

#include "common/mono.h"
#include "placer/spec.h"
#include "placer/world.h"

enum {
	AGAIN_MS = 30 * 1000, /* before the first, doubling */
	AGAIN_MAX_MS = 10 * 60 * 1000
};

/* Is that config entry such a one? */
int again_is(const char *config);

/* The agent refused the version that is rendered. */
void again_refused(struct wdevice *);

/* It refused the same before, and does not look at it. */
int again_is_skipped(const struct wdevice *);

/* What the device makes of its version: keeps the clock. */
void again_note(struct wdevice *, enum spec_version, struct now);

/* 1: it is time; the write is to go. */
int again_try(struct world *, struct wdevice *, struct now);

/*
 * The entry, in the place of the one that is there; the caller's.  NULL: there
 * is no application of ours to name it after.
 */
char *again_entry(const struct wdevice *, struct now);

#endif
