/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

/*
 * What a worker takes from itself before it reads anything from outside:
 * limits and dumps at once, system calls and files when start() is over.
 */

#include "common/settings.h"

/* No core, no dump, no new privileges, files for nobody else. */
int sandbox_early(struct why *);

/*
 * The system calls of sandbox.def for this worker and no others, and read
 * access to no file but those that its settings name.  A layer that the
 * kernel lacks is one warning, or with REQUIRE_SANDBOX=yes a failure.
 */
int sandbox_seal(enum proc, const struct settings *, struct why *);

#endif
