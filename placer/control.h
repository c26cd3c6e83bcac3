/* SPDX-License-Identifier: ISC */
#ifndef PLACER_CONTROL_H
#define PLACER_CONTROL_H

/*
 * The control socket: one request and one answer (command.h) a connection.
 * Peers are root and the user that the provider runs as.  Bounded: so many
 * peers at once, so long each, so many bytes a request; none holds the loop.
 */

#include "placer/command.h"

struct control;
struct event_base;

enum {
	CONTROL_PEERS = 8,
	CONTROL_SECONDS = 10,
};

/*
 * Takes fd, which listens.  The command is copied, what it names borrowed for
 * good; time and peer are filled in for each request.
 */
struct control *control_new(struct event_base *, int fd,
    const struct command *);
void control_free(struct control *);

/* So long for each peer that comes from now on, instead of CONTROL_SECONDS. */
void control_patience(struct control *, int64_t ms);

#endif
