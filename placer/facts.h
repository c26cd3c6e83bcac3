/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FACTS_H
#define PLACER_FACTS_H

/* The four facts about a pod that life.def decides on.  Pure. */

#include "common/mono.h"
#include "placer/life.h"
#include "placer/world.h"

struct life_facts facts_of(const struct world *, const struct wpod *,
    struct now);

/* Is the read older than our last write of this incarnation? */
int facts_stale(const struct wdevice *);

/* The device runs what its spec says, as of a read that is not stale. */
int facts_settled(const struct wdevice *);

/*
 * An application of ours that the device reports and that neither its spec nor
 * a pod here has: taken out before we forgot its pod, and not yet ended.  NULL:
 * none, or there is nobody to ask.
 */
const char *facts_stray(const struct wdevice *, struct now);

/* HERE, AWAY, FROZEN or GONE: without a pod's own clock. */
enum life_device facts_device(const struct wdevice *, struct now);

/* It is of the pod's fleet no more, or will be of none. */
int facts_left(const struct wpod *);

/* A person says that its device does not run it any more. */
int facts_given_up(const struct wpod *);

/* Did the pod, which is in the API, ever run where it is? */
int facts_has_run(const struct wpod *);

/* When an AWAY device is OVERDUE for this pod; INT64_MAX: never. */
int64_t facts_due(const struct world *, const struct wpod *);

/* Was the device read just now, as it must be before a pod pays for it? */
int facts_fresh(const struct wdevice *, struct now);

enum {
	UNKNOWN_MS = 30 * 1000, /* a new device flaps; facts/flightctl 0.3 */
	FRESH_MS = 30 * 1000
};

/*
 * We have no memory, and nobody was told where the pod ran: it may have been
 * taken out of a spec just before, by a device that has not yet stopped it.
 * Not for longer than a version may take: some never settle.
 */
int facts_may_be_stopping(const struct world *, const struct wpod *,
    struct now);

#endif
