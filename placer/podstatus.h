/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PODSTATUS_H
#define PLACER_PODSTATUS_H

/*
 * What we tell Kubernetes about a pod: from the life state and the device's
 * report to one strategic merge patch of pods/status.  Pure.
 */

#include <stdint.h>

#include "common/mono.h"
#include "placer/device.h"
#include "placer/life.h"
#include "placer/pod.h"

struct podstatus_in {
	const struct pod *pod;
	enum life_state state;
	const char *device;		 /* its seat, or NULL */
	const struct app_report *report; /* or NULL: none for it */
	const struct exits *exits;	 /* of its device, or NULL */
	const char *app;		 /* its application, where exits are */
	const char *owner;		 /* Fleet that has it, or NULL */
	int applied;			 /* its entry is applied */
	int works;	/* its device is at work on it, and for some time */
	int unreported; /* no report for it, for long */
	int connected;	/* the device is not AWAY/OVERDUE */
	const char
	    *reason; /* of waiting: "Unschedulable", "InsufficientResources",
			"ImagePullBackOff", ... or NULL */
	const char *message; /* for people, or NULL */
	int final_failed;    /* a bare pod that can never run: phase Failed */
	int report_final;    /* the report's end state is final (design 8) */
	int64_t running_ms;  /* wall: first seen running here, 0: not yet */
	struct now now;
};

struct podstatus {
	char *json;	      /* {"phase":...,"conditions":[...],...} */
	uint64_t digest;      /* of all but times: equal means nothing new */
	unsigned int rule;    /* the row of report.def that says it */
	enum pod_phase phase; /* what it says */
	enum truth ready;
	uint8_t backs_off;    /* containers wait to run again */
	struct pod_seen says; /* as seen.c will read it from the API */
};

/*
 * lastTransitionTime and startedAt are kept from pod->seen where the value
 * stays.  Never says podIP.  Never steps back from a terminal phase.
 */
void podstatus_make(const struct podstatus_in *, struct podstatus *);
void podstatus_clear(struct podstatus *);

/* Have all init containers ended, by what is reported or was told before? */
int podstatus_has_begun(const struct pod *, const struct app_report *);

/* 1: what the API shows already says the same (times and messages apart). */
int podstatus_is_told(const struct podstatus *, const struct pod *);

#endif
