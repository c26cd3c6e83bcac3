/* SPDX-License-Identifier: ISC */
/*
 * control.c: serves the control socket.
 *
 * Owns its peers: who may ask, how many, for how long, and those that follow.
 * What is asked and answered is command.c's.
 */
#include "placer/control.h"

#include <bsd/sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "placer/answer.h"
#include "placer/command.h"
#include "placer/told.h"

#define REFUSED_TEXT "only root, the provider's user and CONTROL_GROUP may ask"
#define MANY_TEXT "as many follow as may"
#define SLOW_TEXT "cut off: what was told was not read in time"
#define STOP_TEXT "the provider stops"

struct peer {
	LIST_ENTRY(peer) link;
	struct control *control;
	struct bufferevent *stream;
	struct event *deadline; /* of its request, then of the answer */
	uint32_t uid;		/* as the kernel says */
	int allowed;
	int follows;	     /* it is none of those that are served */
	int ending;	     /* it was told so */
	int slow;	     /* its deadline runs until it has read all */
	unsigned int missed; /* lines since then */
};

struct control {
	LIST_HEAD(peer_list, peer) peers;
	size_t npeers;
	struct peer_list followers;
	size_t nfollowers;
	struct event *beat;
	struct event_base *base;
	int listener;
	struct event *coming; /* not while there is no room */
	struct event *again;  /* there were no descriptors */
	int64_t patience_ms;
	struct command from; /* what the time and the peer are added to */
	uid_t self;
	int has_group;
	gid_t group;
};

enum {
	FEW_GROUPS = 64, /* more than most people are in */
	SPENT_MS = 1000, /* until there may be descriptors again */
};

/* There is room for the next one, who waited in the backlog. */
static void
leave_served(struct peer *p)
{
	struct control *c = p->control;

	LIST_REMOVE(p, link);
	if (c->npeers-- == CONTROL_PEERS)
		xevent_add(c->coming);
}

static void
drop(struct peer *p)
{
	struct control *c = p->control;

	if (p->follows) {
		LIST_REMOVE(p, link);
		c->nfollowers--;
	} else
		leave_served(p);
	bufferevent_free(p->stream);
	event_free(p->deadline);
	free(p);
}

static void end_follower(struct peer *, const char *);

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;

	(void)fd, (void)what;
	if (p->follows && !p->ending)
		end_follower(p, SLOW_TEXT);
	else
		drop(p);
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
	xevent_in(p->deadline, ms);
}

/* Takes the answer; the peer goes when it has all of it. */
static void
answer(struct peer *p, char *text)
{
	(void)bufferevent_disable(p->stream, EV_READ);
	arm(p, p->control->patience_ms);
	bufferevent_setcb(p->stream, NULL, on_written, on_event, p);
	if (bufferevent_write(p->stream, text, strlen(text)) == -1)
		xmem_none();
	free(text);
}

/* -- those that follow -- */

/* Its last line.  It goes when it has that, or in a while. */
static void
end_follower(struct peer *p, const char *text)
{
	AUTO_FREE char *last = answer_text(ANSWER_END, text);

	p->ending = 1;
	(void)bufferevent_write(p->stream, last, strlen(last));
	(void)bufferevent_disable(p->stream, EV_READ);
	bufferevent_setcb(p->stream, NULL, on_written, on_event, p);
	arm(p, p->control->patience_ms);
}

/* Nothing grows for one that does not read: it is told how much it missed. */
static void
send_on(struct peer *p, const char *text, unsigned int lines)
{
	struct evbuffer *out = bufferevent_get_output(p->stream);

	if (p->ending)
		return;
	if (p->missed == 0 &&
	    evbuffer_get_length(out) <= CONTROL_FOLLOW_BYTES) {
		(void)bufferevent_write(p->stream, text, strlen(text));
		return;
	}
	if (!p->slow)
		arm(p, p->control->patience_ms);
	p->slow = 1;
	p->missed += lines;
}

/* It has read all that there was. */
static void
on_caught_up(struct bufferevent *stream, void *arg)
{
	struct peer *p = arg;
	AUTO_FREE char *text = NULL, *row = NULL;

	(void)stream;
	(void)evtimer_del(p->deadline);
	p->slow = 0;
	if (p->missed == 0)
		return;
	text = xasprintf("%u lines are left out: they came faster than they "
			 "were read",
	    p->missed);
	row = command_told(&(struct told_line){ .kind = TOLD_LOG,
	    .warning = 1,
	    .at_ms = now_read().wall_ms,
	    .reason = "LeftOut",
	    .text = text });
	p->missed = 0;
	send_on(p, row, 1);
}

static void
send_all(struct control *c, const char *text, unsigned int lines)
{
	struct peer *p;

	LIST_FOREACH(p, &c->followers, link)
	send_on(p, text, lines);
}

static void
on_told(void *arg, const struct told_line *l)
{
	struct control *c = arg;
	AUTO_FREE char *row = NULL;

	if (c->nfollowers == 0)
		return;
	row = command_told(l);
	send_all(c, row, 1);
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	send_all(arg, ANSWER_BEAT "\n", 0);
}

/* It has nothing more to say, but its end is heard. */
static void
on_chatter(struct bufferevent *stream, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(stream);

	(void)arg;
	(void)evbuffer_drain(in, evbuffer_get_length(in));
}

/* Takes what there is until now. */
static void
follow(struct peer *p, char *text)
{
	struct control *c = p->control;

	if (c->nfollowers == CONTROL_FOLLOWERS) {
		free(text);
		answer(p, answer_text(ANSWER_ERROR, MANY_TEXT));
		return;
	}
	leave_served(p);
	p->follows = 1;
	LIST_INSERT_HEAD(&c->followers, p, link);
	c->nfollowers++;
	(void)evtimer_del(p->deadline);
	bufferevent_setcb(p->stream, on_chatter, on_caught_up, on_event, p);
	if (bufferevent_write(p->stream, text, strlen(text)) == -1)
		xmem_none();
	free(text);
}

/* -- those that ask -- */

static void
answer_to(struct peer *p, const char *line)
{
	struct command from = p->control->from;
	char *text;
	int follows;

	from.now = now_read();
	from.uid = p->uid;
	text = command_follow(&from, line, &follows);
	if (follows)
		follow(p, text);
	else
		answer(p, text);
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
		answer_to(p, line);
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
take_in(struct control *c, int fd)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	p->control = c;
	p->allowed = is_allowed(p, fd);
	p->stream = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	p->deadline = xevent_timer(c->base, on_deadline, p);
	if (p->stream == NULL)
		xmem_none();
	arm(p,
	    c->patience_ms < CONTROL_ASK_MS ? c->patience_ms : CONTROL_ASK_MS);
	LIST_INSERT_HEAD(&c->peers, p, link);
	c->npeers++;
	bufferevent_setcb(p->stream, on_read, NULL, on_event, p);
	bufferevent_setwatermark(p->stream, EV_READ, 0, COMMAND_MAX);
	(void)bufferevent_enable(p->stream, EV_READ | EV_WRITE);
}

/*
 * Those for whom there is no room stay in the backlog; the library's own
 * listener would turn and turn where there are no descriptors.
 */
static void
on_coming(evutil_socket_t listener, short what, void *arg)
{
	struct control *c = arg;
	struct sockaddr_un from;
	socklen_t len;
	int fd;

	(void)what;
	while (c->npeers < CONTROL_PEERS) {
		len = sizeof(from);
		fd = accept4(listener, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			take_in(c, fd);
			continue;
		}
		/* The listener stays readable. */
		if (errno != EAGAIN) {
			(void)event_del(c->coming);
			xevent_in(c->again, SPENT_MS);
		}
		return;
	}
	(void)event_del(c->coming);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd, (void)what;
	if (c->npeers < CONTROL_PEERS)
		xevent_add(c->coming);
}

/* So often those that follow hear that we are there. */
static void
beat_each(struct control *c, int64_t ms)
{
	xevent_in(c->beat, ms);
}

struct control *
control_new(struct event_base *base, int fd, const struct command *from)
{
	struct control *c;

	c = xcalloc(1, sizeof(*c));
	LIST_INIT(&c->peers);
	LIST_INIT(&c->followers);
	c->base = base;
	c->from = *from;
	c->patience_ms = CONTROL_SECONDS * 1000;
	c->self = geteuid();
	c->listener = fd;
	c->coming = xevent_new(base, fd, EV_READ | EV_PERSIST, on_coming, c);
	c->again = xevent_timer(base, on_again, c);
	c->beat = xevent_new(base, -1, EV_PERSIST, on_beat, c);
	xevent_add(c->coming);
	beat_each(c, ANSWER_BEAT_MS);
	told_listen(from->world->told, on_told, c);
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
	beat_each(c, ms < ANSWER_BEAT_MS ? ms : ANSWER_BEAT_MS);
}

/* As much as it takes at once. */
static void
say_goodbye(struct peer *p)
{
	struct evbuffer *out = bufferevent_get_output(p->stream);

	if (!p->ending)
		end_follower(p, STOP_TEXT);
	(void)evbuffer_unfreeze(out, 1);
	(void)evbuffer_write(out, bufferevent_getfd(p->stream));
	drop(p);
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	told_listen(c->from.world->told, NULL, NULL);
	while (!LIST_EMPTY(&c->followers))
		say_goodbye(LIST_FIRST(&c->followers));
	while (!LIST_EMPTY(&c->peers))
		drop(LIST_FIRST(&c->peers));
	event_free(c->beat);
	event_free(c->coming);
	event_free(c->again);
	close(c->listener);
	free(c);
}
