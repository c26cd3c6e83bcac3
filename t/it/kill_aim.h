/* SPDX-License-Identifier: ISC */
#ifndef T_IT_KILL_AIM_H
#define T_IT_KILL_AIM_H

/*
 * At which calls the processes of one round are killed.  Targets are arrays of
 * HUNT_TARGETS; each function returns how many there are.
 */

#include <stdint.h>

#include "t/it/hunt.h"

enum kill_phase {
	PHASE_CREATE, /* the start, too */
	PHASE_UPDATE,
	PHASE_REMOVE,
	KILL_PHASES
};

/* A set of points (process, call, phase). */
typedef uint8_t kill_points[HUNT_PREYS][HUNT_PHASES][HUNT_CALLS];

/* The round that has just been played was undisturbed; its points are added. */
void kill_aim_learn(const struct hunt_board *, kill_points);

/* The most calls that one kind of process makes in such a round. */
uint32_t kill_aim_calls(void);

/* Each kind at its n-th call. */
uint32_t kill_aim_nth(uint32_t nth, struct hunt_target *);

/* Points of that round, first those that are not in that set. */
uint32_t kill_aim_some(kill_points, struct hunt_target *);

/* How many points of that round are not in that set. */
uint32_t kill_aim_left(kill_points);

/* "PROCESS:N,..." */
uint32_t kill_aim_read(const char *, struct hunt_target *);

#endif
