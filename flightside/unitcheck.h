/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_UNITCHECK_H
#define FLIGHTSIDE_UNITCHECK_H

/* Quadlet files against the table of admit.def.  Pure. */

#include <stddef.h>

#include "common/limits.h"
#include "flightside/admit.h"

/* Whose file it is. */
struct unit_app {
	const struct admit_rules *rules;
	const char *name;
	const char *const *files; /* all of the application's, NULL-ended */
};

/*
 * ERR_DENIED: "web.container line 7: Volume= not of an allowed form"; the value
 * is not shown, it may be secret.  Path is one of C.container, pod_.pod,
 * vol_V.volume, else "web.kube: not a name of ours".
 */
int unitcheck_file(const struct unit_app *, const char *path,
    struct span content, struct why *);

#endif
