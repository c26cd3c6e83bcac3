/* SPDX-License-Identifier: ISC */
#ifndef PLACER_EFFECTS_H
#define PLACER_EFFECTS_H

/* What a turn wants done, as data: plan.c and its helpers add, act.c does. */

#include <stddef.h>
#include <stdint.h>

struct wpod;
struct wdevice;
struct wnode;

enum effect_kind {
	EFFECT_SEAT,	/* save pod's seat and flags */
	EFFECT_ENTRY,	/* save pod->entry, then drop it from memory */
	EFFECT_UNSEAT,	/* forget pod's seat in the store */
	EFFECT_FORGET,	/* EFFECT_UNSEAT, then drop the pod itself */
	EFFECT_SEARCH,	/* save device's search and its pods' flags */
	EFFECT_FAULT,	/* save pod's failed tries */
	EFFECT_CLOCK,	/* save device's clock */
	EFFECT_ACTIVE,	/* save since when pod is active, deadline.h */
	EFFECT_WORD,	/* save the orders that hold for device, pod or node */
	EFFECT_ORDER,	/* one was given: reason: which, text, number: uid */
	EFFECT_STEP,	/* reason: pod's new state, number: its row */
	EFFECT_RECORD,	/* reason: operation, text: what was seen */
	EFFECT_CHANGE,	/* write what is queued on device */
	EFFECT_READ,	/* read device (number: enum read_for) */
	EFFECT_STATUS,	/* text: the patch, number: its digest */
	EFFECT_DELETE,	/* number: grace in s, or NO_GRACE */
	EFFECT_EVENT,	/* reason, text, number: warning */
	EFFECT_FETCH,	/* number: index in pod->needs, or FETCH_POD */
	EFFECT_POLL,	/* text: key of an object, objects.h */
	EFFECT_FIGURES, /* node's figures */
	EFFECT_BRAKE,	/* number: node's brake is on */
	EFFECT_FORMER,	/* text: what is left of node, number: something is */
	EFFECT_KEPT,	/* text: orders of node's last writer, that now hold */
	EFFECT_PURGE,	/* node's purge begins or ends: its Lease */
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
	char *what;	    /* the effect's: what an order names */
	uint64_t number;
};

struct effects {
	struct effect *list;
	size_t n, cap;
};

struct effect *effects_add(struct effects *, enum effect_kind);
void effects_clear(struct effects *);

/* An effect with nothing but its pod. */
void effects_pod(struct effects *, enum effect_kind, struct wpod *);

/* A line of the records (T019): operation a literal, text copied. */
void effects_record(struct effects *, struct wpod *, const char *operation,
    const char *text);

/* A normal Event: the text, and after it the name of the pod's device. */
void effects_story(struct effects *, struct wpod *, const char *reason,
    const char *text);

/* An Event about the pod: reason a literal, text copied. */
void effects_event(struct effects *, struct wpod *, int warning,
    const char *reason, const char *text);

/* Of each pod that it runs and that is to stay. */
void effects_device_event(struct effects *, struct wdevice *, int warning,
    const char *reason, const char *text);

#endif
