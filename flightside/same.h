/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_SAME_H
#define FLIGHTSIDE_SAME_H

#include "common/span.h"

/*
 * Do two valid JSON values say the same?  Blanks, the order of members and
 * the spelling of strings do not matter (Flightctl rewrites all three); the
 * spelling of numbers does.  Pure.
 */
int same_json(struct span, struct span);

#endif
