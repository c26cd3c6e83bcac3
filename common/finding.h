/* SPDX-License-Identifier: ISC */
#ifndef COMMON_FINDING_H
#define COMMON_FINDING_H

/*
 * What --check sees: one line each, with the command that mends it.  Never a
 * secret.
 */

#include <stdint.h>

struct body_finding;

enum finding_level {
	FINDING_OK,
	FINDING_WARN, /* it works, but less than it could */
	FINDING_FAIL,
	FINDING_LEVELS
};

/* Where they go, one call each. */
void finding_set_sink(void (*)(const struct body_finding *, void *), void *arg);

/*
 * subject: what was looked at; the text: what it is like.  mend NULL: there is
 * no command; one over its bound is left out rather than cut.
 */
void finding(enum finding_level, const char *subject, const char *mend,
    const char *, ...) __attribute__((format(printf, 4, 5)));

/* The text as one word of a shell; the caller's to free. */
char *finding_word(const char *);

/*
 * Whether this process can read the file; if not, a FAIL whose command lets
 * its uid.  subject: the setting that names it.  1: it can.
 */
int finding_reads(const char *subject, const char *path);

/* Our clock against that of a server, 0: it tells none. */
void finding_clock(const char *server, int64_t theirs_ms, int64_t ours_ms);

#endif
