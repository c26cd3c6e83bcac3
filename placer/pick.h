/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PICK_H
#define PLACER_PICK_H

/*
 * Which device a pod goes to: the numbered rules of placement(7), and the
 * words for why none will do.  Pure.
 */

#include "placer/amount.h"
#include "placer/world.h"

/* Why a device is passed over, by which rule, in the order in which it is
 * asked. */
#define PICK_REASONS(X)                                              \
	X(WISHES, 1, "not what the pod's selectors ask for")         \
	X(UNREAD, 2, "not yet read")                                 \
	X(UNREADABLE, 2, "unreadable")                               \
	X(NOT_ENROLLED, 2, "not enrolled")                           \
	X(OWNED, 2, "owned by a Fleet")                              \
	X(DECOMMISSIONING, 2, "being decommissioned")                \
	X(CORDONED, 2, "cordoned")                                   \
	X(DRAINED, 2, "drained")                                     \
	X(RETIRED, 2, "of a node that is retired")                   \
	X(GIVEN_UP, 2, "given up")                                   \
	X(ISOLATING, 2, "looking for a failing pod")                 \
	X(CONTESTED, 2, "whose spec another writer undoes")          \
	X(SPEC_INVALID, 2, "whose spec another writer made invalid") \
	X(FROZEN, 2, "frozen by a restore of Flightctl")             \
	X(DISCONNECTED, 3, "disconnected")                           \
	X(RESERVED, 4, "kept for a pod that waits longer")           \
	X(NO_CPU, 4, "no room for CPU")                              \
	X(NO_MEMORY, 4, "no room for memory")                        \
	X(NO_PODS, 4, "no room for pods")                            \
	X(NO_SPEC, 4, "no room in the spec")                         \
	X(NO_PORT, 4, "host port in use")

enum pick_reason {
	PICK_FITS,
#define X(name, rule, words) PICK_##name,
	PICK_REASONS(X)
#undef X
	PICK_COUNT
};

struct pick_answer {
	struct wdevice *device; /* NULL: none */
	/* when none: */
	int never; /* the list is complete, and no device could ever hold it */
	char text[MAX_TEXT];
};

/* The devices of a node in the order of their names, kept by the world. */
struct pick_table *pick_table_new(void);
void pick_table_free(struct pick_table *);
/* Members changed: the next pick_device() sorts anew. */
void pick_table_stale(struct pick_table *);
/* Room, workloads or state of one device changed. */
void pick_table_update(struct pick_table *, const struct wdevice *);

void pick_device(struct wnode *, const struct wpod *, int list_complete,
    struct pick_answer *);

/*
 * After pick_device() found none: the device that could hold the pod and lacks
 * the least room for it, of those that nobody keeps; NULL: none.
 */
struct wdevice *pick_nearest(const struct wnode *, const struct wpod *);

/*
 * For PICK_NO_CPU and PICK_NO_MEMORY what there is and what is asked for, as
 * people write it, and of what; NULL: another reason, nothing is written.
 */
const char *pick_amounts(enum pick_reason, const struct fit_room *room,
    const struct fit_room *want, char has[AMOUNT_SIZE],
    char asked[AMOUNT_SIZE]);

/* "fit" for PICK_FITS. */
const char *pick_words(enum pick_reason);

/* The number of the rule that it is a case of; 0 for PICK_FITS. */
unsigned int pick_rule(enum pick_reason);

/* What the rules say of one device for one pod. */
struct pick_rank {
	struct wdevice *device;
	enum pick_reason reason; /* PICK_FITS: rules 1 to 4 hold */
	struct fit_room room;	 /* 4: free before placing */
	uint32_t same;		 /* 5 */
	int tenths;		 /* 6, when they hold */
	uint32_t npods;		 /* 7 */
	int64_t preferred;	 /* 8, when they hold: weights */
};

/*
 * Of two that hold, by which rule a comes before b: 5 to 9; negative: b before
 * a.
 */
int pick_order(const struct pick_rank *a, const struct pick_rank *b);

/*
 * All devices of the node for a pod that is in the API, what pick_device()
 * would choose first, those that are ruled out last.  Caller frees.
 */
struct pick_rank *pick_ranks(struct wnode *, const struct wpod *, size_t *n);

/* Rules 2 and 3 alone, each and both. */
enum pick_reason pick_placeable(const struct wdevice *);
enum pick_reason pick_connected(const struct wdevice *);
enum pick_reason pick_usable(const struct wdevice *);

#endif
