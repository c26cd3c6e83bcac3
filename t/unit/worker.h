/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_WORKER_H
#define T_UNIT_WORKER_H

/*
 * One real worker; its supervisor, and the process at the other end of its
 * link, are the test, which sends frame by frame what it likes.
 */

#include "ipc/frame.h"
#include "ipc/msg.h"

/* Our end of a link; nothing waits longer than some seconds. */
struct wire {
	int fd;
	struct frame_in in;
};

void wire_bytes(struct wire *, const void *, size_t);
/* One frame of that body, fd -1 or taken. */
void wire_send(struct wire *, enum msg_type, uint64_t id, const void *body,
    int fd);
/* The next frame of that type; what comes before it is dropped. */
struct span wire_next(struct wire *, enum msg_type, uint64_t *id);
void wire_close(struct wire *);

/* Called in its process before it is that program; NULL: nothing is. */
extern void (*worker_prepares)(void);

/* Starts it with settings, "NAME=value", NULL-ended; GO is still to come. */
void worker_start(struct wire *control, enum proc,
    const char *const settings[]);

/* GO, and until it is ready. */
void worker_go(struct wire *control);

/* A new link with that process, which says HELLO of that build. */
void worker_link(struct wire *control, struct wire *link, enum proc peer,
    const char *build);

/* Until it says so as a warning or an error, "TEXT" or "TEXT: ERROR". */
void worker_says(struct wire *control, const char *line);

/* Until it ends: its exit status, and what standard error had, so far. */
int worker_ends(struct wire *control, char *text, size_t size);

#endif
