/* SPDX-License-Identifier: ISC */
/*
 * Links: two ends on one loop, or one end and a peer that this test plays
 * byte by byte.
 */
#include "ipc/chan.h"

#include <sys/socket.h>

#include <criterion/criterion.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"
#include "ipc/build.h"
#include "ipc/frame.h"
#include "t/unit/leaks.h"

enum {
	PATIENCE_S = 10,
	LINK_BODY = 12,
};

/* What one end saw. */
struct end {
	struct chan *chan;
	int frames;
	enum msg_type last;
	uint64_t last_id;
	size_t bytes;
	int fd;
	int closed;
	char text[256];
	int drained;
	int free_at; /* frees itself in the callback of that frame */
	int pause_at;
	int quit_at; /* ends the loop */
};

static struct event_base *base;

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct end *e = arg;

	cr_assert(e->closed == 0 && e->chan == c);
	e->frames++;
	e->last = f->type;
	e->last_id = f->id;
	e->bytes += f->body.len;
	if (f->fd != -1)
		e->fd = f->fd;
	if (e->frames == e->pause_at)
		chan_pause(c);
	if (e->frames == e->free_at) {
		chan_free(c);
		e->chan = NULL;
	}
	if (e->frames == e->quit_at || e->frames == e->free_at)
		event_base_loopbreak(base);
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	struct end *e = arg;

	cr_assert(e->chan == c);
	e->closed++;
	(void)snprintf(e->text, sizeof(e->text), "%s", text);
	chan_free(c);
	e->chan = NULL;
	event_base_loopbreak(base);
}

static void
on_drained(struct chan *c, void *arg)
{
	(void)c;
	((struct end *)arg)->drained++;
	event_base_loopbreak(base);
}

static const struct chan_ops ops = { on_frame, on_closed, on_drained };

static struct end kube = { .fd = -1 }, place = { .fd = -1 };

static void
pair(int fd[2])
{
	cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
	base = event_base_new();
}

static void
link_both(void)
{
	int fd[2];

	pair(fd);
	kube.chan =
	    chan_open(base, fd[0], PROC_KUBESIDE, PROC_PLACER, &ops, &kube);
	place.chan =
	    chan_open(base, fd[1], PROC_PLACER, PROC_KUBESIDE, &ops, &place);
}

/* Until a callback ends it; waiting in vain is a failure. */
static void
loop(void)
{
	const struct timeval patience = { PATIENCE_S, 0 };

	event_base_loopexit(base, &patience);
	cr_assert(event_base_dispatch(base) == 0);
	cr_assert(event_base_got_break(base), "nothing happened");
}

/* As much as goes on by itself. */
static void
settle(void)
{
	int i;

	for (i = 0; i < 50; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
done(void)
{
	chan_free(kube.chan);
	chan_free(place.chan);
	event_base_free(base);
	NO_LEAKS();
}

static int
send_state(struct end *e, uint64_t id)
{
	struct body_kube_state m = { .reachable = 1 };

	return chan_send(e->chan, MSG_KUBE_STATE, id, &m, -1);
}

Test(ipc_chan, frames_come_in_order_after_hello)
{
	uint64_t id;

	link_both();
	for (id = 1; id <= 500; id++)
		cr_assert(send_state(&kube, id) == 0);
	place.quit_at = 500;
	loop();
	cr_assert(place.frames == 500 && place.last_id == 500);
	cr_assert(place.last == MSG_KUBE_STATE && kube.frames == 0);
	done();
}

static void
count(struct span body, void *arg)
{
	struct body_writer m;

	cr_assert(body_writer_get(body, &m) == 0);
	*(uint64_t *)arg += m.until_boot;
}

Test(ipc_chan, a_glance_shows_one_type_and_takes_nothing)
{
	struct body_writer m = { .node = "n", .until_boot = 1 };
	uint64_t seen = 0;

	link_both();
	settle();
	cr_assert(send_state(&kube, 1) == 0);
	cr_assert(chan_send(kube.chan, MSG_WRITER, 2, &m, -1) == 0);
	cr_assert(send_state(&kube, 3) == 0);
	m.until_boot = 10;
	cr_assert(chan_send(kube.chan, MSG_WRITER, 4, &m, -1) == 0);
	cr_assert(chan_flush(kube.chan, 0) == 0);
	cr_assert(place.frames == 0);
	chan_glance(place.chan, MSG_WRITER, count, &seen);
	cr_assert(seen == 11 && place.frames == 0);
	chan_glance(place.chan, MSG_WRITER, count, &seen);
	cr_assert(seen == 22);
	place.quit_at = 4; /* the socket has no more for the loop to see */
	loop();
	cr_assert(place.frames == 4 && place.last_id == 4);
	done();
}

Test(ipc_chan, a_glance_at_a_link_that_ended_says_nothing)
{
	uint64_t seen = 0;

	link_both();
	settle();
	chan_free(kube.chan);
	kube.chan = NULL;
	chan_glance(place.chan, MSG_WRITER, count, &seen);
	cr_assert(seen == 0 && place.closed == 0);
	settle();
	cr_assert(place.closed == 1);
	done();
}

Test(ipc_chan, largest_item_goes_through)
{
	struct body_pod m = { .how = POD_ADDED };
	char *big = xcalloc(1, MAX_ITEM + 1);

	link_both();
	m.object = (struct span){ big, MAX_ITEM + 1 };
	cr_assert(chan_send(kube.chan, MSG_POD, 1, &m, -1) == -1);
	m.object.len = MAX_ITEM;
	cr_assert(chan_send(kube.chan, MSG_POD, 2, &m, -1) == 0);
	cr_assert(send_state(&kube, 3) == 0);
	place.quit_at = 2;
	while (place.frames < 2)
		loop(); /* its sender is drained on the way */
	cr_assert(place.bytes > MAX_ITEM && place.last_id == 3);
	free(big);
	done();
}

Test(ipc_chan, what_the_gate_forbids_is_not_sent)
{
	struct body_none none = { 0 };

	link_both();
	cr_assert(chan_send(kube.chan, MSG_GO, 0, &none, -1) == -1);
	cr_assert(send_state(&place, 1) == -1);
	settle();
	cr_assert(place.closed == 0 && kube.closed == 0);
	done();
}

/* The supervisor's end, to a worker that this test plays. */
static int
control(struct end *e)
{
	int fd[2];

	pair(fd);
	e->chan = chan_open(base, fd[0], PROC_SUPERVISOR, PROC_PLACER, &ops, e);
	return fd[1];
}

Test(ipc_chan, descriptors_go_with_their_frames)
{
	struct body_link m = { .peer = PROC_PLACER };
	struct body_none none = { 0 };
	struct end sup = { .fd = -1 };
	int fd[2], p[2], i;
	char byte;

	pair(fd);
	sup.chan =
	    chan_open(base, fd[0], PROC_SUPERVISOR, PROC_KUBESIDE, &ops, &sup);
	kube.chan =
	    chan_open(base, fd[1], PROC_KUBESIDE, PROC_SUPERVISOR, &ops, &kube);
	settle();
	cr_assert(sup.frames == 1 && sup.last == MSG_HELLO);
	chan_run(sup.chan);
	chan_run(kube.chan);
	for (i = 0; i < 20; i++) {
		cr_assert(pipe(p) == 0);
		byte = (char)('a' + i);
		cr_assert(write(p[1], &byte, 1) == 1);
		close(p[1]);
		cr_assert(chan_send(sup.chan, MSG_PING, 1, &none, -1) == 0);
		cr_assert(chan_send(sup.chan, MSG_LINK, 2, &m, p[0]) == 0);
		kube.frames = 0;
		kube.quit_at = 2;
		loop();
		cr_assert(kube.fd != -1);
		cr_assert(fcntl(kube.fd, F_GETFD) == FD_CLOEXEC);
		cr_assert(read(kube.fd, &byte, 1) == 1 && byte == 'a' + i);
		close(kube.fd);
		kube.fd = -1;
	}
	chan_free(sup.chan);
	done();
}

Test(ipc_chan, missing_descriptor_is_refused)
{
	struct frame_head h = { LINK_BODY, MSG_LINK, 0 };
	uint8_t p[FRAME_HEAD + LINK_BODY] = { [FRAME_HEAD + 3] = PROC_PLACER };
	int fd[2];

	pair(fd);
	kube.chan =
	    chan_open(base, fd[0], PROC_KUBESIDE, PROC_SUPERVISOR, &ops, &kube);
	chan_run(kube.chan);
	frame_head_put(p, &h);
	cr_assert(write(fd[1], p, sizeof(p)) == sizeof(p));
	loop();
	cr_assert(strstr(kube.text, ": FD (LINK") != NULL, "%s", kube.text);
	close(fd[1]);
	done();
}

static void
send_bytes(int fd, const void *p, size_t len, int extra)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} c = { 0 };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (extra != -1) {
		mh.msg_control = &c;
		mh.msg_controllen = sizeof(c);
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.align), &extra, sizeof(int));
	}
	cr_assert(sendmsg(fd, &mh, MSG_NOSIGNAL) == (ssize_t)len);
}

/* HELLO of a worker, as bytes. */
static size_t
hello(uint8_t *p, enum proc role, const char *build)
{
	struct body_hello m = { .role = (uint32_t)role };
	struct wbuf w = { p + FRAME_HEAD, 0, 200 };
	struct frame_head h;

	(void)snprintf(m.build, sizeof(m.build), "%s", build);
	cr_assert(body_hello_put(&w, &m) == 0);
	h = (struct frame_head){ (uint32_t)w.len, MSG_HELLO, 0 };
	frame_head_put(p, &h);
	return FRAME_HEAD + w.len;
}

Test(ipc_chan, unasked_descriptor_is_refused)
{
	struct end sup = { .fd = -1 };
	uint8_t p[300];
	int fd;

	fd = control(&sup);
	send_bytes(fd, p, hello(p, PROC_PLACER, build_id), STDERR_FILENO);
	loop();
	cr_assert(strstr(sup.text, "FD") != NULL, "%s", sup.text);
	close(fd);
	done();
}

Test(ipc_chan, foreign_build_and_foreign_role_are_refused)
{
	struct end sup = { .fd = -1 };
	uint8_t p[300];
	int fd;

	fd = control(&sup);
	send_bytes(fd, p, hello(p, PROC_PLACER, "0.0.0-other"), -1);
	loop();
	cr_assert(strstr(sup.text, "foreign build 0.0.0-other") != NULL, "%s",
	    sup.text);
	close(fd);
	event_base_free(base);

	memset(&sup, 0, sizeof(sup));
	fd = control(&sup);
	send_bytes(fd, p, hello(p, PROC_KUBESIDE, build_id), -1);
	loop();
	cr_assert(strstr(sup.text, "says it is another") != NULL, "%s",
	    sup.text);
	close(fd);
	done();
}

Test(ipc_chan, second_hello_is_refused_on_a_data_link)
{
	uint8_t p[300];
	size_t len;
	int fd[2];

	pair(fd);
	place.chan =
	    chan_open(base, fd[0], PROC_PLACER, PROC_KUBESIDE, &ops, &place);
	len = hello(p, PROC_KUBESIDE, build_id);
	send_bytes(fd[1], p, len, -1);
	settle();
	cr_assert(place.closed == 0 && place.frames == 0);
	send_bytes(fd[1], p, len, -1);
	loop();
	cr_assert(strstr(place.text, "WHEN (HELLO") != NULL, "%s", place.text);
	close(fd[1]);
	done();
}

Test(ipc_chan, nothing_passes_before_hello)
{
	struct frame_head h = { 3 * 4, MSG_KUBE_STATE, 0 };
	uint8_t p[FRAME_HEAD + 12] = { 0 };
	int fd[2];

	pair(fd);
	place.chan =
	    chan_open(base, fd[0], PROC_PLACER, PROC_KUBESIDE, &ops, &place);
	frame_head_put(p, &h);
	send_bytes(fd[1], p, sizeof(p), -1);
	loop();
	cr_assert(place.frames == 0 && place.closed == 1);
	cr_assert(strstr(place.text, "WHEN (KUBE_STATE") != NULL, "%s",
	    place.text);
	close(fd[1]);
	done();
}

/* A frame of a type and so many bytes of 255, from kubeside to the placer. */
static void
refused_as(enum msg_type type, uint32_t len, const char *words)
{
	struct frame_head h = { len, type, 0 };
	uint8_t p[300], body[FRAME_HEAD + 128];
	size_t n;
	int fd[2];

	place = (struct end){ .fd = -1 };
	pair(fd);
	place.chan =
	    chan_open(base, fd[0], PROC_PLACER, PROC_KUBESIDE, &ops, &place);
	n = hello(p, PROC_KUBESIDE, build_id);
	send_bytes(fd[1], p, n, -1);
	memset(body, 0xff, sizeof(body));
	frame_head_put(body, &h);
	send_bytes(fd[1], body, FRAME_HEAD + len, -1);
	loop();
	cr_assert(place.frames == 0 && place.closed == 1);
	cr_assert(strstr(place.text, words) != NULL, "%s", place.text);
	close(fd[1]);
	done();
}

Test(ipc_chan, a_frame_of_another_is_refused)
{
	refused_as(MSG_DEVICES_BEGIN, 0, "SENDER (DEVICES_BEGIN");
	refused_as(MSG_POD_DELETE, 0, "SENDER (POD_DELETE");
	refused_as(MSG_STOP, 0, "SENDER (STOP");
}

Test(ipc_chan, a_body_that_is_none_is_refused)
{
	refused_as(MSG_NODE, 64, "BODY (NODE");
}

/* By its head alone: nobody waits for four gigabytes, or makes room. */
Test(ipc_chan, frame_over_the_limit_is_refused_at_once)
{
	struct end sup = { .fd = -1 };
	struct frame_head h = { UINT32_MAX, MSG_LOG, 0 };
	uint8_t p[FRAME_HEAD];
	int fd;

	fd = control(&sup);
	frame_head_put(p, &h);
	send_bytes(fd, p, sizeof(p), -1);
	loop();
	cr_assert(strstr(sup.text, "SIZE (LOG") != NULL, "%s", sup.text);
	close(fd);
	done();
}

Test(ipc_chan, garbage_ends_the_link_and_nothing_else)
{
	uint64_t seed = 42;
	uint8_t p[512];
	size_t i;
	int fd, round;

	for (round = 0; round < 50; round++) {
		struct end sup = { .fd = -1 };

		for (i = 0; i < sizeof(p); i++) {
			seed = seed * 6364136223846793005u + 1;
			p[i] = (uint8_t)(seed >> 56);
		}
		fd = control(&sup);
		send_bytes(fd, p, sizeof(p), -1);
		close(fd);
		loop();
		cr_assert(sup.closed == 1 && sup.frames == 0);
		event_base_free(base);
	}
	base = event_base_new();
	done();
}

Test(ipc_chan, peer_that_ends_is_told_once_after_its_frames)
{
	link_both();
	cr_assert(send_state(&kube, 9) == 0);
	cr_assert(chan_flush(kube.chan, 1000) == 0);
	chan_free(kube.chan);
	kube.chan = NULL;
	loop();
	cr_assert(place.frames == 1 && place.closed == 1);
	cr_assert_str_eq(place.text, "closed by peer");
	done();
}

Test(ipc_chan, end_inside_a_frame_is_said)
{
	struct end sup = { .fd = -1 };
	uint8_t p[300];
	int fd;

	fd = control(&sup);
	send_bytes(fd, p, hello(p, PROC_PLACER, build_id) - 1, -1);
	close(fd);
	loop();
	cr_assert_str_eq(sup.text, "closed by peer inside a frame");
	done();
}

Test(ipc_chan, freed_inside_its_callback_is_silent)
{
	uint64_t id;

	link_both();
	for (id = 1; id <= 10; id++)
		cr_assert(send_state(&kube, id) == 0);
	place.free_at = 3;
	loop();
	settle();
	cr_assert(place.frames == 3 && place.closed == 0);
	done();
}

Test(ipc_chan, full_link_stops_the_sender_and_goes_on)
{
	struct body_pod m = { .how = POD_ADDED };
	char *bytes = xcalloc(1, 65536);
	int n = 0;

	m.object = (struct span){ bytes, 65536 };
	link_both();
	chan_pause(place.chan);
	settle();
	while (!chan_is_full(kube.chan)) {
		cr_assert(chan_send(kube.chan, MSG_POD, 1, &m, -1) == 0);
		n++;
		settle();
	}
	cr_assert(n > 64 && n < 80, "%d", n);
	settle();
	cr_assert(place.frames == 0 && kube.drained == 0);
	chan_resume(place.chan);
	loop();
	cr_assert(kube.drained == 1 && !chan_is_full(kube.chan));
	place.quit_at = n;
	loop();
	cr_assert(place.frames == n);
	free(bytes);
	done();
}

/* What was read before the pause waits for no further byte. */
Test(ipc_chan, pause_inside_a_callback_loses_nothing)
{
	uint64_t id;

	link_both();
	for (id = 1; id <= 10; id++)
		cr_assert(send_state(&kube, id) == 0);
	place.pause_at = 4;
	settle();
	cr_assert(place.frames == 4);
	place.quit_at = 10;
	chan_resume(place.chan);
	loop();
	cr_assert(place.frames == 10 && place.last_id == 10);
	done();
}

Test(ipc_chan, no_id_twice)
{
	uint64_t id;

	link_both();
	id = chan_next_id(kube.chan);
	cr_assert(id != 0 && chan_next_id(kube.chan) != id);
	done();
}
