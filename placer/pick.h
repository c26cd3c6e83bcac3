/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PICK_H
#define PLACER_PICK_H

/*
 * Which device a pod goes to: the numbered rules of placement(7), and the
 * words for why none will do.  Pure.
 */

#include "placer/world.h"

/* Why a device is passed over, in the order in which it is asked. */
#define PICK_REASONS(X)                                           \
	X(WISHES, "not what the pod's selectors ask for")         \
	X(UNREAD, "not yet read")                                 \
	X(UNREADABLE, "unreadable")                               \
	X(NOT_ENROLLED, "not enrolled")                           \
	X(OWNED, "owned by a Fleet")                              \
	X(DECOMMISSIONING, "being decommissioned")                \
	X(CORDONED, "cordoned")                                   \
	X(ISOLATING, "looking for a failing pod")                 \
	X(CONTESTED, "whose spec another writer undoes")          \
	X(SPEC_INVALID, "whose spec another writer made invalid") \
	X(FROZEN, "frozen by a restore of Flightctl")             \
	X(DISCONNECTED, "disconnected")                           \
	X(RESERVED, "kept for a pod that waits longer")           \
	X(NO_CPU, "no room for CPU")                              \
	X(NO_MEMORY, "no room for memory")                        \
	X(NO_PODS, "no room for pods")                            \
	X(NO_PORT, "host port in use")

enum pick_reason {
	PICK_FITS,
#define X(name, words) PICK_##name,
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
 * The device that could hold the pod and lacks the least room for it, of those
 * that nobody keeps; NULL: none.
 */
struct wdevice *pick_nearest(struct wnode *, const struct wpod *);

/* "fit" for PICK_FITS. */
const char *pick_words(enum pick_reason);

/* Rules 2 and 3 alone. */
enum pick_reason pick_usable(const struct wdevice *);

#endif
