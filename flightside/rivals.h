/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_RIVALS_H
#define FLIGHTSIDE_RIVALS_H

/*
 * The Fleets of Flightctl: what they select is theirs alone to write.  One
 * that names a label fleet of ours is told of in the log, since it takes over
 * the devices that match it.
 */

#include "common/limits.h"
#include "common/settings.h"
#include "common/span.h"
#include "common/why.h"

struct event_base;
struct fleets;
struct flight;
struct rivals;

/* One Fleet as Flightctl sends it. */
struct rival {
	char name[MAX_NAME + 1];
	struct span match;	     /* spec.selector.matchLabels, borrowed */
	char selector[MAX_TEXT + 1]; /* of it: "a=b,c=d", cut when longer */
	int64_t devices;	     /* that it owns; -1: not told */
};

int rival_read(struct span fleet, struct rival *, struct why *);

struct rivals *rivals_new(struct event_base *, struct flight *,
    const struct fleets *, const struct settings *);
void rivals_free(struct rivals *);

/* All are listed now and every RESYNC_INTERVAL. */
void rivals_start(struct rivals *);
void rivals_stop(struct rivals *);

#endif
