/* SPDX-License-Identifier: ISC */
#ifndef T_IT_STRAIN_H
#define T_IT_STRAIN_H

/*
 * What a worker under strain (strain.c) shares with the scenario that strains
 * it: the file PROGRAM.strain beside its program, mapped by both.
 */

#include <stdint.h>

struct strain {
	volatile uint32_t
	    sync_ms;		 /* what each sync of a file takes; 0: usual */
	volatile uint32_t syncs; /* done so far */
	volatile int32_t error;	 /* of each write and sync; 0: none */
};

#endif
