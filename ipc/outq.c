/* SPDX-License-Identifier: ISC */
/*
 * outq.c: frames that wait to be sent.
 *
 * Owns their bytes and descriptors until the socket has taken them.  Knows no
 * loop and decides nothing: chan.c says when.
 */
#include "ipc/outq.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"
#include "ipc/frame.h"

enum {
	BATCH_MAX = 64 /* frames in one sendmsg() */
};

struct out {
	STAILQ_ENTRY(out) next;
	size_t len;
	int fd;
	uint8_t bytes[];
};

void
outq_init(struct outq *q)
{
	STAILQ_INIT(&q->frames);
	q->queued = q->sent = 0;
}

static void
out_free(struct out *o)
{
	if (o->fd != -1)
		close(o->fd);
	explicit_bzero(o->bytes, o->len); /* a token, what Secrets hold */
	free(o);
}

void
outq_clear(struct outq *q)
{
	struct out *o;

	while ((o = STAILQ_FIRST(&q->frames)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->frames, next);
		out_free(o);
	}
	q->queued = q->sent = 0;
}

int
outq_is_empty(const struct outq *q)
{
	return STAILQ_EMPTY(&q->frames);
}

int
outq_put(struct outq *q, enum msg_type type, uint64_t id, const void *body,
    int fd)
{
	size_t len = msg_size(type, body);
	struct frame_head h = { (uint32_t)len, (uint32_t)type, id };
	struct wbuf w;
	struct out *o;

	o = xmalloc(sizeof(*o) + FRAME_HEAD + len);
	o->len = FRAME_HEAD + len;
	o->fd = fd;
	frame_head_put(o->bytes, &h);
	w = (struct wbuf){ o->bytes + FRAME_HEAD, 0, len };
	if (msg_put(type, &w, body) == -1 || w.len != len) {
		out_free(o);
		return -1;
	}
	STAILQ_INSERT_TAIL(&q->frames, o, next);
	q->queued += o->len;
	return 0;
}

/* So many more bytes are with the socket. */
static void
took(struct outq *q, size_t n)
{
	struct out *o;

	q->queued -= n;
	n += q->sent;
	while ((o = STAILQ_FIRST(&q->frames)) != NULL && n >= o->len) {
		n -= o->len;
		STAILQ_REMOVE_HEAD(&q->frames, next);
		out_free(o);
	}
	q->sent = n;
	/* The descriptor went with the first byte. */
	if (o != NULL && n > 0 && o->fd != -1) {
		close(o->fd);
		o->fd = -1;
	}
}

int
outq_send(struct outq *q, int sock)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct out *o, *first = STAILQ_FIRST(&q->frames);
	struct iovec iov[BATCH_MAX];
	struct msghdr mh = { .msg_iov = iov };
	size_t skip = q->sent;
	ssize_t n;

	/* A descriptor goes with the first byte of its own frame. */
	for (o = first; o != NULL; o = STAILQ_NEXT(o, next)) {
		if (mh.msg_iovlen == BATCH_MAX || (o != first && o->fd != -1))
			break;
		iov[mh.msg_iovlen].iov_base = o->bytes + skip;
		iov[mh.msg_iovlen++].iov_len = o->len - skip;
		skip = 0;
	}
	if (first->fd != -1) {
		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &first->fd, sizeof(int));
	}
	n = sendmsg(sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1)
		return -1;
	took(q, (size_t)n);
	return 0;
}
