/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_CENSUS_H
#define FLIGHTSIDE_CENSUS_H

/* What the first page of a fleet's list tells of its devices.  Pure. */

#include <stdint.h>

#include "common/limits.h"
#include "common/span.h"

enum {
	CENSUS_AGENTS = 4, /* versions that are named */
	CENSUS_VERSION = 64,
};

struct census {
	uint64_t devices; /* of the fleet */
	unsigned int looked_at;
	unsigned int online;
	unsigned int owned;   /* by a Fleet of Flightctl */
	unsigned int leaving; /* decommissioned */
	unsigned int silent;  /* they do not say how large they are */
	char owned_name[MAX_NAME + 1], owner[MAX_NAME + 1]; /* of the first */
	char silent_name[MAX_NAME + 1];
	char agents[CENSUS_AGENTS][CENSUS_VERSION];
	unsigned int nagents;
};

/* -1: no such list. */
int census_take(struct span list, struct census *);

#endif
