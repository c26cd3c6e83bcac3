/* SPDX-License-Identifier: ISC */
/*
 * worker.c: a worker between ends of links that are the test's.  Owns its
 * process and its standard error; knows no frame but those of a start.
 */
#include "t/unit/worker.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "ipc/build.h"

enum {
	PATIENCE_S = 20,
	CONTROL_FD = 3,
};

void (*worker_prepares)(void);

static pid_t pid;
static enum proc self;
static FILE *standard_error;
static char last_line[2048]; /* of its log */

static int
pair_of(int *theirs)
{
	const struct timeval patience = { PATIENCE_S, 0 };
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
	    0);
	cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience)),
	    0);
	*theirs = fds[1];
	return fds[0];
}

/* -- frames -- */

void
wire_bytes(struct wire *w, const void *bytes, size_t n)
{
	cr_assert_eq(send(w->fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

void
wire_send(struct wire *w, enum msg_type type, uint64_t id, const void *body,
    int fd)
{
	size_t size = FRAME_HEAD + msg_size(type, body);
	AUTO_FREE uint8_t *bytes = xcalloc(1, size);
	struct wbuf b = { bytes + FRAME_HEAD, 0, size - FRAME_HEAD };
	struct frame_head head = { .type = type, .id = id };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { bytes, size };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	cr_assert_eq(msg_put(type, &b, body), 0);
	head.len = (uint32_t)b.len;
	frame_head_put(bytes, &head);
	if (fd != -1) {
		control.head = (struct cmsghdr){ CMSG_LEN(sizeof(fd)),
			SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);
	}
	cr_assert_eq(sendmsg(w->fd, &mh, MSG_NOSIGNAL), (ssize_t)size);
	if (fd != -1)
		close(fd);
}

/* 0: the link is over. */
static int
take(struct wire *w, struct frame_head *head, struct span *body)
{
	size_t room;
	uint8_t *to;
	ssize_t n;

	while (!frame_in_head(&w->in, head) || !frame_in_body(&w->in, body)) {
		to = frame_in_room(&w->in, &room);
		n = read(w->fd, to, room);
		cr_assert_geq(n, 0, "nothing came for %d s; it said last: %s",
		    PATIENCE_S, last_line);
		if (n == 0)
			return 0;
		frame_in_add(&w->in, (size_t)n);
	}
	return 1;
}

struct span
wire_next(struct wire *w, enum msg_type type, uint64_t *id)
{
	static char kept[65536];
	struct frame_head head;
	struct span body;

	do {
		cr_assert(take(w, &head, &body), "over before %s",
		    msg_info(type)->name);
		cr_assert_leq(body.len, sizeof(kept));
		memcpy(kept, body.p, body.len);
		body.p = kept;
		frame_in_drop(&w->in);
	} while (head.type != (uint32_t)type);
	*id = head.id;
	return body;
}

void
wire_close(struct wire *w)
{
	frame_in_free(&w->in);
	close(w->fd);
	*w = (struct wire){ .fd = -1 };
}

/* -- the worker -- */

/* build/V/bin/NAME, from build/V/t/unit/this. */
static char *
program(void)
{
	AUTO_FREE char *path = realpath("/proc/self/exe", NULL);
	int up;

	for (up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	return xasprintf("%s/bin/%s", path, proc_name(self));
}

static __attribute__((noreturn)) void
be(int control)
{
	AUTO_FREE char *path = program();

	/* A test that fails ends without it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (worker_prepares != NULL)
		worker_prepares();
	if (dup2(fileno(standard_error), STDERR_FILENO) != -1 &&
	    (control == CONTROL_FD ? fcntl(control, F_SETFD, 0) :
				     dup2(control, CONTROL_FD)) != -1)
		(void)execl(path, path, (char *)NULL);
	_exit(127);
}

void
worker_start(struct wire *control, enum proc worker,
    const char *const settings[])
{
	struct body_config m;
	int theirs;
	size_t n;

	self = worker;
	*control = (struct wire){ .fd = pair_of(&theirs) };
	standard_error = tmpfile();
	cr_assert_not_null(standard_error);
	cr_assert_neq(pid = fork(), -1);
	if (pid == 0)
		be(theirs);
	close(theirs);
	for (; *settings != NULL; settings++) {
		n = strcspn(*settings, "=");
		memset(&m, 0, sizeof(m));
		(void)snprintf(m.name, sizeof(m.name), "%.*s", (int)n,
		    *settings);
		(void)snprintf(m.value, sizeof(m.value), "%s",
		    *settings + n + 1);
		wire_send(control, MSG_CONFIG, 0, &m, -1);
	}
}

void
worker_go(struct wire *control)
{
	uint64_t id;

	wire_send(control, MSG_GO, 0, &(struct body_none){ 0 }, -1);
	(void)wire_next(control, MSG_READY, &id);
}

void
worker_link(struct wire *control, struct wire *link, enum proc peer,
    const char *build)
{
	struct body_link m = { .peer = (uint32_t)peer };
	struct body_hello hello = { .role = (uint32_t)peer };
	int theirs;

	*link = (struct wire){ .fd = pair_of(&theirs) };
	wire_send(control, MSG_LINK, 0, &m, theirs);
	(void)snprintf(hello.build, sizeof(hello.build), "%s", build);
	wire_send(link, MSG_HELLO, 0, &hello, -1);
}

void
worker_says(struct wire *control, const char *line)
{
	struct body_log m;
	uint64_t id;

	do {
		cr_assert_eq(body_log_get(wire_next(control, MSG_LOG, &id), &m),
		    0);
		(void)snprintf(last_line, sizeof(last_line), "%s%s%s", m.text,
		    m.error[0] == '\0' ? "" : ": ", m.error);
	} while (m.level > LOG_LEVEL_WARN || strcmp(last_line, line) != 0);
}

int
worker_ends(struct wire *control, char *text, size_t size)
{
	struct frame_head head;
	struct span body;
	int status;
	size_t n;

	while (take(control, &head, &body))
		frame_in_drop(&control->in);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	rewind(standard_error);
	n = fread(text, 1, size - 1, standard_error);
	text[n] = '\0';
	(void)fclose(standard_error);
	wire_close(control);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
