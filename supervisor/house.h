/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_HOUSE_H
#define SUPERVISOR_HOUSE_H

/* What workers and those who ask find: the state folder, the listeners. */

#include "common/settings.h"
#include "common/why.h"

struct meet;

/*
 * UIDS becomes numbers, by the list of users.  -1: there is no such user, or
 * one whose group has another number.
 */
int house_users(struct settings *, struct why *);

enum {
	HOUSE_NONE = -2 /* none is wanted */
};

/* Descriptors below 0: there is none. */
struct house {
	int listener[LISTENER_END]; /* of LISTEN and CONTROL_SOCKET */
	int ping;		    /* of PING_SOCKET */
	struct meet *meet;	    /* for one worker only, else NULL */
};

/*
 * What this worker needs, PROC_SUPERVISOR: all of them.  STATE_DIR is made when
 * missing, for nobody but the placer's uid.  Sockets that nobody listens at are
 * replaced.  The control socket is for our own user and CONTROL_GROUP; when the
 * default one cannot be made that is a warning, with PING_SOCKET a line.
 * -1: *why names the setting; house_close() in any case.
 */
int house_open(struct house *, const struct settings *, enum proc only,
    struct why *);
void house_close(struct house *, const struct settings *);

/* Listens as LISTEN says.  -1: *why, with the errno. */
int house_listen(const struct settings *, struct why *);

/*
 * CONTROL_GROUP becomes its number, which is all that the placer can use: it
 * opens no list of groups.  -1: there is no such group.
 */
int house_group(struct settings *, struct why *);

#endif
