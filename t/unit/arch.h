/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_ARCH_H
#define T_UNIT_ARCH_H

/*
 * common/sandbox.def with the numbers of one architecture's calls, on whichever
 * machine: arch_here.c and arch_aarch64.c are the same lines after other
 * headers.
 */

#include <stddef.h>

#include "common/filter.h"

struct arch_row {
	unsigned int who; /* bits 1 << enum proc */
	const char *name;
	struct filter_rule rule;
};

extern const struct arch_row arch_here[], arch_aarch64[];
extern const size_t narch_here, narch_aarch64;

#endif
