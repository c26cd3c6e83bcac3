/* SPDX-License-Identifier: ISC */
/*
 * https_loop.c: libcurl's multi interface on a libevent loop.
 *
 * Owns sockets' events, the timer, and the order in which calls start and
 * end.  libcurl refuses to be entered from its own callbacks, so what callers
 * ask for in there is queued and done by settle().
 */
/* Of curl_multi_socket_all(): see on_nudge(). */
#define CURL_DISABLE_DEPRECATION
#include "common/https_own.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"

enum {
	NUDGE_MS = 50,
};

void
https_must(CURLcode code)
{
	if (code != CURLE_OK)
		abort();
}

/*
 * Never more than there are connections: libcurl (7.88) has a queue for the
 * others, in which some are forgotten until their whole time is over.
 */
static void
begin(struct https_call *c)
{
	struct https *h = c->h;

	TAILQ_INSERT_TAIL(&h->calls, c, entry);
	https_ready(c);
	if (curl_multi_add_handle(h->multi, c->easy) != CURLM_OK)
		abort();
	c->added = 1;
	h->running++;
}

/* Those that were cancelled inside curl. */
static void
sweep(struct calls *list)
{
	struct https_call *c, *next;

	TAILQ_FOREACH_SAFE(c, list, entry, next)
		if (c->dead) {
			https_take_out(c);
			https_call_free(c);
		}
}

/* Until the first of those that wait has waited for too long. */
static void
await(struct https *h)
{
	int64_t first = INT64_MAX;
	struct https_call *c;

	TAILQ_FOREACH(c, &h->waiting, entry)
		if (c->due_ms != 0 && c->due_ms < first)
			first = c->due_ms;
	if (first != INT64_MAX)
		xevent_in(h->overdue, first - now_read().boot_ms + 1);
}

/* Before any is begun: the loop may have stood still, or the machine slept. */
static void
expire(struct https *h)
{
	int64_t now = now_read().boot_ms;
	struct https_call *c, *next;

	TAILQ_FOREACH_SAFE(c, &h->waiting, entry, next) {
		if (h->doomed)
			break;
		if (c->dead || c->due_ms == 0 || c->due_ms > now)
			continue;
		fail(&c->why, ERR_AGAIN,
		    "%s: not sent: %u others were under way all the time",
		    c->method_path, h->running);
		https_call_end(c, CURLE_OPERATION_TIMEDOUT);
	}
}

/* What could not be done inside curl, and the calls that ended there. */
static void
settle(struct https *h)
{
	struct https_call *c;
	CURLMsg *m;
	int left;

	h->in_curl++; /* done() may send and cancel: both only queue */
	while (
	    !h->doomed && (m = curl_multi_info_read(h->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE) {
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
			https_call_end(c, m->data.result);
		}
	expire(h);
	h->in_curl--;
	if (h->doomed) {
		https_destroy(h);
		return;
	}
	sweep(&h->calls);
	sweep(&h->waiting);
	while ((c = TAILQ_FIRST(&h->waiting)) != NULL &&
	    h->running < h->connections) {
		TAILQ_REMOVE(&h->waiting, c, entry);
		begin(c);
	}
	await(h);
}

void
https_start(struct https_call *c)
{
	struct https *h = c->h;

	if (h->in_curl == 0 && h->running < h->connections &&
	    TAILQ_EMPTY(&h->waiting)) {
		begin(c);
		return;
	}
	TAILQ_INSERT_TAIL(&h->waiting, c, entry);
	if (h->in_curl == 0)
		await(h);
}

void
https_take_out(struct https_call *c)
{
	struct https *h = c->h;

	TAILQ_REMOVE(c->added ? &h->calls : &h->waiting, c, entry);
	if (!c->added)
		return;
	curl_multi_remove_handle(h->multi, c->easy);
	c->added = 0;
	h->running--;
}

void
https_enter(struct https *h)
{
	h->in_curl++;
}

void
https_leave(struct https *h)
{
	if (--h->in_curl == 0)
		settle(h);
}

static void
drive(struct https *h, curl_socket_t fd, int what)
{
	int running;

	https_enter(h);
	curl_multi_socket_action(h->multi, fd, what, &running);
	https_leave(h);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	drive(arg, fd,
	    ((what & EV_READ) ? CURL_CSELECT_IN : 0) |
		((what & EV_WRITE) ? CURL_CSELECT_OUT : 0));
}

static void
on_overdue(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	https_enter(arg);
	https_leave(arg);
}

static int
is_connecting(const struct https *h)
{
	int64_t since = now_read().boot_ms - HTTPS_CONNECT_MS;
	struct https_call *c;
	curl_off_t us;

	TAILQ_FOREACH(c, &h->calls, entry)
		if (c->began_ms >= since &&
		    curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &us) ==
			CURLE_OK &&
		    us == 0)
			return 1;
	return 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct https *h = arg;

	(void)fd;
	(void)what;
	if (is_connecting(h))
		xevent_in(h->nudge, NUDGE_MS);
	drive(h, CURL_SOCKET_TIMEOUT, 0);
}

/*
 * A libcurl before 8.4 that gives up an address begins with the next one when
 * it is called again, and forgets to say when: at the end of the whole time.
 */
static void
on_nudge(evutil_socket_t fd, short what, void *arg)
{
	struct https *h = arg;
	int running;

	(void)fd;
	(void)what;
	https_enter(h);
	curl_multi_socket_all(h->multi, &running);
	https_leave(h);
}

static int
want_timer(CURLM *multi, long ms, void *arg)
{
	struct https *h = arg;

	(void)multi;
	if (ms < 0)
		evtimer_del(h->timer);
	else
		xevent_in(h->timer, ms);
	return 0;
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct https *h = arg;
	struct event *ev = sock;
	short wanted = EV_PERSIST;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(h->multi, fd, NULL);
		if (ev != NULL)
			event_free(ev);
		return 0;
	}
	if (what & CURL_POLL_IN)
		wanted |= EV_READ;
	if (what & CURL_POLL_OUT)
		wanted |= EV_WRITE;
	if (ev == NULL) {
		ev = xevent_new(h->base, fd, wanted, on_socket, h);
		curl_multi_assign(h->multi, fd, ev);
	} else {
		event_del(ev);
		event_assign(ev, h->base, fd, wanted, on_socket, h);
	}
	xevent_add(ev);
	return 0;
}

/* Calls that a callback of somebody else's wants to read on. */
static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct https *h = arg;
	struct https_call *c;

	(void)fd;
	(void)what;
	https_enter(h);
	TAILQ_FOREACH(c, &h->calls, entry)
		if (c->resume && !c->dead) {
			c->resume = 0;
			c->paused = 0;
			c->heard_ms = now_read().boot_ms;
			curl_easy_pause(c->easy, CURLPAUSE_CONT);
		}
	https_leave(h);
}

void
https_loop_open(struct https *h, unsigned int connections)
{
	h->timer = xevent_timer(h->base, on_timer, h);
	h->kick = xevent_timer(h->base, on_kick, h);
	h->nudge = xevent_timer(h->base, on_nudge, h);
	h->overdue = xevent_timer(h->base, on_overdue, h);
	h->connections = connections;
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		xmem_none();
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)connections);
}

void
https_loop_close(struct https *h)
{
	curl_multi_cleanup(h->multi);
	event_free(h->timer);
	event_free(h->kick);
	event_free(h->nudge);
	event_free(h->overdue);
}
