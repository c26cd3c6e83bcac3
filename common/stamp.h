/* SPDX-License-Identifier: ISC */
#ifndef COMMON_STAMP_H
#define COMMON_STAMP_H

/*
 * Times as both APIs write them (RFC 3339) and milliseconds since 1970.
 * Pure: no clock, no time zone of this machine.
 */

#include <stdint.h>

enum {
	STAMP_SIZE = sizeof("2006-01-02T15:04:05.000000Z")
};

/*
 * "2026-11-23T07:42:54Z", with any fraction, with "+01:00".  Milliseconds,
 * rounded down; -1 for what is no time between 1970 and 9999.
 */
int64_t stamp_parse(const char *);

/* Whole seconds, UTC: what Kubernetes keeps of a Time. */
void stamp_format(int64_t ms, char[STAMP_SIZE]);

/* Exactly six digits of fraction: what Kubernetes wants of a MicroTime. */
void stamp_format_micro(int64_t us, char[STAMP_SIZE]);

#endif
