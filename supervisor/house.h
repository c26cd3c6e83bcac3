/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_HOUSE_H
#define SUPERVISOR_HOUSE_H

/* What workers find when they start: the state folder, the listeners. */

#include <sys/types.h>

#include "common/settings.h"
#include "common/why.h"

/*
 * UIDS becomes numbers, by the list of users.  -1: there is no such user, or
 * one whose group has another number.
 */
int house_users(struct settings *, struct why *);

/* STATE_DIR, made when missing, for nobody but the placer's uid (0: ours). */
int house_state_dir(const struct settings *, uid_t placer, struct why *);

enum {
	HOUSE_NONE = -2 /* none is wanted */
};

/* The socket of LISTEN; -1: *why names the setting. */
int house_listen(const struct settings *, struct why *);

/*
 * CONTROL_GROUP becomes its number, which is all that the placer can use: it
 * opens no list of groups.  -1: there is no such group.
 */
int house_group(struct settings *, struct why *);

/*
 * That of CONTROL_SOCKET, for our own user and CONTROL_GROUP, whose number is
 * known; one that nobody listens at is replaced.  When the default one cannot
 * be made: a warning, HOUSE_NONE.
 */
int house_control(const struct settings *, struct why *);

#endif
