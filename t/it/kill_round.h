/* SPDX-License-Identifier: ISC */
#ifndef T_IT_KILL_ROUND_H
#define T_IT_KILL_ROUND_H

#include <stdint.h>

/*
 * 20 pods come, some get another image, some go, all go.  1: each step came to
 * what was asked for within a minute, and the diary has nothing else; else one
 * check failed.  The word says in which enum kill_phase it is.
 */
int kill_round(unsigned int number, volatile uint32_t *word);

/* After one that failed: all pods go at once.  1: nothing is left of them. */
int kill_round_clear(void);

#endif
