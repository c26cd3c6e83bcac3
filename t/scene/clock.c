/* SPDX-License-Identifier: ISC */
/*
 * clock.c: stands for the kernel's clocks.
 *
 * Owns clock_gettime() of this process, so that the placer, its timers and
 * libevent all live in virtual time.
 */
#include "t/scene/clock.h"

#include <time.h>

/* 2026-01-01T00:00:00Z at boot. */
static const int64_t wall_at_boot_ms = 1767225600000;
static int64_t boot_ms = CLOCK_START_MS;
static int64_t wall_off_ms;

void
clock_set(int64_t ms)
{
	boot_ms = ms;
}

void
clock_set_wall(int64_t off_ms)
{
	wall_off_ms = off_ms;
}

int64_t
clock_boot_ms(void)
{
	return boot_ms;
}

int64_t
clock_wall_ms(void)
{
	return wall_at_boot_ms + boot_ms + wall_off_ms;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ms = boot_ms;

	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		ms = clock_wall_ms();
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000;
	return 0;
}
