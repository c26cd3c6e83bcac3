/* SPDX-License-Identifier: ISC */
#ifndef COMMON_MONO_H
#define COMMON_MONO_H

#include <stdint.h>

/*
 * One reading of both clocks.  Decisions take it as an argument and compare
 * boot_ms only (CLOCK_BOOTTIME: it goes on while the machine sleeps, and every
 * process of one host reads the same).  wall_ms is for timestamps that leave
 * us.
 */
struct now {
	int64_t boot_ms;
	int64_t wall_ms;
};

struct now now_read(void);

/*
 * What tells one start of the machine from another, as its boot_ms are of that
 * start only: 36 characters, or "" where the kernel does not say.  Before the
 * sandbox.
 */
enum {
	BOOT_ID_SIZE = 37
};
void now_boot_id(char id[BOOT_ID_SIZE]);

/* Microseconds of CLOCK_MONOTONIC, for measuring. */
int64_t now_us(void);

/* The same in milliseconds: for how long one waits for others who sleep when
 * this process does. */
int64_t now_awake_ms(void);

#endif
