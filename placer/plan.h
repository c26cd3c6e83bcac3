/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PLAN_H
#define PLACER_PLAN_H

/*
 * One turn: from what both sides say and what is remembered to what is to be
 * done.  Pure but for the world it is given: time is an argument, effects are
 * data, act.c carries them out.
 */

#include "common/mono.h"
#include "placer/world.h"

enum effect_kind {
	EFFECT_SEAT,	/* save pod's seat and flags */
	EFFECT_ENTRY,	/* save pod->entry, then drop it from memory */
	EFFECT_UNSEAT,	/* forget pod's seat in the store */
	EFFECT_FORGET,	/* EFFECT_UNSEAT, then drop the pod itself */
	EFFECT_CLOCK,	/* save device's clock (0: stopped) */
	EFFECT_RECORD,	/* reason: operation, text: what was seen */
	EFFECT_CHANGE,	/* write what is queued on device */
	EFFECT_READ,	/* read device (number: urgent) */
	EFFECT_STATUS,	/* text: the patch, number: its digest */
	EFFECT_DELETE,	/* number: grace in s, or NO_GRACE */
	EFFECT_EVENT,	/* reason, text, number: warning */
	EFFECT_FETCH,	/* number: index in pod->needs, or FETCH_POD */
	EFFECT_FIGURES, /* node's figures */
};

enum {
	FETCH_POD = UINT32_MAX
};

struct effect {
	enum effect_kind kind;
	struct wpod *pod;
	struct wdevice *device;
	struct wnode *node;
	const char *reason; /* a literal */
	char *text;	    /* the effect's */
	uint64_t number;
};

struct effects {
	struct effect *list;
	size_t n, cap;
};

struct effect *effects_add(struct effects *, enum effect_kind);
void effects_clear(struct effects *);

/* All that is due at now. */
void plan_turn(struct world *, struct now, struct effects *);

/* When plan_turn() has something to do again; INT64_MAX: never. */
int64_t plan_next(const struct world *);

#endif
