/* SPDX-License-Identifier: ISC */
#ifndef COMMON_DURATION_H
#define COMMON_DURATION_H

/* Durations as Go writes them: "5m", "1h30m", "1.5s", "-250ms", "0".  Pure. */

#include <stdint.h>

/* Nanoseconds, or -1: not a duration, or beyond 64 bits. */
int duration_ns(const char *, int64_t *);

/* As duration_ns(), in milliseconds; -1 also for parts of one. */
int duration_ms(const char *, int64_t *);

/* Milliseconds as text that duration_ms() reads back: "1h30m", "0s". */
enum {
	DURATION_TEXT = 32
};
void duration_text(int64_t ms, char text[DURATION_TEXT]);

#endif
