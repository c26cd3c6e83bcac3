/* SPDX-License-Identifier: ISC */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

/*
 * One fuzzer serves several parsers: the first line of an input names one, the
 * rest is for it (targets.c).  A target that finds what may not be aborts.
 */

#include <stdlib.h>

#include "common/span.h"

struct target {
	const char *name;
	void (*run)(struct span);
};

/* Those of all files that one fuzzer is linked from, put together by ld. */
extern const struct target *const __start_targets[], *const __stop_targets[];

#define TARGET(name, run)                                          \
	static const struct target target_##name = { #name, run }; \
	static const struct target *const at_##name                \
	    __attribute__((used, section("targets"))) = &target_##name

static inline void
must(int holds)
{
	if (!holds)
		abort();
}

/* Takes the next record off: what ends in a NUL, or all.  0: no more. */
int target_record(struct span *rest, struct span *record);

/* For who writes a seed: said on standard error when FUZZ_LOG is set. */
void target_say(const char *what, const char *text);

/* The target of an input, or NULL; *rest: what is for it. */
const struct target *target_of(struct span input, struct span *rest);

#endif
