/* SPDX-License-Identifier: ISC */
#ifndef PLACER_CONTROL_H
#define PLACER_CONTROL_H

/*
 * The control socket: one request and one answer (command.h) a connection;
 * the answer to one that follows goes on until either side ends it.
 * Peers are root, the user that the provider runs as, and the members of one
 * group; members may give orders too, for whoever must look at night must act.
 * Bounded: so many peers at once, so long each, so many bytes a request; none
 * holds the loop.
 */

#include <sys/types.h>

#include "placer/command.h"

struct control;
struct event_base;

enum {
	CONTROL_PEERS = 8,
	/* To say what it wants, so that few can be silent in others' way. */
	CONTROL_ASK_MS = 2000,
	/* To take the answer, too. */
	CONTROL_SECONDS = 10,
	/* At once, beside those: they stay. */
	CONTROL_FOLLOWERS = 8,
	/* That one has not read, beyond the kernel's: it misses the rest, and
	 * is cut off when it has not read those in time. */
	CONTROL_FOLLOW_BYTES = 256 * 1024,
};

/*
 * Takes fd, which listens.  The command is copied, what it names borrowed for
 * good; time and peer are filled in for each request.
 */
struct control *control_new(struct event_base *, int fd,
    const struct command *);
void control_free(struct control *);

/* Members of this group may ask, too: it is theirs by either of their lists. */
void control_group(struct control *, gid_t);

/* So long for each peer that comes from now on, instead of CONTROL_SECONDS;
 * who follows is told so often, if that is less, that we are there. */
void control_patience(struct control *, int64_t ms);

#endif
