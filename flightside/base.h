/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_BASE_H
#define FLIGHTSIDE_BASE_H

/*
 * What a write is based on: the parts of one Device as one answer gave it.
 * Pure.
 */

#include <stdint.h>

#include "common/limits.h"
#include "common/span.h"
#include "common/why.h"

/* Spans are raw JSON and point into the Device; len 0: absent or null. */
struct base {
	struct span name, version; /* strings, with their quotes */
	struct span labels;
	struct span spec;
	struct span applications, config; /* within spec */
	uint64_t generation;
	char device[MAX_NAME + 1];
	char created[65];
	char owner[MAX_NAME + 1]; /* "" : nobody */
	char state[32];		  /* status.summary.status, or "" */
	int decommissioning;
	int consoles;
	int awaits_reconnect, conflict_paused; /* annotations */
};

/* ERR_FORMAT: no Device, a member twice, a part of the wrong type. */
int base_read(struct span device, struct base *, struct why *);

/*
 * May entries be written at all?  ERR_GONE: another incarnation than created
 * ("" : any); ERR_DENIED: owned, leaving, frozen, a console is open.
 */
int base_check(const struct base *, const char *created, struct why *);

#endif
