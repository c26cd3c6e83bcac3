/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PREPARE_H
#define PLACER_PREPARE_H

/*
 * What must be there before a pod's entry can be written: the pod itself, the
 * ConfigMaps that it mounts, its translation.  Pure but for fetch effects.
 */

#include "placer/plan.h"

enum prepare {
	PREPARE_READY,	 /* pod->entry is there, or the store has it */
	PREPARE_WAITS,	 /* something was asked for */
	PREPARE_REFUSED, /* *why: DENIED and LIMIT for good, else for now */
};

enum prepare prepare_entry(struct world *, struct wpod *, struct effects *,
    struct why *);

/* The reason that people see beside why's text; a literal. */
const char *prepare_reason(const struct why *);

/* An answer to EFFECT_FETCH number n of this pod; len 0: not there. */
void prepare_object(struct world *, struct wpod *, uint64_t n,
    struct span object);

/* It cannot be read, and why, as it was answered. */
void prepare_unread(struct world *, struct wpod *, uint64_t n,
    const char *text);

/* No answer: nobody knows whether it is there.  Asked again after a pause. */
void prepare_unanswered(struct world *, struct wpod *, struct now);

/* What could not be had may have changed: the pause is over. */
void prepare_soon(struct world *, struct wpod *);

/* How long to wait after a refusal. */
int64_t prepare_pause_ms(struct wpod *, const struct why *);

/* The link to kubeside is over: ask again. */
void prepare_forget(struct wpod *);

#endif
