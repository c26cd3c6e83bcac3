/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_PING_H
#define SUPERVISOR_PING_H

/*
 * PING_SOCKET: whoever connects is told in one line whether all workers of
 * this supervisor answer now.  Nothing is read from it.
 */

#include <stddef.h>
#include <stdint.h>

struct crew;
struct event_base;
struct ping;

enum {
	PING_ANSWER_MS = 3000, /* a worker that takes longer does not live */
	PING_ASK_MS = 5000,    /* a supervisor, too */
};

/* fd: the listening socket, the caller's; below 0: none. */
struct ping *ping_new(struct event_base *, int fd, struct crew *);
void ping_free(struct ping *);

/* Something was heard of a worker. */
void ping_look(struct ping *);

/* The other end: 0, or -1 and what is wrong in text. */
int ping_ask(const char *path, char *text, size_t size);

#endif
