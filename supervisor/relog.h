/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_RELOG_H
#define SUPERVISOR_RELOG_H

/*
 * The log lines of one process: bounded in rate, so that one that goes mad
 * fills no disk and stops nobody.
 */

#include <stdint.h>

#include "ipc/msg.h"

enum {
	RELOG_RATE = 200, /* lines a second, thousandths a millisecond */
	RELOG_BURST = 2000,
	RELOG_FULL = RELOG_BURST * 1000,
};

struct relog {
	int64_t tokens; /* thousandths of a line */
	int64_t last;
	unsigned int lost;
};

void relog_init(struct relog *, int64_t now);

/* 1: this line may be written.  *lost: lines left out before it. */
int relog_admit(struct relog *, int64_t now, unsigned int *lost);

/* Writes the body of a LOG frame, or not.  -1: it is none. */
int relog_frame(struct relog *, enum proc, struct span body, int64_t now);

/* Hears of each line of level warn and above that is written; one at most. */
void relog_listen(void (*)(enum proc, const struct body_log *, void *),
    void *arg);

/* From now on our own lines are bounded as well; the relog stays here. */
void relog_own(struct relog *);

#endif
