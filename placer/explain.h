/* SPDX-License-Identifier: ISC */
#ifndef PLACER_EXPLAIN_H
#define PLACER_EXPLAIN_H

/*
 * Why a pod is where it is, or waits, and why a device takes pods or does not:
 * read off the same facts, tables and numbers that decide (life.def, pick.c),
 * so that what is said and what is done cannot differ.  Pure.
 *
 * Members of a row:
 *	about	what it speaks of: pod, seat, entry, device, life, waits, fault,
 *		writer, clock, candidate, candidates, rule, spec, ...
 *	name	whose
 *	rule	of placement(7): a row of the grid for pod, life; of the
 *		numbered rules for candidate and rule; null: none
 *	verdict	a word
 *	left-s	of a clock: seconds until it runs out, rounded up; null: none
 *	text	the same for people, with its numbers
 */

#include "common/mono.h"
#include "placer/answer.h"
#include "placer/world.h"

enum {
	EXPLAIN_BEST = 10,   /* devices that would do, one row each */
	EXPLAIN_OTHERS = 20, /* those that will not; more are counted */
};

/* "namespace/name", all of that name; -1: no such pod, no row. */
int explain_pod(struct answer *, const struct world *, const char *who,
    struct now);

/* -1: no such device. */
int explain_device(struct answer *, const struct world *, const char *name,
    struct now);

#endif
