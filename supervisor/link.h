/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_LINK_H
#define SUPERVISOR_LINK_H

/*
 * Which workers talk to each other, and when they get a new link: both ends
 * READY, and the last one a while ago.  Pure but for link_make().
 */

#include <stdint.h>

#include "common/why.h"
#include "ipc/msg.h"

enum {
	LINK_PACE_MS = 500 /* least time between two links of one pair */
};

struct links {
	struct {
		uint8_t wanted;
		int64_t last;
	} pair[PROC_COUNT]; /* by the end that is not the placer */
};

void link_init(struct links *);

/* The worker has started anew: all its links are to be made. */
void link_started(struct links *, enum proc);

/* One end says that the link is over.  -1: these two have none. */
int link_over(struct links *, enum proc, enum proc);

/*
 * The next pair to be linked now, taken as done: 1, *a, *b.  0: none before
 * *wake.  ready: by enum proc.
 */
int link_next(struct links *, const uint8_t *ready, int64_t now, int64_t *wake,
    enum proc *a, enum proc *b);

/* The two ends of a new link. */
int link_make(int fd[2], struct why *);

#endif
