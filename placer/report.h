/* SPDX-License-Identifier: ISC */
#ifndef PLACER_REPORT_H
#define PLACER_REPORT_H

/*
 * What a pod is said to be, from its place in life and what its device reports
 * of its application.  Pure: the caller finds the facts.  The rows are in
 * report.def and, with the same numbers, in placement(7).
 */

#include "placer/pod.h"
#include "placer/status_json.h"

#define REPORT_STAGES(X)                                                     \
	X(HOPELESS) /* no device could ever hold it, no controller has it */ \
	X(OUT_OF_TIME) /* active for longer than it may be */                \
	X(FINISHED)    /* every container has ended for good */              \
	X(NOWHERE)     /* on no device */                                    \
	X(ON_ITS_WAY)  /* on one that is not known to run just this */       \
	X(OLD_IMAGES)  /* on one that runs its images of before an update */ \
	X(IN_PLACE)    /* on one that applied it */

/* Flightctl's words (facts/flightctl.md 4.3), and those it lacks. */
#define REPORT_WORDS(X)                                                    \
	X(SAYS_NOTHING)                                                    \
	X(LONG_SILENCE) /* nothing, or Unknown, for three minutes */       \
	X(SAYS_UNKNOWN) /* its agent has seen nothing yet, or forgotten */ \
	X(SAYS_PREPARING)                                                  \
	X(SAYS_STARTING)                                                   \
	X(SAYS_READY) /* Running, and so is each that should */            \
	X(SAYS_RUNNING)                                                    \
	X(SAYS_STOPPING)                                                   \
	X(SAYS_STOPPED)                                                    \
	X(SAYS_ERROR)                                                      \
	X(SAYS_COMPLETED)

#define REPORT_POLICIES(X)     \
	X(RESTARTS_ALWAYS)     \
	X(RESTARTS_ON_FAILURE) \
	X(RESTARTS_NEVER)

#define REPORT_BEFORES(X)                                                      \
	X(NOT_BEGUN) /* its init containers have not all ended */              \
	X(NEVER_RAN)                                                           \
	X(HAS_RUN)     /* was told so, or it is applied and beyond Starting */ \
	X(TOLD_FAILED) /* the API has stored this phase */                     \
	X(TOLD_SUCCEEDED)

#define AS_BIT(name) name##_BIT,
#define AS_FLAG(name) name = 1u << name##_BIT,

enum {
	REPORT_STAGES(AS_BIT) REPORT_NSTAGES
};
enum {
	REPORT_WORDS(AS_BIT) REPORT_NWORDS
};
enum {
	REPORT_POLICIES(AS_BIT) REPORT_NPOLICIES
};
enum {
	REPORT_BEFORES(AS_BIT) REPORT_NBEFORES
};

enum report_stage {
	REPORT_STAGES(AS_FLAG)
};
enum report_word {
	REPORT_WORDS(AS_FLAG)
};
enum report_policy {
	REPORT_POLICIES(AS_FLAG)
};
enum report_before {
	REPORT_BEFORES(AS_FLAG)
};

/* One bit set in each. */
struct report_facts {
	enum report_stage stage;
	enum report_word says;
	enum report_policy policy;
	enum report_before before;
};

enum report_ready {
	READY_NO,
	READY_YES,
	READY_AS_TOLD,	  /* silence takes no readiness back */
	READY_UNREPORTED, /* it is not, and that is why */
};

struct report_verdict {
	unsigned int rule; /* its number; 0 never happens (tested) */
	enum pod_phase phase;
	enum shape shape;
	enum report_ready ready;
};

struct report_verdict report_decide(const struct report_facts *);

#endif
