/* SPDX-License-Identifier: ISC */
/*
 * ping.c: says whether the workers live.
 *
 * Owns the one who asks, and how long it waits: one at a time, others wait to
 * be accepted.  Never reads from it.
 */
#include "supervisor/ping.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/why.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "supervisor/crew.h"
#include "supervisor/local.h"

enum {
	SPENT_MS = 1000, /* until one is accepted that could not be */
};

struct ping {
	struct crew *crew;
	int listener;
	int guest;     /* -1: nobody asks */
	int64_t since; /* it does */
	struct event *come;
	struct event *late; /* it has waited long enough; or we have */
};

static const char fine[] = "ok\n";

static void
answer(struct ping *p, const char *text)
{
	/* Whoever does not take a line has no need of it. */
	(void)send(p->guest, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(p->guest);
	p->guest = -1;
	event_del(p->late);
	xevent_add(p->come);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct ping *p = arg;
	char line[MAX_TEXT + 2];
	struct why why;

	(void)fd, (void)what;
	if (p->guest == -1) {
		xevent_add(p->come);
		return;
	}
	if (crew_lives(p->crew, p->since, &why) == 0) {
		answer(p, fine);
		return;
	}
	(void)snprintf(line, sizeof(line), "%s\n", why.text);
	answer(p, line);
}

void
ping_look(struct ping *p)
{
	struct why why;

	if (p->guest != -1 && crew_lives(p->crew, p->since, &why) == 0)
		answer(p, fine);
}

static void
on_come(evutil_socket_t fd, short what, void *arg)
{
	struct ping *p = arg;

	(void)what;
	if ((p->guest = local_accept(fd)) == -1) {
		if (local_is_spent(errno))
			xevent_in(p->late, SPENT_MS);
		else
			xevent_add(p->come);
		return;
	}
	p->since = now_awake_ms();
	xevent_in(p->late, PING_ANSWER_MS);
	crew_ask(p->crew);
}

struct ping *
ping_new(struct event_base *base, int fd, struct crew *crew)
{
	struct ping *p = xcalloc(1, sizeof(*p));

	p->crew = crew;
	p->listener = fd;
	p->guest = -1;
	if (fd < 0)
		return p;
	p->come = xevent_new(base, fd, EV_READ, on_come, p);
	p->late = xevent_timer(base, on_late, p);
	xevent_add(p->come);
	return p;
}

void
ping_free(struct ping *p)
{
	if (p == NULL)
		return;
	if (p->guest != -1)
		close(p->guest);
	if (p->come != NULL)
		event_free(p->come);
	if (p->late != NULL)
		event_free(p->late);
	free(p);
}

int
ping_ask(const char *path, char *text, size_t size)
{
	AUTO_FD int fd = local_connect(path);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t end = now_read().boot_ms + PING_ASK_MS, left;
	size_t n = 0;
	ssize_t got = 1;

	if (fd == -1) {
		(void)snprintf(text, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	while (got > 0 && n < size - 1 &&
	    (left = end - now_read().boot_ms) > 0 &&
	    poll(&pfd, 1, (int)left) == 1)
		if ((got = read(fd, text + n, size - 1 - n)) > 0)
			n += (size_t)got;
	text[n] = '\0';
	if (strcmp(text, fine) == 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (n == 0)
		(void)snprintf(text, size, "%s: no answer within %d s", path,
		    PING_ASK_MS / 1000);
	return -1;
}
