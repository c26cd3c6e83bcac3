/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_EVENTS_H
#define FLIGHTSIDE_EVENTS_H

/*
 * Between two full lists: which devices Flightctl's events speak of, read at
 * once.  A hint only (events can be lost), the full list is the truth.
 */

#include "common/settings.h"
#include "common/span.h"

enum {
	EVENTS_NAMES = 20, /* in one request, beside the label selector */
};

struct event_base;
struct events;
struct flight;
struct fleets;

struct events *events_new(struct event_base *, struct flight *,
    const struct fleets *, const struct settings *,
    void (*device)(struct span, int64_t read_boot, void *), void *arg);
void events_free(struct events *);

/* From now on; earlier events do not count. */
void events_start(struct events *);
void events_stop(struct events *);

/* A full list has just begun: no look at events for that long. */
void events_put_off(struct events *);

#endif
