/* SPDX-License-Identifier: ISC */
#ifndef T_IT_WARP_H
#define T_IT_WARP_H

/*
 * Clocks of the provider's processes that are not this machine's (warp.c), and
 * the scenario's hand on them (warped.c): one struct, in the file WARP_FILE
 * beside the programs, which all of them have mapped.
 */

#include <stdint.h>

#define WARP_FILE "clocks"

struct warp {
	volatile int64_t wall_ms; /* CLOCK_REALTIME is so much later */
	volatile int64_t boot_ms; /* and it and CLOCK_BOOTTIME, but no timer:
				     the machine has slept */
	int64_t rate;		  /* all go so many times as fast, ... */
	int64_t since_ns;	  /* ... from this CLOCK_MONOTONIC on */
};

/* The next providers have such clocks. */
struct warp *warp_open(int rate);

#endif
