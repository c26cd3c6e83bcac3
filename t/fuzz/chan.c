/* SPDX-License-Identifier: ISC */
/*
 * Any bytes from a peer of a link: what passes the gate is a frame that this
 * peer may send us, and after the link is over nothing comes.  The first byte
 * says who they are, whether the peer's HELLO comes first, and how many
 * descriptors come with the first bytes; a NUL after it: whoever reads rests
 * after each frame.
 */
#include "ipc/chan.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "ipc/build.h"
#include "ipc/frame.h"
#include "t/fuzz/target.h"

struct end {
	enum proc self, peer;
	int closed;
	int rests;
};

static const struct end ends[] = {
	{ PROC_PLACER, PROC_KUBESIDE, 0, 0 },
	{ PROC_PLACER, PROC_FLIGHTSIDE, 0, 0 },
	{ PROC_PLACER, PROC_SUPERVISOR, 0, 0 },
	{ PROC_KUBESIDE, PROC_PLACER, 0, 0 },
	{ PROC_KUBESIDE, PROC_SUPERVISOR, 0, 0 },
	{ PROC_FLIGHTSIDE, PROC_PLACER, 0, 0 },
	{ PROC_FLIGHTSIDE, PROC_SUPERVISOR, 0, 0 },
	{ PROC_SUPERVISOR, PROC_PLACER, 0, 0 },
	{ PROC_SUPERVISOR, PROC_KUBESIDE, 0, 0 },
};
enum {
	NENDS = sizeof(ends) / sizeof(ends[0]),
	RUNS = NENDS,	    /* a control link leaves SETUP */
	GREETS = 2 * NENDS, /* HELLO comes first */
	GIVES = 4 * NENDS,  /* descriptors, to the fourth */
	FDS_MOST = 3,
	PIECE = 1000,
	RESUMES = 8192, /* more than there are frames in an input */
};

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	const struct msg_info *info = msg_info(f->type);
	struct end *e = arg;

	must(!e->closed && info != NULL && chan_peer(c) == e->peer);
	must((info->from >> e->peer & 1) && (info->to >> e->self & 1));
	must(f->body.len >= info->min && f->body.len <= info->max);
	must((info->fd == ONE_FD) == (f->fd != -1));
	if (f->fd != -1)
		close(f->fd);
	if (e->rests)
		chan_pause(c);
	if (e->peer == PROC_SUPERVISOR && f->type == MSG_GO)
		chan_run(c);
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	struct end *e = arg;

	(void)c;
	must(!e->closed && text[0] != '\0');
	e->closed = 1;
}

/* What is on its way is looked at before it is delivered. */
static void
on_glance(struct span body, void *arg)
{
	const struct end *e = arg;

	must(!e->closed && body.len <= msg_info(MSG_WRITER)->max);
}

static void
greet(int fd, enum proc peer)
{
	uint8_t bytes[FRAME_HEAD + sizeof(struct body_hello)];
	struct wbuf w = { bytes + FRAME_HEAD, 0, sizeof(bytes) - FRAME_HEAD };
	struct body_hello m = { .role = (uint32_t)peer };

	(void)snprintf(m.build, sizeof(m.build), "%s", build_id);
	must(msg_put(MSG_HELLO, &w, &m) == 0);
	frame_head_put(bytes,
	    &(struct frame_head){ (uint32_t)w.len, MSG_HELLO, 0 });
	must(write(fd, bytes, FRAME_HEAD + w.len) ==
	    (ssize_t)(FRAME_HEAD + w.len));
}

/* With so many descriptors. */
static void
give(int fd, struct span bytes, unsigned int n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(FDS_MOST * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes.p, bytes.len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	const int any = STDERR_FILENO;
	struct cmsghdr *c;
	unsigned int i;

	if (n > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &any,
			    sizeof(any));
	}
	must(sendmsg(fd, &m, 0) == (ssize_t)bytes.len);
}

static void
fuzz_chan(struct span input)
{
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	struct event_base *base;
	struct end e;
	struct chan *c;
	unsigned int how, fds;
	uint64_t refused;
	int fd[2];

	if (input.len == 0)
		return;
	how = (uint8_t)input.p[0];
	fds = how / GIVES % (FDS_MOST + 1);
	e = ends[how % NENDS];
	input.p++, input.len--;
	e.rests = input.len > 0 && input.p[0] == '\0';
	refused = chan_refused();
	base = event_base_new();
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	c = chan_open(base, fd[0], e.self, e.peer, &ops, &e);
	if (how / RUNS & 1)
		chan_run(c);
	if (how / GREETS & 1)
		greet(fd[1], e.peer);
	must(chan_flush(c, 0) == 0);
	for (; input.len > 0 && !e.closed; fds = 0) {
		size_t n = input.len < PIECE ? input.len : PIECE;

		give(fd[1], (struct span){ input.p, n }, fds);
		input.p += n;
		input.len -= n;
		chan_glance(c, MSG_WRITER, on_glance, &e);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		chan_resume(c);
	}
	close(fd[1]);
	for (fds = 0; fds < RESUMES && !e.closed; fds++) {
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		chan_resume(c);
	}
	must(e.closed && chan_refused() - refused <= 1);
	must(chan_flush(c, 0) == -1);
	chan_free(c);
	event_base_free(base);
}

TARGET(chan, fuzz_chan);
