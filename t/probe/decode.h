/* SPDX-License-Identifier: ISC */
#ifndef T_PROBE_DECODE_H
#define T_PROBE_DECODE_H

/*
 * A seccomp program back into the rules it was made of, for people: what is
 * written down of a filter is what the kernel was given.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/filter.h"

enum {
	DECODE_WORDS = 96,
};

/* How many rules, at most max, are in rules; -1: it is no such program. */
int decode_program(const struct sock_filter *prog, size_t n,
    struct filter_rule *rules, size_t max);

/*
 * "if argument 1 is 0x3: runs"; 1: the rule has no condition, and the words are
 * "runs" or the error.  A value that is self, the process's id, is SELF.
 */
int decode_words(const struct filter_rule *, uint64_t self,
    char words[DECODE_WORDS]);

#endif
