/* SPDX-License-Identifier: ISC */
/*
 * control.c: serves the control socket.
 *
 * Owns its peers: who may ask, how many, for how long.  What is asked and
 * answered is command.c's.
 */
#include "placer/control.h"

#include <bsd/sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "placer/answer.h"
#include "placer/command.h"

#define REFUSED_TEXT "only root, the provider's user and CONTROL_GROUP may ask"

struct peer {
	LIST_ENTRY(peer) link;
	struct control *control;
	struct bufferevent *stream;
	struct event *deadline; /* of its request, then of the answer */
	uint32_t uid;		/* as the kernel says */
	int allowed;
};

struct control {
	LIST_HEAD(peer_list, peer) peers;
	size_t npeers;
	struct event_base *base;
	struct evconnlistener *listener;
	int64_t patience_ms;
	struct command from; /* what the time and the peer are added to */
	uid_t self;
	int has_group;
	gid_t group;
};

enum {
	FEW_GROUPS = 64, /* more than most people are in */
};

static void
drop(struct peer *p)
{
	struct control *c = p->control;

	LIST_REMOVE(p, link);
	bufferevent_free(p->stream);
	event_free(p->deadline);
	free(p);
	/* There is room for the next one, who waited in the backlog. */
	if (c->npeers-- == CONTROL_PEERS)
		(void)evconnlistener_enable(c->listener);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	drop(arg);
}

static void
on_event(struct bufferevent *stream, short what, void *arg)
{
	(void)stream, (void)what;
	drop(arg);
}

static void
on_written(struct bufferevent *stream, void *arg)
{
	(void)stream;
	drop(arg);
}

/* For all of it, not for each byte. */
static void
arm(struct peer *p, int64_t ms)
{
	struct timeval in = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(p->deadline, &in);
}

/* Takes the answer; the peer goes when it has all of it. */
static void
answer(struct peer *p, char *text)
{
	(void)bufferevent_disable(p->stream, EV_READ);
	arm(p, p->control->patience_ms);
	bufferevent_setcb(p->stream, NULL, on_written, on_event, p);
	if (bufferevent_write(p->stream, text, strlen(text)) == -1)
		abort();
	free(text);
}

static char *
answer_to(const struct peer *p, const char *line)
{
	struct command from = p->control->from;

	from.now = now_read();
	from.uid = p->uid;
	return command_answer(&from, line);
}

static void
on_read(struct bufferevent *stream, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(stream);
	struct peer *p = arg;
	size_t len;
	char *line;

	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (line == NULL) {
		if (evbuffer_get_length(in) >= COMMAND_MAX)
			answer(p,
			    answer_text(ANSWER_ERROR,
				"the request is too long"));
		return;
	}
	/* Not before it is read: the answer would be lost in the reset. */
	if (!p->allowed)
		answer(p, answer_text(ANSWER_ERROR, REFUSED_TEXT));
	else if (strlen(line) != len)
		answer(p,
		    answer_text(ANSWER_ERROR, "the request has a NUL in it"));
	else
		answer(p, answer_to(p, line));
	free(line);
}

/*
 * Is the peer in our group?  As it was when it connected; whoever is in more
 * than a few groups is asked for again with the room that the kernel names.
 */
static int
is_member(const struct control *c, int fd, const struct ucred *who)
{
	AUTO_FREE gid_t *many = NULL;
	gid_t few[FEW_GROUPS];
	const gid_t *groups = few;
	socklen_t len = sizeof(few);
	size_t i;
	int rc;

	if (!c->has_group)
		return 0;
	if (who->gid == c->group)
		return 1;
	rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &len);
	if (rc == -1 && errno == ERANGE) {
		groups = many = xmalloc(len);
		rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many, &len);
	}
	for (i = 0; rc == 0 && i < len / sizeof(*groups); i++)
		if (groups[i] == c->group)
			return 1;
	return 0;
}

static int
is_allowed(struct peer *p, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1)
		return 0;
	p->uid = who.uid;
	if (who.uid == 0 || who.uid == p->control->self ||
	    is_member(p->control, fd, &who))
		return 1;
	log_warn("control socket: uid %u is refused", p->uid);
	return 0;
}

static void
on_peer(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct control *c = arg;
	struct peer *p;

	(void)sa, (void)len;
	p = xcalloc(1, sizeof(*p));
	p->control = c;
	p->allowed = is_allowed(p, fd);
	p->stream = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	p->deadline = evtimer_new(c->base, on_deadline, p);
	if (p->stream == NULL || p->deadline == NULL)
		abort();
	arm(p,
	    c->patience_ms < CONTROL_ASK_MS ? c->patience_ms : CONTROL_ASK_MS);
	LIST_INSERT_HEAD(&c->peers, p, link);
	if (++c->npeers == CONTROL_PEERS)
		(void)evconnlistener_disable(l);
	bufferevent_setcb(p->stream, on_read, NULL, on_event, p);
	bufferevent_setwatermark(p->stream, EV_READ, 0, COMMAND_MAX);
	(void)bufferevent_enable(p->stream, EV_READ | EV_WRITE);
}

struct control *
control_new(struct event_base *base, int fd, const struct command *from)
{
	struct control *c;

	c = xcalloc(1, sizeof(*c));
	LIST_INIT(&c->peers);
	c->base = base;
	c->from = *from;
	c->patience_ms = CONTROL_SECONDS * 1000;
	c->self = geteuid();
	c->listener =
	    evconnlistener_new(base, on_peer, c, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (c->listener == NULL)
		abort();
	return c;
}

void
control_group(struct control *c, gid_t group)
{
	c->has_group = 1;
	c->group = group;
}

void
control_patience(struct control *c, int64_t ms)
{
	c->patience_ms = ms;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	while (!LIST_EMPTY(&c->peers))
		drop(LIST_FIRST(&c->peers));
	evconnlistener_free(c->listener);
	free(c);
}
