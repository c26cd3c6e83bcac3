/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SCAN_OWN_H
#define COMMON_SCAN_OWN_H

/* What scan.c and scan_get.c share. */

#include <stdint.h>
#include <string.h>

/* One reading place. */
struct at {
	const char *p;
	const char *end;
};

/* Past a string that begins here; -1: it is malformed. */
int scan_skip_string(struct at *);

/*
 * Past bytes of a string that mean nothing, eight at a time: may stop before
 * any byte, and does so before a quote, a backslash or a control byte.
 */
static inline const char *
scan_plain(const char *p, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t word, quote, backslash;

	while (end - p >= 8) {
		memcpy(&word, p, 8);
		quote = word ^ ones * '"';
		backslash = word ^ ones * '\\';
		/* A byte below n: its high bit is set by the subtraction. */
		if ((((quote - ones) & ~quote) |
			((backslash - ones) & ~backslash) |
			((word - ones * 0x20) & ~word)) &
		    high)
			break;
		p += 8;
	}
	return p;
}

#endif
