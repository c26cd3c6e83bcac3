/* SPDX-License-Identifier: ISC */
#ifndef PLACER_CONTROL_H
#define PLACER_CONTROL_H

/*
 * The control socket: one request and one answer (command.h) a connection.
 * Peers are root and the user that the provider runs as.  Bounded: so many
 * peers at once, so long each, so many bytes a request; none holds the loop.
 */

struct control;
struct event_base;
struct store;
struct world;

enum {
	CONTROL_PEERS = 8,
	CONTROL_SECONDS = 10,
};

/* Takes fd, which listens.  World and store are borrowed for good. */
struct control *control_new(struct event_base *, int fd, const struct world *,
    struct store *);
void control_free(struct control *);

#endif
