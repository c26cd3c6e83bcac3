/* SPDX-License-Identifier: ISC */
#ifndef VKFCTL_PEER_H
#define VKFCTL_PEER_H

/*
 * The provider at its control socket (placer/command.h has what is said).
 * Whatever goes wrong ends this program, with its status in vkfctl(8).
 */

/* NULL: somebody takes our connections there; else why not. */
const char *peer_silent(const char *path);

/* The whole answer to one request, its newline included; caller frees. */
char *peer_ask(const char *path, const char *request);

/* A request whose answer goes on: line by line, NULL when it has ended. */
struct peer;
struct peer *peer_open(const char *path, const char *request);
/* Caller frees; without its newline. */
char *peer_line(struct peer *);
/* Is there a whole line already? */
int peer_has_line(const struct peer *);
void peer_close(struct peer *);

#endif
