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

/* The round that has just been played was undisturbed. */
void kill_aim_learn(const struct hunt_board *);

/* The most calls that one kind of process makes in such a round. */
uint32_t kill_aim_calls(const struct hunt_board *);

/* Each kind at its n-th call. */
uint32_t kill_aim_nth(const struct hunt_board *, uint32_t n,
    struct hunt_target *);

/* Points (process, call, phase) of that round, those not yet killed at first. */
uint32_t kill_aim_some(const struct hunt_board *, struct hunt_target *);

/* "PROCESS:N,..." */
uint32_t kill_aim_read(const char *, struct hunt_target *);

#endif
