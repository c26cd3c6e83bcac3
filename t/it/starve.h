/* SPDX-License-Identifier: ISC */
#ifndef T_IT_STARVE_H
#define T_IT_STARVE_H

/*
 * What a worker that starves (starve.c) shares with the scenario that makes
 * it: the file PROGRAM.starve beside its program, mapped by both.
 */

#include <stdint.h>

enum {
	STARVE_SITES = 1 << 15,
	STARVE_ENDS = 16,
	STARVE_TEXT = 512,
};

struct starve {
	volatile uint32_t armed;
	volatile uint32_t starts;     /* of the worker */
	volatile uint32_t starts_max; /* with more it is left alone */
	volatile uint32_t
	    period;	       /* each so many'th fails; 0: each place once */
	volatile uint32_t nth; /* until now, with such a period */
	volatile uint32_t own_left; /* failures in our own code, which end it */
	volatile uint32_t seen, failed, own; /* sites */
	volatile uint64_t last_ms;	     /* boot, of the last failure */
	char last[STARVE_TEXT]; /* whose allocation failed last, callers */
	char ended[STARVE_ENDS][STARVE_TEXT]; /* likewise, before each end */
	uint64_t site[STARVE_SITES];	      /* 0: none */
	uint8_t done[STARVE_SITES];
};

#endif
