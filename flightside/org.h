/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_ORG_H
#define FLIGHTSIDE_ORG_H

#include "common/span.h"
#include "common/why.h"

enum {
	ORG_SIZE = 65,
};

/*
 * The organisation to use, from the answer to GET /api/v1/organizations:
 * wanted, or the only one.  ERR_DENIED with the names to choose from, or that
 * there is none; ERR_FORMAT: no such list.  Pure.
 */
int org_pick(struct span answer, const char *wanted, char org[ORG_SIZE],
    struct why *);

/* Whether Flightctl's message refuses the organisation, and no right. */
int org_is_refused(unsigned int status, const char *message);

#endif
