/* SPDX-License-Identifier: ISC */
/*
 * control.c: the command socket of a simulator.
 *
 * Owns the unix socket and its connections.  Never knows a command; the
 * table it is given does.  A connection may send any number of lines.
 */

#include "t/sim/control.h"

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"

enum {
	CONTROL_WORDS = 64,
	CONTROL_LINE = 64 * 1024,
};

struct control_conn {
	struct control *control;
	struct bufferevent *bev;
	TAILQ_ENTRY(control_conn) entry;
};

struct control {
	struct evconnlistener *listener;
	const struct control_cmd *cmds;
	void *arg;
	char *path;
	TAILQ_HEAD(, control_conn) conns;
};

/* Words of a line, in place; -1: too many, or an open quote. */
static int
split(char *line, char **argv)
{
	int argc = 0;
	char *p = line;

	for (;;) {
		p += strspn(p, " \t");
		if (*p == '\0')
			return argc;
		if (argc == CONTROL_WORDS)
			return -1;
		if (*p == '"') {
			argv[argc++] = ++p;
			if ((p = strchr(p, '"')) == NULL)
				return -1;
		} else {
			argv[argc++] = p;
			p += strcspn(p, " \t");
		}
		if (*p != '\0')
			*p++ = '\0';
	}
}

static int
help(const struct control_cmd *cmd, struct evbuffer *out)
{
	const char *sep = "";

	for (; cmd->name != NULL; cmd++, sep = "; ")
		evbuffer_add_printf(out, "%s%s", sep, cmd->usage);
	return 0;
}

static int
command(struct control *control, char *line, struct evbuffer *out)
{
	const struct control_cmd *cmd;
	char *argv[CONTROL_WORDS];
	int argc = split(line, argv);

	if (argc <= 0) {
		evbuffer_add_printf(out, "empty line, or an open quote");
		return -1;
	}
	if (strcmp(argv[0], "help") == 0)
		return help(control->cmds, out);
	for (cmd = control->cmds; cmd->name != NULL; cmd++)
		if (strcmp(cmd->name, argv[0]) == 0)
			break;
	if (cmd->name == NULL) {
		evbuffer_add_printf(out, "%s: no such command, try help",
		    argv[0]);
		return -1;
	}
	if (argc - 1 < cmd->min || (cmd->max != -1 && argc - 1 > cmd->max)) {
		evbuffer_add_printf(out, "usage: %s", cmd->usage);
		return -1;
	}
	return cmd->fn(argc, argv, out, control->arg);
}

static void
answer(struct control_conn *conn, char *line)
{
	struct evbuffer *out = evbuffer_new();
	struct evbuffer *to = bufferevent_get_output(conn->bev);
	int failed = command(conn->control, line, out) == -1;

	evbuffer_add_printf(to, "%s%s", failed ? "error" : "ok",
	    evbuffer_get_length(out) != 0 ? " " : "");
	evbuffer_add_buffer(to, out);
	evbuffer_add(to, "\n", 1);
	evbuffer_free(out);
}

static void
conn_free(struct control_conn *conn)
{
	TAILQ_REMOVE(&conn->control->conns, conn, entry);
	bufferevent_free(conn->bev);
	free(conn);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
		answer(arg, line);
		free(line);
	}
	if (evbuffer_get_length(in) > CONTROL_LINE)
		conn_free(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev, (void)what;
	conn_free(arg);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct control *control = arg;
	struct control_conn *conn = xcalloc(1, sizeof(*conn));

	(void)sa, (void)len;
	conn->control = control;
	conn->bev = bufferevent_socket_new(evconnlistener_get_base(l), fd,
	    BEV_OPT_CLOSE_ON_FREE);
	TAILQ_INSERT_TAIL(&control->conns, conn, entry);
	bufferevent_setcb(conn->bev, on_read, NULL, on_event, conn);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

/* Bound beside its place and renamed: who sees it can connect. */
static int
listen_at(const char *path, struct why *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	AUTO_FD int fd = -1;
	int n;

	n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s~", path);
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return fail(why, ERR_LIMIT, "%s: path too long", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)unlink(sun.sun_path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 64) == -1 || rename(sun.sun_path, path) == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "%s: %s",
		    path, strerror(errno));
	n = fd;
	fd = -1;
	return n;
}

struct control *
control_new(struct event_base *base, const char *path,
    const struct control_cmd *cmds, void *arg, struct why *why)
{
	struct control *control;
	int fd = listen_at(path, why);

	if (fd == -1)
		return NULL;
	control = xcalloc(1, sizeof(*control));
	control->cmds = cmds;
	control->arg = arg;
	control->path = xstrdup(path);
	TAILQ_INIT(&control->conns);
	control->listener = evconnlistener_new(base, on_accept, control,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (control->listener == NULL) {
		fail(why, ERR_SYSTEM, "%s: no listener", path);
		close(fd);
		control_free(control);
		return NULL;
	}
	return control;
}

void
control_free(struct control *control)
{
	struct control_conn *conn;

	if (control == NULL)
		return;
	while ((conn = TAILQ_FIRST(&control->conns)) != NULL)
		conn_free(conn);
	if (control->listener != NULL)
		evconnlistener_free(control->listener);
	(void)unlink(control->path);
	free(control->path);
	free(control);
}
