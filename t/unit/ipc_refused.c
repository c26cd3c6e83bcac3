/* SPDX-License-Identifier: ISC */
/*
 * Every frame that one process may never send to another, of all messages and
 * all pairs (t/it/bend.h, from ipc/msg.def and ipc/body.def): it ends the link
 * with one line that names sender, reason and message, is counted, and nobody
 * is given it.
 */
#include <sys/socket.h>

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "ipc/build.h"
#include "ipc/chan.h"
#include "ipc/frame.h"
#include "t/it/bend.h"
#include "t/unit/leaks.h"

enum {
	REFUSED_LEAST = 700, /* of all pairs */
};

static struct event_base *base;
static char text[256];
static unsigned int given, closed;

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	(void)c, (void)arg;
	given += f->type != MSG_HELLO;
}

static void
on_closed(struct chan *c, const char *why, void *arg)
{
	(void)c, (void)arg;
	closed++;
	(void)snprintf(text, sizeof(text), "%s", why);
}

static const struct chan_ops ops = { on_frame, on_closed, NULL };

static const char *
nothing(const char *name)
{
	(void)name;
	return NULL;
}

static void
add_hello(struct bytes *out, enum proc from)
{
	struct body_hello m = { .role = (uint32_t)from };
	uint8_t head[FRAME_HEAD], body[256];
	struct wbuf w = { body, 0, sizeof(body) };
	struct frame_head h = { .type = MSG_HELLO };

	(void)snprintf(m.build, sizeof(m.build), "%s", build_id);
	cr_assert_eq(msg_put(MSG_HELLO, &w, &m), 0);
	h.len = (uint32_t)w.len;
	frame_head_put(head, &h);
	bytes_add(out, (struct span){ (const char *)head, sizeof(head) });
	bytes_add(out, (struct span){ (const char *)body, w.len });
}

/* As its peer would send them: HELLO first, on a link that runs. */
static void
receive(enum proc from, enum proc to, const struct bytes *all)
{
	struct chan *c;
	size_t sent = 0;
	ssize_t n;
	int fd[2];

	cr_assert_eq(socketpair(AF_UNIX,
			 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd),
	    0);
	c = chan_open(base, fd[0], to, from, &ops, NULL);
	if (from == PROC_SUPERVISOR || to == PROC_SUPERVISOR)
		chan_run(c);
	while (closed == 0 && sent < all->len) {
		n = send(fd[1], all->p + sent, all->len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	chan_free(c);
	close(fd[1]);
}

static int
refuses(enum proc from, enum proc to, size_t i)
{
	AUTO_BYTES struct bytes all = { NULL, 0, 0 };
	uint64_t before = chan_refused();
	char what[64] = "", want[64];

	/* The supervisor says none, and is told one before it runs. */
	if (from != PROC_SUPERVISOR && to != PROC_SUPERVISOR)
		add_hello(&all, from);
	if (!bend_refused(from, to, i, nothing, &all, what))
		return 0;
	given = closed = 0;
	text[0] = '\0';
	receive(from, to, &all);
	(void)snprintf(want, sizeof(want),
	    "refused frame of %s: ", proc_name(from));
	cr_assert_eq(strncmp(text, want, strlen(want)), 0, "%s to %s, %s: %s",
	    proc_name(from), proc_name(to), what, text);
	cr_assert_eq(closed, 1, "%s", what);
	cr_assert_eq(given, 0, "%s", what);
	cr_assert_eq(chan_refused(), before + 1, "%s", what);
	return 1;
}

static int
are_linked(enum proc a, enum proc b)
{
	return msg_admit(MSG_HELLO, msg_info(MSG_HELLO)->min, 0, a, b,
		   WHEN_SETUP) == ADMIT_OK ||
	    a == PROC_SUPERVISOR;
}

Test(ipc_refused, every_frame_of_every_pair, .timeout = 120)
{
	enum proc from, to;
	size_t i, all = 0;

	base = event_base_new();
	for (from = 0; from < PROC_COUNT; from++)
		for (to = 0; to < PROC_COUNT; to++) {
			if (from == to || !are_linked(from, to))
				continue;
			for (i = 0; refuses(from, to, i); i++)
				all++;
		}
	cr_assert_gt(all, REFUSED_LEAST, "%zu", all);
	event_base_free(base);
	NO_LEAKS();
}
