/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FAULT_H
#define PLACER_FAULT_H

/*
 * What a device said of a pod that made its version fail, and when the pod is
 * tried again.  Pure.
 */

#include "common/mono.h"
#include "placer/effects.h"
#include "placer/world.h"

/* One more try failed: the device's own words, an Event for each. */
void fault_note(struct wpod *, struct effects *);

/* As it was remembered: what was said, and the time of the next try. */
void fault_resume(struct wpod *, const char *said, int64_t retry_boot,
    struct now);

/* How long until the next try: it doubles. */
int64_t fault_pause_ms(const struct wpod *);

/* It came to run, or other images are asked for. */
void fault_clear(struct wpod *);

/* What failed were other images. */
int fault_is_past(const struct wpod *, const struct pod *);

#endif
