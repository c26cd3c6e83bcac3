/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SPEC_H
#define PLACER_SPEC_H

/*
 * What is to be done about one device's spec, from six facts.  Pure: no clock,
 * no messages; change.c finds the facts and carries out the action.  The rows
 * are in spec.def.
 */

#define SPEC_WRITES(X)                                            \
	X(NEVER_READ) /* remembered, not read since our start */  \
	X(FLYING)     /* on its way to Flightctl, not answered */ \
	X(STALE)      /* stored; what we read of it is older */   \
	X(UNRENDERED) /* stored; no device was told of it */      \
	X(STALLED)    /* and none will be: Flightctl forgot it */ \
	X(RENDERED)   /* the device is told of it */

#define SPEC_VERSIONS(X)                                               \
	X(UNDERWAY)                                                    \
	X(HUNG)	    /* neither applied nor refused in time */          \
	X(BROKEN)   /* refused, and nobody was found guilty of that */ \
	X(BLOCKED)  /* being fetched for, and others wait for that */  \
	X(JUDGED)   /* refused, and the guilty are in it */            \
	X(INNOCENT) /* refused, and nobody in it is guilty */          \
	X(SKIPPED)  /* the same was refused, it is not tried */        \
	X(SETTLED)

#define SPEC_SEARCHES(X) \
	X(CALM)          \
	X(SEARCHING) /* suspects are withheld */

#define SPEC_QUEUES(X)                                     \
	X(EMPTY)                                           \
	X(GATHERING) /* waits for company */               \
	X(ADDITION)  /* an entry is to be set, none cut */ \
	X(REMOVAL)   /* an entry is to leave, whatever else */

#define SPEC_DOORS(X)                                                    \
	X(SHUT)	  /* gone, owned, a console, or we are not its writer */ \
	X(PAUSED) /* a write was refused a moment ago */                 \
	X(OPEN)

#define SPEC_MOTIONS(X) \
	X(STILL)        \
	X(MOVING) /* of a pod here something is to be heard */

#define SPEC_STATES(X)                                        \
	X(UNREAD)                                             \
	X(CLEAN)     /* it runs what it should */             \
	X(DIRTY)     /* something waits to be written */      \
	X(SENT)	     /* written, not rendered */              \
	X(RENDERED)  /* the device works on it */             \
	X(APPLIED)   /* and has; its pods are still moving */ \
	X(FAILED)    /* and could not */                      \
	X(ISOLATING) /* who made it fail is looked for */

#define SPEC_ACTIONS(X)                                                    \
	X(AWAIT)   /* what comes next comes from elsewhere */              \
	X(WRITE)   /* all that is queued, in one write */                  \
	X(NUDGE)   /* something that makes Flightctl render */             \
	X(JUDGE)   /* blame, or withhold half of the suspects */           \
	X(PARK)	   /* what it fetches for is withheld until they are in */ \
	X(RELEASE) /* those withheld last come back */                     \
	X(RETRY)   /* the same in other bytes, in its time */

enum spec_read {
	REST,
	MOVERS, /* polled when pods are MOVING */
	POLL,
};

#define SPEC_BIT(name) name##_BIT,
#define SPEC_FLAG(name) name = 1u << name##_BIT,

enum {
	SPEC_WRITES(SPEC_BIT) SPEC_NWRITES
};
enum {
	SPEC_VERSIONS(SPEC_BIT) SPEC_NVERSIONS
};
enum {
	SPEC_SEARCHES(SPEC_BIT) SPEC_NSEARCHES
};
enum {
	SPEC_QUEUES(SPEC_BIT) SPEC_NQUEUES
};
enum {
	SPEC_DOORS(SPEC_BIT) SPEC_NDOORS
};
enum {
	SPEC_MOTIONS(SPEC_BIT) SPEC_NMOTIONS
};

enum spec_write {
	SPEC_WRITES(SPEC_FLAG)
};
enum spec_version {
	SPEC_VERSIONS(SPEC_FLAG)
};
enum spec_search {
	SPEC_SEARCHES(SPEC_FLAG)
};
enum spec_queue {
	SPEC_QUEUES(SPEC_FLAG)
};
enum spec_door {
	SPEC_DOORS(SPEC_FLAG)
};
enum spec_motion {
	SPEC_MOTIONS(SPEC_FLAG)
};

#define SPEC_STATE(name) SPEC_##name,
#define SPEC_ACTION(name) SPEC_DO_##name,

enum spec_state {
	SPEC_STATES(SPEC_STATE) SPEC_NSTATES
};
enum spec_action {
	SPEC_ACTIONS(SPEC_ACTION) SPEC_NACTIONS
};

/* One bit set in each. */
struct spec_facts {
	enum spec_write write;
	enum spec_version version;
	enum spec_search search;
	enum spec_queue queue;
	enum spec_door door;
	enum spec_motion motion;
};

struct spec_verdict {
	unsigned int rule; /* its number; 0 never happens (tested) */
	enum spec_state state;
	enum spec_action action;
	enum spec_read read;
};

struct spec_verdict spec_decide(const struct spec_facts *);
const char *spec_state_name(enum spec_state);

#endif
