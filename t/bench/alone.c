/* SPDX-License-Identifier: ISC */
/*
 * alone.c: supervisor and placer of one worker.
 *
 * Owns the worker's process, its control link and its link.
 */
#include "t/bench/alone.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

enum {
	STOP_MS = 1000,
};

static struct {
	struct event_base *base;
	struct chan *control, *link;
	struct alone_ops ops;
	enum proc worker;
	int stopped;
	pid_t pid;
} alone;

static void
control(enum msg_type type, const void *body, int fd)
{
	if (chan_send(alone.control, type, 0, body, fd) == -1)
		it_die("the control link takes nothing");
}

void
alone_say(enum msg_type type, const void *body)
{
	if (chan_send(alone.link, type, chan_next_id(alone.link), body, -1) ==
	    -1)
		it_die("the link takes nothing");
}

void
alone_stop(void)
{
	struct timeval soon = { 0, 100000 };

	alone.stopped = 1;
	control(MSG_STOP, &(struct body_none){ 0 }, -1);
	event_base_loopexit(alone.base, &soon);
}

static void
on_link_frame(struct chan *c, struct frame *f, void *arg)
{
	(void)c, (void)arg;
	alone.ops.frame(f);
}

static void
on_over(struct chan *c, const char *text, void *arg)
{
	(void)c, (void)arg, (void)text;
	event_base_loopbreak(alone.base);
}

static void
on_control_frame(struct chan *c, struct frame *f, void *arg)
{
	static const struct chan_ops ops = { on_link_frame, on_over, NULL };
	struct body_link link = { .peer = PROC_PLACER };
	int pair[2];

	(void)arg;
	if (f->type == MSG_HELLO) {
		control(MSG_GO, &(struct body_none){ 0 }, -1);
		chan_run(c);
	}
	if (f->type != MSG_READY)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		it_die("socketpair");
	alone.link = chan_open(alone.base, pair[0], PROC_PLACER, alone.worker,
	    &ops, NULL);
	control(MSG_LINK, &link, pair[1]);
	alone.ops.linked();
}

static pid_t
spawn(const char *const settings[])
{
	static const struct chan_ops ops = { on_control_frame, on_over, NULL };
	AUTO_FREE char *program = child_program(proc_name(alone.worker));
	struct body_config m;
	size_t len;
	pid_t pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1 ||
	    (pid = fork()) == -1)
		it_die("no process");
	if (pid == 0) {
		if (dup2(pair[1], 3) == 3)
			execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	alone.control = chan_open(alone.base, pair[0], PROC_SUPERVISOR,
	    alone.worker, &ops, NULL);
	for (; *settings != NULL; settings++) {
		len = strcspn(*settings, "=");
		memset(&m, 0, sizeof(m));
		(void)snprintf(m.name, sizeof(m.name), "%.*s", (int)len,
		    *settings);
		(void)snprintf(m.value, sizeof(m.value), "%s",
		    *settings + len + 1);
		control(MSG_CONFIG, &m, -1);
	}
	return pid;
}

pid_t
alone_pid(void)
{
	return alone.pid;
}

void
alone_run(enum proc worker, const char *const settings[],
    const struct alone_ops *ops, int patience_s)
{
	struct timeval tv = { patience_s, 0 };
	int status;
	pid_t pid;

	alone.stopped = 0;
	alone.worker = worker;
	alone.ops = *ops;
	alone.base = event_base_new();
	pid = alone.pid = spawn(settings);
	event_base_loopexit(alone.base, &tv);
	event_base_dispatch(alone.base);
	if (!alone.stopped)
		it_die("%s did not do all in %d s", proc_name(worker),
		    patience_s);
	chan_free(alone.link);
	(void)chan_flush(alone.control, STOP_MS);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		it_die("%s did not end well", proc_name(worker));
	chan_free(alone.control);
	event_base_free(alone.base);
}
