/* SPDX-License-Identifier: ISC */
#ifndef T_IT_HUNT_H
#define T_IT_HUNT_H

/*
 * The provider under a hunter that follows each of its processes from call to
 * call by ptrace(2) and ends it by SIGKILL at the entry of calls that were
 * chosen: all that came before has been done, this one has not.  A supervisor
 * that ended is started again at once, as an init system does.
 *
 * Hunter and scenario share one board; each word of it has one writer.
 */

#include <stdint.h>

enum {
	HUNT_CALLS = 512, /* system call numbers, from 0 */
	HUNT_TARGETS = 64,
	HUNT_EACH = 3,
	HUNT_PHASES = 8,
	HUNT_POINTS = 65536, /* calls of a recorded life */
	HUNT_ROWS = 256,     /* of common/sandbox.def */
	HUNT_ANY = 65536,
};

#define HUNT_PREY(X)                                         \
	X(SUPERVISOR, supervisor)                            \
	X(BIRTH, birth) /* a worker between fork and exec */ \
	X(KUBESIDE, kubeside)                                \
	X(FLIGHTSIDE, flightside)                            \
	X(PLACER, placer)

enum hunt_prey {
#define X(id, name) HUNT_##id,
	HUNT_PREY(X)
#undef X
	HUNT_PREYS
};

/*
 * The at-th call, since hunt_aim(), of all processes of that kind that is of
 * this number and in this phase, once so many targets have been hit in this
 * life of the supervisor.
 *
 * A worker that ends again and again is started later and later, for which
 * nobody wants to wait: HUNT_EACH times in one life it is hit, and spared until
 * the next supervisor, which begins anew.
 */
struct hunt_target {
	uint32_t prey, call, phase, at, after;
	uint32_t with; /* those that end in the same moment: bits 1 << prey */
	/* the hunter's */
	uint32_t passed;
	uint32_t hit; /* it was the n-th call of all numbers; 0: not yet */
	uint32_t nr;
};

struct hunt_board {
	/* the scenario's */
	volatile uint32_t phase;
	volatile uint32_t aim; /* one more each time the targets change */
	volatile uint32_t anew;
	volatile uint32_t freed; /* follows starts, once all are dead */
	uint32_t ntargets;
	struct hunt_target target[HUNT_TARGETS];
	/* the hunter's */
	volatile uint32_t aimed;      /* follows aim */
	volatile uint32_t ended;      /* follows starts, when all are dead */
	volatile uint32_t hits;	      /* since hunt_aim() */
	volatile uint32_t orphans_ms; /* the longest that workers outlived it */
	volatile uint32_t starts, kills;
	volatile uint32_t count[HUNT_PREYS];
	uint32_t seen[HUNT_PREYS][HUNT_PHASES][HUNT_CALLS];
	uint32_t killed[HUNT_PREYS][HUNT_PHASES][HUNT_CALLS];
	/* calls of sealed workers, by the row that decided */
	uint32_t rows[HUNT_PREYS][HUNT_ROWS];
	/* which call was the n-th: number << 4 | phase */
	uint16_t point[HUNT_PREYS][HUNT_POINTS];
};

const char *hunt_name(enum hunt_prey);

/* -1: no such. */
int hunt_prey(const char *name);

/* "read", or "42" where nobody gave it a name. */
const char *hunt_call(unsigned int nr);

/* One in the scenario's folder; dies when it cannot be made. */
struct hunt_board *hunt_new(char **path);

/*
 * Other targets from the next call on, from which counting begins again.  anew:
 * all are killed first, and counting begins with those that come.
 */
void hunt_aim(struct hunt_board *, const struct hunt_target *, uint32_t n,
    int anew);

struct hunt_board *hunt_map(const char *path); /* NULL: errno */

/* The hunter, to the end, with the board of that path: SIGTERM goes to the
 * supervisor. */
int hunt(const char *path, char *const argv[]);

/* 0: no process may be traced here. */
int hunt_can(void);

#endif
