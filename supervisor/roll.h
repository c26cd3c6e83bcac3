/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_ROLL_H
#define SUPERVISOR_ROLL_H

/*
 * What the placer is told of the workers, and what it knows already.  Pure:
 * time comes as an argument, in boot milliseconds.
 */

#include "ipc/msg.h"
#include "supervisor/tend.h"

enum {
	ROLL_END = sizeof(((struct body_crew *)0)->end)
};

/* All zero: of nobody, and nothing was told. */
struct roll {
	struct body_crew now[PROC_COUNT];
	uint8_t news[PROC_COUNT];
};

/* A worker that is started again has been restarted once more. */
void roll_state(struct roll *, enum proc, enum tend_state, int64_t now);

/* It has ended, or could not be started; how is cut to ROLL_END. */
void roll_end(struct roll *, enum proc, const char *how, int64_t now);

/* A frame of it ended its control link. */
void roll_refused(struct roll *, enum proc);

/* A placer that comes anew knows nothing. */
void roll_forget(struct roll *);

/* What is to be told next, taken as told; NULL: nothing. */
const struct body_crew *roll_next(struct roll *);

#endif
