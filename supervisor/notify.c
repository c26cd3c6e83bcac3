/* SPDX-License-Identifier: ISC */
/*
 * notify.c: tells the service manager.
 *
 * Owns the datagram socket and the watchdog's timer.  A message that cannot
 * be sent is not missed: the manager has its own timeouts.
 */
#include "supervisor/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xevent.h"
#include "common/xmem.h"

struct notify {
	int fd;
	struct event *watchdog;
};

static int
open_socket(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(sa.sun_path))
		return -1;
	memcpy(sa.sun_path, path, len);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
tell(struct notify *n, const char *text)
{
	if (n->fd != -1)
		(void)send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	tell(arg, "WATCHDOG=1");
}

struct notify *
notify_new(struct event_base *base)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	struct notify *n;
	long v;

	n = xcalloc(1, sizeof(*n));
	n->fd = path == NULL ? -1 : open_socket(path);
	if (n->fd != -1 && usec != NULL &&
	    (pid == NULL || strtol(pid, NULL, 10) == getpid()) &&
	    (v = strtol(usec, NULL, 10) / 2) > 0) {
		n->watchdog = xevent_new(base, -1, EV_PERSIST, on_watchdog, n);
		xevent_in(n->watchdog, v < 1000 ? 1 : v / 1000);
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return n;
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	if (n->watchdog != NULL)
		event_free(n->watchdog);
	if (n->fd != -1)
		close(n->fd);
	free(n);
}

void
notify_ready(struct notify *n)
{
	tell(n, "READY=1\nSTATUS=all workers are ready");
}

void
notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1\nSTATUS=stopping");
}
