/* SPDX-License-Identifier: ISC */
#ifndef T_IT_DIARY_H
#define T_IT_DIARY_H

/*
 * The whole history of flightsim's devices, held against what was asked for:
 * no pod is ever on two of them, and none is started more often than that.
 */

#include <stddef.h>

/* The file that flightsim writes; its name stays the caller's.  Once. */
void diary_open(const char *);

/* The pod with that UID is to be started so often. */
void diary_expect(const char *uid, unsigned int starts);

struct diary_faults {
	unsigned int doubled;  /* on two devices, wanted or running */
	unsigned int restarts; /* more often started than expected */
	unsigned int lost;     /* less often */
	unsigned int strange;  /* nobody asks for it (any more) */
};

/* Reads on; what was expected until now is over and forgotten. */
struct diary_faults diary_judge(void);

#endif
