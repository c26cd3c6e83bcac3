/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_HOUSE_H
#define SUPERVISOR_HOUSE_H

/* What workers find when they start: the state folder, the listener. */

#include <sys/types.h>

#include "common/settings.h"
#include "common/why.h"

/* STATE_DIR, made when missing, for nobody but the placer's uid (0: ours). */
int house_state_dir(const struct settings *, uid_t placer, struct why *);

/* The socket of LISTEN; -2: none is wanted; -1: *why names the setting. */
int house_listen(const struct settings *, struct why *);

#endif
