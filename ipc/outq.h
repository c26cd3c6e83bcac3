/* SPDX-License-Identifier: ISC */
#ifndef IPC_OUTQ_H
#define IPC_OUTQ_H

/* Frames that wait to be sent over one socket, with their descriptors. */

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "ipc/msg.h"

struct out;

struct outq {
	STAILQ_HEAD(out_list, out) frames;
	size_t queued; /* bytes that wait */
	size_t sent;   /* bytes of the first frame that do not */
};

void outq_init(struct outq *);

/* Encodes and queues; fd (-1: none) is taken.  -1: the body does not encode. */
int outq_put(struct outq *, enum msg_type, uint64_t id, const void *body,
    int fd);

/* One sendmsg() of as much as goes; 0, or -1 with errno.  Not when empty. */
int outq_send(struct outq *, int sock);

int outq_is_empty(const struct outq *);

/* Drops what waits. */
void outq_clear(struct outq *);

#endif
