/* SPDX-License-Identifier: ISC */
/*
 * meet.c: finds the other end of a link in another container.
 *
 * Owns the sockets of KUBESIDE_SOCKET and FLIGHTSIDE_SOCKET and who may be at
 * their other end.  Reads and writes nothing: what crosses a link is between
 * the workers.
 */
#include "supervisor/meet.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "supervisor/link.h"
#include "supervisor/local.h"

enum {
	SOCKET_MODE = 0666, /* the other one has another uid, which is seen */
	ABSENT_MS = 30000,  /* a container that starts is no news */
	AGAIN_MS = 60000,   /* between two lines of one kind */
	ONCE = 64,	    /* connections looked at in one turn */
	SPENT_MS = 1000,    /* until one is accepted that could not be */
};

static const enum setting sockets[PROC_COUNT] = {
	[PROC_KUBESIDE] = SET_KUBESIDE_SOCKET,
	[PROC_FLIGHTSIDE] = SET_FLIGHTSIDE_SOCKET,
};

/* Where one key holder and the placer meet. */
struct place {
	struct meet *meet;
	enum proc key_holder;
	const char *path; /* NULL: none of ours */
	int listener;	  /* the placer's */
	struct event *ev;
	struct event *later; /* instead of ev */
	int64_t alone;	     /* nobody is there since then; 0: somebody is */
	int told;	     /* so it was said */
	int64_t refused;     /* was said then */
};

struct meet {
	enum proc self;
	const struct settings *settings;
	struct place place[PROC_COUNT];
	void (*came)(enum proc, void *);
	void *arg;
};

static int64_t
boot_ms(void)
{
	return now_read().boot_ms;
}

static enum proc
other(const struct place *p)
{
	return p->meet->self == PROC_PLACER ? p->key_holder : PROC_PLACER;
}

static int
check_self(const struct settings *s, enum proc self, struct why *why)
{
	uint32_t uid = settings_uid(s, self);

	if (geteuid() == uid)
		return 0;
	return fail(why, ERR_SYSTEM,
	    "UIDS=%s: --only %s must be started as user %" PRIu32
	    ", not %" PRIu32 ": the others would refuse it",
	    s->text[SET_UIDS], proc_name(self), uid, (uint32_t)geteuid());
}

static int
open_place(struct meet *m, enum proc key_holder, struct why *why)
{
	struct place *p = &m->place[key_holder];
	enum setting i = sockets[key_holder];

	p->path = m->settings->text[i];
	if (m->self != PROC_PLACER ||
	    (p->listener = local_listen(p->path, SOCKET_MODE)) != -1)
		return 0;
	return fail_code(why, ERR_SYSTEM, (uint32_t)errno,
	    "%s=%s: must be where a socket can be made: %s", settings_name(i),
	    p->path, strerror(errno));
}

struct meet *
meet_open(const struct settings *s, enum proc self, struct why *why)
{
	struct meet *m;
	enum proc i;

	if (check_self(s, self, why) == -1)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->self = self;
	m->settings = s;
	for (i = 0; i < PROC_COUNT; i++) {
		m->place[i].meet = m;
		m->place[i].key_holder = i;
		m->place[i].listener = -1;
	}
	for (i = PROC_KUBESIDE; i < PROC_PLACER; i++)
		if ((self == i || self == PROC_PLACER) &&
		    open_place(m, i, why) == -1) {
			meet_free(m);
			return NULL;
		}
	return m;
}

void
meet_stop(struct meet *m)
{
	enum proc i;

	for (i = 0; i < PROC_COUNT; i++) {
		if (m->place[i].ev == NULL)
			continue;
		event_free(m->place[i].ev);
		event_free(m->place[i].later);
		m->place[i].ev = NULL;
	}
}

void
meet_free(struct meet *m)
{
	struct place *p;
	enum proc i;

	if (m == NULL)
		return;
	for (i = 0; i < PROC_COUNT; i++) {
		p = &m->place[i];
		if (p->listener == -1)
			continue;
		close(p->listener);
		(void)unlink(p->path);
	}
	free(m);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	const struct place *p = arg;

	(void)fd, (void)what;
	p->meet->came(p->key_holder, p->meet->arg);
}

void
meet_start(struct meet *m, struct event_base *base,
    void (*came)(enum proc, void *), void *arg)
{
	struct place *p;
	enum proc i;

	m->came = came;
	m->arg = arg;
	for (i = 0; i < PROC_COUNT; i++) {
		p = &m->place[i];
		if (p->path == NULL)
			continue;
		p->ev = xevent_new(base, p->listener,
		    p->listener == -1 ? 0 : EV_READ, on_event, p);
		p->later = xevent_timer(base, on_event, p);
	}
}

/* -1: closed, and said. */
static int
known(struct place *p, int fd)
{
	uint32_t want = settings_uid(p->meet->settings, other(p));
	int64_t now = boot_ms();
	uid_t uid;

	if (local_peer(fd, &uid) == 0 && uid == want)
		return fd;
	close(fd);
	if (p->refused == 0 || now - p->refused >= AGAIN_MS) {
		p->refused = now;
		log_warn("%s: uid %" PRIu32
			 " is refused: UIDS gives %s the uid %" PRIu32,
		    p->path, (uint32_t)uid, proc_name(other(p)), want);
	}
	return -1;
}

/* Only the latest is wanted: an earlier one was given up by the other. */
static int
take_in(struct place *p)
{
	int fd, latest = -1, n, spent = 0;

	for (n = 0; n < ONCE; n++) {
		if ((fd = local_accept(p->listener)) == -1) {
			spent = local_is_spent(errno);
			break;
		}
		if (known(p, fd) == -1)
			continue;
		if (latest != -1)
			close(latest);
		latest = fd;
	}
	/* With a link, too: who else comes is looked at, not left waiting. */
	if (spent)
		xevent_in(p->later, SPENT_MS);
	else
		xevent_add(p->ev);
	return latest;
}

static void
say_alone(struct place *p, int error)
{
	int64_t now = boot_ms();

	if (p->alone == 0) {
		p->alone = now;
		log_info("%s: no %s yet: %s", p->path, proc_name(other(p)),
		    strerror(error));
	} else if (!p->told && now - p->alone >= ABSENT_MS) {
		p->told = 1;
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "link",
			.error = strerror(error) },
		    "no %s for %d s at %s", proc_name(other(p)),
		    ABSENT_MS / 1000, p->path);
	}
}

static int
go_there(struct place *p)
{
	int fd = local_connect(p->path);

	if (fd == -1)
		say_alone(p, errno);
	else
		fd = known(p, fd);
	if (fd == -1) {
		xevent_in(p->ev, LINK_PACE_MS);
		return -1;
	}
	p->alone = 0;
	p->told = 0;
	return fd;
}

int
meet_take(struct meet *m, enum proc key_holder)
{
	struct place *p = &m->place[key_holder];

	return p->listener == -1 ? go_there(p) : take_in(p);
}
