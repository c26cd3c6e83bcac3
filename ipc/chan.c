/* SPDX-License-Identifier: ISC */
/*
 * chan.c: one link on a libevent loop.
 *
 * Owns the socket, what waits on it both ways, and the descriptors that came
 * and have no frame yet.  Callbacks come from the loop only, never out of
 * chan_open() or chan_send(), and may free the link.  Never looks into a body
 * but HELLO's.
 */
#include "ipc/chan.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/lean.h"
#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "ipc/frame.h"
#include "ipc/outq.h"

enum {
	HIGH_MARK = 4 * 1024 * 1024,
	LOW_MARK = 1024 * 1024,
	FDS_MAX = 8, /* received and not yet claimed by a frame */
};

struct chan {
	int fd; /* -1: the link is over */
	enum proc self;
	enum proc peer;
	const struct chan_ops *ops;
	void *arg;
	struct event *rd;
	struct event *wr;
	struct frame_in in;
	int fds[FDS_MAX];
	size_t nfds;
	enum msg_when rx; /* what the peer may send now */
	enum msg_when tx;
	struct outq out;
	uint64_t last_id;
	int was_full;
	int paused;
	int broken; /* the peer reads no more; it may still have written */
	int busy;   /* callbacks of ours on the stack */
	int freed;
};

static uint64_t refused; /* frames, of all links */

static int
is_data(const struct chan *c)
{
	return c->self != PROC_SUPERVISOR && c->peer != PROC_SUPERVISOR;
}

/* The descriptors go now, so that the peer sees it; the memory may stay. */
static void
shut(struct chan *c)
{
	if (c->fd == -1)
		return;
	event_free(c->rd);
	event_free(c->wr);
	c->rd = c->wr = NULL;
	close(c->fd);
	c->fd = -1;
	while (c->nfds > 0)
		close(c->fds[--c->nfds]);
	outq_clear(&c->out);
}

static void
over(struct chan *c, const char *text)
{
	shut(c);
	c->ops->closed(c, text, c->arg);
}

static void
refuse(struct chan *c, const struct frame_head *h, enum admit why)
{
	const struct msg_info *mi = msg_info(h->type);
	char text[128];
	int n;

	n = snprintf(text, sizeof(text),
	    "refused frame of %s: %s (%s %u, %u bytes)", proc_name(c->peer),
	    admit_name(why), mi == NULL ? "type" : mi->name, h->type, h->len);
	assert(n > 0 && (size_t)n < sizeof(text));
	refused++;
	over(c, text);
}

uint64_t
chan_refused(void)
{
	return refused;
}

static void
leave(struct chan *c)
{
	if (--c->busy > 0 || !c->freed)
		return;
	frame_in_free(&c->in);
	free(c);
}

/* 0: as it should be; else the link is over. */
static int
on_hello(struct chan *c, struct span body)
{
	struct body_hello m;
	char text[200];

	if (body_hello_get(body, &m) == -1 || m.role != (uint32_t)c->peer) {
		(void)snprintf(text, sizeof(text), "%s says it is another",
		    proc_name(c->peer));
		over(c, text);
		return -1;
	}
	if (strcmp(m.build, build_id) != 0) {
		(void)snprintf(text, sizeof(text),
		    "%s " CHAN_FOREIGN " %s, this is %s", proc_name(c->peer),
		    m.build, build_id);
		over(c, text);
		return -1;
	}
	if (is_data(c))
		c->rx = WHEN_RUN;
	return 0;
}

/* Claims the frame's descriptor; -1: the link is over. */
static int
claim_fd(struct chan *c, const struct frame_head *h, int *fd)
{
	*fd = -1;
	if (msg_info(h->type)->fd == NO_FD)
		return 0;
	if (c->nfds == 0) {
		refuse(c, h, ADMIT_FD);
		return -1;
	}
	*fd = c->fds[0];
	memmove(c->fds, c->fds + 1, --c->nfds * sizeof(c->fds[0]));
	return 0;
}

/*
 * One frame to the owner.  0: more bytes first, or the link is over, or its
 * owner wants no more now.
 */
static int
deliver(struct chan *c)
{
	struct frame_head h;
	struct frame f;
	enum admit a;

	if (c->fd == -1 || c->paused || !frame_in_head(&c->in, &h))
		return 0;
	/* By the head alone, so that a length over the bound gets no room. */
	a = msg_admit(h.type, h.len,
	    h.type < MSG_COUNT && h.type != MSG_NONE &&
		msg_info(h.type)->fd == ONE_FD,
	    c->peer, c->self, c->rx);
	if (a != ADMIT_OK) {
		refuse(c, &h, a);
		return 0;
	}
	if (!frame_in_body(&c->in, &f.body))
		return 0;
	if (!msg_decodes((enum msg_type)h.type, f.body)) {
		refuse(c, &h, ADMIT_BODY);
		return 0;
	}
	if (claim_fd(c, &h, &f.fd) == -1)
		return 0;
	f.type = (enum msg_type)h.type;
	f.id = h.id;
	if (f.type == MSG_HELLO) {
		if (on_hello(c, f.body) == -1)
			return 0;
		if (is_data(c)) {
			frame_in_drop(&c->in);
			return 1;
		}
	}
	c->ops->frame(c, &f, c->arg);
	frame_in_drop(&c->in);
	return 1;
}

/* A descriptor belongs to a frame that ends, or has begun, in what came. */
static void
check_fds(struct chan *c)
{
	struct frame_head h = { 0 };

	if (c->fd == -1 || c->paused)
		return;
	if (c->nfds > (c->in.len > 0 ? 1 : 0)) {
		(void)frame_in_head(&c->in, &h);
		refuse(c, &h, ADMIT_FD);
	}
}

static void
take_fds(struct chan *c, struct msghdr *mh)
{
	struct cmsghdr *cm;
	size_t i, n;
	int fd;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(fd), sizeof(fd));
			if (c->nfds < FDS_MAX)
				c->fds[c->nfds++] = fd;
			else
				close(fd);
		}
	}
}

/* One recvmsg(): as it says, and its flags. */
static ssize_t
take_in(struct chan *c, int *flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct msghdr mh = { 0 };
	struct iovec iov;
	ssize_t n;

	iov.iov_base = frame_in_room(&c->in, &iov.iov_len);
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_control = &control;
	mh.msg_controllen = sizeof(control);
	n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	*flags = mh.msg_flags;
	if (n <= 0)
		return n;
	take_fds(c, &mh);
	frame_in_add(&c->in, (size_t)n);
	if (c->peer != PROC_SUPERVISOR)
		lean_work();
	return n;
}

/* 1: something came. */
static int
receive(struct chan *c)
{
	char text[128];
	ssize_t n;
	int flags;

	n = take_in(c, &flags);
	if (n > 0) {
		if ((flags & MSG_CTRUNC) == 0)
			return 1;
		over(c, "descriptors beyond the bound");
		return 0;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 || errno == ECONNRESET)
		(void)snprintf(text, sizeof(text), "closed by peer%s",
		    c->in.len > 0 ? " inside a frame" : "");
	else
		(void)snprintf(text, sizeof(text), "recvmsg: %s",
		    strerror(errno));
	over(c, text);
	return 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;

	(void)fd;
	c->busy++;
	while (deliver(c))
		continue;
	if ((what & EV_READ) != 0 && c->fd != -1 && !c->paused && receive(c)) {
		while (deliver(c))
			continue;
		check_fds(c);
	}
	leave(c);
}

/* One sendmsg(); -1: no more now, or never. */
static int
transmit(struct chan *c)
{
	if (outq_send(&c->out, c->fd) == 0 || errno == EINTR)
		return 0;
	if (errno != EAGAIN) {
		c->broken = 1;
		outq_clear(&c->out);
	}
	return -1;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct chan *c = arg;

	(void)fd, (void)what;
	c->busy++;
	if (!outq_is_empty(&c->out))
		(void)transmit(c);
	if (!outq_is_empty(&c->out))
		xevent_add(c->wr);
	if (c->was_full && c->out.queued < LOW_MARK) {
		c->was_full = 0;
		if (c->ops->drained != NULL)
			c->ops->drained(c, c->arg);
	}
	leave(c);
}

struct chan *
chan_open(struct event_base *base, int fd, enum proc self, enum proc peer,
    const struct chan_ops *ops, void *arg)
{
	struct body_hello hello = { .role = (uint32_t)self };
	struct chan *c;
	size_t len = strlen(build_id);

	assert(len < sizeof(hello.build));
	memcpy(hello.build, build_id, len);
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->self = self;
	c->peer = peer;
	c->ops = ops;
	c->arg = arg;
	c->rx = c->tx = WHEN_SETUP;
	outq_init(&c->out);
	(void)evutil_make_socket_nonblocking(fd);
	c->rd = xevent_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->wr = xevent_new(base, fd, EV_WRITE, on_writable, c);
	xevent_add(c->rd);
	if (self != PROC_SUPERVISOR)
		(void)chan_send(c, MSG_HELLO, 0, &hello, -1);
	if (is_data(c))
		c->tx = WHEN_RUN;
	return c;
}

void
chan_free(struct chan *c)
{
	if (c == NULL || c->freed)
		return;
	shut(c);
	c->freed = 1;
	c->busy++;
	leave(c);
}

int
chan_send(struct chan *c, enum msg_type type, uint64_t id, const void *body,
    int fd)
{
	size_t len = msg_size(type, body);

	if (c->fd == -1 || c->broken || len > MAX_FRAME ||
	    msg_admit(type, (uint32_t)len, fd != -1, c->self, c->peer, c->tx) !=
		ADMIT_OK) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (outq_put(&c->out, type, id, body, fd) == -1)
		return -1;
	if (c->out.queued > HIGH_MARK)
		c->was_full = 1;
	xevent_add(c->wr);
	return 0;
}

int
chan_flush(struct chan *c, int timeout_ms)
{
	int64_t end = now_read().boot_ms + timeout_ms, left;
	struct pollfd pfd = { c->fd, POLLOUT, 0 };

	while (c->fd != -1 && !outq_is_empty(&c->out)) {
		if (transmit(c) == 0)
			continue;
		left = end - now_read().boot_ms;
		if (c->broken || left <= 0)
			return -1;
		(void)poll(&pfd, 1, (int)left);
	}
	return c->fd == -1 || c->broken ? -1 : 0;
}

uint64_t
chan_next_id(struct chan *c)
{
	return ++c->last_id;
}

int
chan_is_full(const struct chan *c)
{
	return c->out.queued > HIGH_MARK;
}

void
chan_pause(struct chan *c)
{
	c->paused = 1;
	if (c->fd != -1)
		event_del(c->rd);
}

void
chan_resume(struct chan *c)
{
	if (!c->paused)
		return;
	c->paused = 0;
	if (c->fd == -1)
		return;
	xevent_add(c->rd);
	/* What was read already waits for no event of the socket. */
	event_active(c->rd, EV_TIMEOUT, 1);
}

/* By the head alone, as deliver() does; links of data carry no descriptors. */
static int
is_welcome(const struct chan *c, const struct frame_head *h)
{
	return c->rx == WHEN_RUN &&
	    msg_admit(h->type, h->len, 0, c->peer, c->self, c->rx) == ADMIT_OK;
}

void
chan_glance(struct chan *c, enum msg_type type,
    void (*fn)(struct span body, void *), void *arg)
{
	struct frame_in ahead;
	struct frame_head h;
	struct span body;
	int flags;

	if (c->fd == -1 || c->paused || !is_data(c) ||
	    (frame_in_head(&c->in, &h) && !is_welcome(c, &h)))
		return;
	/* What is read now waits for no event of the socket. */
	if (take_in(c, &flags) > 0)
		event_active(c->rd, EV_TIMEOUT, 1);
	ahead = c->in;
	while (frame_in_head(&ahead, &h) && is_welcome(c, &h) &&
	    frame_in_body(&ahead, &body)) {
		if (h.type == (uint32_t)type)
			fn(body, arg);
		frame_in_skip(&ahead);
	}
}

void
chan_run(struct chan *c)
{
	c->rx = c->tx = WHEN_RUN;
}

enum proc
chan_peer(const struct chan *c)
{
	return c->peer;
}
