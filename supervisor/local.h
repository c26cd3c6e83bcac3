/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_LOCAL_H
#define SUPERVISOR_LOCAL_H

/* Unix sockets of a path. */

#include <sys/types.h>

/* The folders above the path, as mkdir -p.  -1: errno. */
int local_parents(const char *path);

/*
 * A listening socket of that mode; the folders above are made.  One that
 * nobody listens at is replaced.  -1: errno.
 */
int local_listen(const char *path, mode_t mode);

/* Without waiting.  -1: errno. */
int local_connect(const char *path);

/* Who has connected next, without waiting.  -1: errno. */
int local_accept(int listener);

/* That errno of an accept comes again at once: the connection is kept. */
int local_is_spent(int error);

/* Who listens, or has connected, at the other end.  -1: errno. */
int local_peer(int fd, uid_t *);

#endif
