/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_NODEDOC_H
#define KUBESIDE_NODEDOC_H

/*
 * A virtual node's object: what it should be, and what is to be written when
 * it is not.  Pure: time is an argument.
 */

#include <stdint.h>

#include "common/span.h"
#include "ipc/msg.h"

#define NODE_CONDITIONS(X)    \
	X(Ready)              \
	X(MemoryPressure)     \
	X(DiskPressure)       \
	X(PIDPressure)        \
	X(FlightctlReachable) \
	X(PlacerAnswers)

enum node_condition {
#define X(name) NODE_##name,
	NODE_CONDITIONS(X)
#undef X
	NODE_CONDITIONS_COUNT
};

struct nodedoc {
	const char *name;
	const char *fleet; /* "": all devices */
	const char *zone;  /* "": none */
	const char *arch;  /* "": mixed */
	const char *keys;  /* NODE_DEVICE_KEYS: labels that devices may set */
	int placer_answers;
	int has_figures; /* 0: of what they tell, nothing changes */
	struct body_node_figures figures;
	/* Wall time since when each condition is as it is. */
	int64_t since_ms[NODE_CONDITIONS_COUNT];
};

/* The whole object, to be created.  Caller frees. */
char *nodedoc_create(const struct nodedoc *);

/*
 * A strategic merge patch of labels and taints, or NULL: object has them.
 * Without figures of the taints only, and none is taken away.  Carries object's
 * resourceVersion, for taints are replaced as a whole.
 */
char *nodedoc_meta(const struct nodedoc *, struct span object);

/*
 * A strategic merge patch of the status and our annotations.  heartbeat_ms 0:
 * without the time, to compare.
 */
char *nodedoc_status(const struct nodedoc *, int64_t heartbeat_ms);

/*
 * One of the conditions alone: for a node without figures that the cluster
 * took for dead.
 */
char *nodedoc_alive(const struct nodedoc *, int64_t heartbeat_ms);

/* "True", "False" as it should be. */
const char *nodedoc_condition(const struct nodedoc *, enum node_condition);

/*
 * As it is in object: 1 and status, wall time of its last change (-1: not
 * said); 0: not there.
 */
int nodedoc_read(struct span object, enum node_condition, char status[16],
    int64_t *since_ms);

/* The Node is one that such a provider as this made. */
int nodedoc_is_provider(struct span object);

#endif
