/* SPDX-License-Identifier: ISC */
#ifndef PLACER_OBJECTS_H
#define PLACER_OBJECTS_H

/*
 * The ConfigMaps and Secrets whose files running pods have.  Each is there
 * once, however many pods use it, and is asked for once a period: a provider
 * that could watch all Secrets could read all Secrets.  So the apiserver is
 * asked at most OBJECTS_BURST times in any OBJECTS_TICK_MS, and the period
 * grows when there are more objects than that allows.  Pure.
 */

#include "common/mono.h"
#include "common/span.h"
#include "placer/world.h"

enum {
	OBJECTS_PERIOD_MS = 60 * 1000,
	OBJECTS_TICK_MS = 1000,
	OBJECTS_BURST = 20,
};

struct wobject;

/* One pod's use of one object. */
struct wuse {
	TAILQ_ENTRY(wuse) link;
	struct wobject *object;
	struct wpod *pod;
	uint64_t version; /* that its files are made of, 0: not known */
};
TAILQ_HEAD(wuse_list, wuse);

struct wobject {
	RB_ENTRY(wobject) link;	    /* world.objects, by key */
	TAILQ_ENTRY(wobject) queue; /* world.polls, by asked_boot */
	struct wuse_list uses;
	char *key;	  /* "c/NAMESPACE/NAME", of a Secret "s/..." */
	uint64_t version; /* digest of what came last; 0: nothing did */
	int64_t asked_boot;
	size_t wanted; /* by pods whose files are to be made anew */
	char *bytes;   /* kept while it is wanted */
	size_t len;    /* 0: it is not there */
	uint8_t held;  /* bytes and len are known */
	uint8_t queued;
	uint8_t asked;
	uint8_t immutable; /* never asked for again */
};
RB_PROTOTYPE(wobject_tree, wobject, link, wobject_cmp)
int wobject_cmp(const struct wobject *, const struct wobject *);

struct wobject *objects_find(struct world *, const char *key);
int objects_is_secret(const struct wobject *);
char *objects_name(const struct wobject *); /* borrowed */

/* use->pod uses the object of that name in its namespace, until then. */
void objects_use(struct world *, struct wuse *, int secret, const char *name);
void objects_unuse(struct world *, struct wuse *);

/* Its bytes are held from the next answer on; pairs with objects_unwant(). */
void objects_want(struct world *, struct wobject *);
void objects_unwant(struct wobject *);

/* Asked for at now, or learnt in another way: the next time is a period on. */
void objects_wait(struct world *, struct wobject *, struct now);

/* What came; len 0: it is not there.  The bytes are kept if it is wanted. */
void objects_note(struct wobject *, struct span object);
uint64_t objects_version(struct span object);
int objects_is_immutable(struct span object);

/* The next one to ask for now, taken off the queue; NULL: none. */
struct wobject *objects_next(struct world *, struct now);
/* When there may be one; INT64_MAX: never. */
int64_t objects_due(const struct world *);

#endif
