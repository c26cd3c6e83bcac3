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
	LINK_PACE_MS = 500,    /* least time between two links of one pair */
	LINK_SLOW_MS = 16000,  /* and the most, when none of them lasts */
	LINK_LASTS_MS = 30000, /* one that lasts: the least again */
};

struct links {
	struct {
		uint8_t wanted;
		uint64_t number; /* of links, until now */
		int64_t made;	 /* the last one */
		int64_t pace;	 /* from that to the next */
	} pair[PROC_COUNT];	 /* by the end that is not the placer */
};

void link_init(struct links *);

/* The worker has started anew: all its links are to be made. */
void link_started(struct links *, enum proc);

/*
 * One end says that their link of that number is over: news of the last one
 * only, as its other end may have said so before.  -1: these two have none.
 */
int link_over(struct links *, enum proc, enum proc, uint64_t number);

/*
 * The next pair to be linked now, and no longer wanted: 1, *a (the key holder),
 * *b.  0: none before *wake.  ready: by enum proc.
 */
int link_next(struct links *, const uint8_t *ready, int64_t now, int64_t *wake,
    enum proc *a, enum proc *b);

/*
 * What came of it: a link; one that the other end asked for, whose pace is its
 * own; both return its number.  Nothing, it is wanted as before.
 */
uint64_t link_made(struct links *, enum proc key_holder, int64_t now);
uint64_t link_came(struct links *, enum proc key_holder, int64_t now);
void link_again(struct links *, enum proc key_holder);

/* The two ends of a new link. */
int link_make(int fd[2], struct why *);

#endif
