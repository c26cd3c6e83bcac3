/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PLAN_H
#define PLACER_PLAN_H

/*
 * One turn: from what both sides say and what is remembered to what is to be
 * done.  Pure but for the world it is given: time is an argument, effects are
 * data, act.c carries them out.
 */

#include "common/mono.h"
#include "placer/effects.h"
#include "placer/world.h"

/* All that is due at now. */
void plan_turn(struct world *, struct now, struct effects *);

/* When plan_turn() has something to do again; INT64_MAX: never. */
int64_t plan_next(const struct world *);

#endif
