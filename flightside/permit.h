/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_PERMIT_H
#define FLIGHTSIDE_PERMIT_H

/* What Flightctl says that a token may do.  Pure. */

#include "common/span.h"

/*
 * By the answer to GET /api/v1/auth/permissions.  What it says of a resource
 * stands in place of what it says of "*".  1: it may, 0: not, -1: no such
 * answer.
 */
int permit_has(struct span answer, const char *verb, const char *resource);

#endif
