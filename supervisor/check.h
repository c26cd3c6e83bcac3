/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

/* vk-flightctl-provider --check: what is missing, and what mends it. */

#include "common/secret.h"
#include "common/settings.h"

/*
 * Looks at the host, lets the workers look at what is theirs, and prints what
 * they find on standard output; nothing is written anywhere.  token NULL:
 * none came in the environment.  only: as house_open() has it.  The exit
 * status: EXIT_FAILURE when something is missing.
 */
int check_run(const struct settings *, const struct secret *token,
    enum proc only);

/* Of this host; in findings (finding.h). */
void check_host(const struct settings *, enum proc only);

#endif
