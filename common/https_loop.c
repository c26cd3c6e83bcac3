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
	if (code == CURLE_OUT_OF_MEMORY)
		xmem_none();
	if (code != CURLE_OK)
		abort();
}

/* What it forgets for lack of memory, nobody would ask it for again. */
static void
multi_must(CURLMcode code)
{
	if (code == CURLM_OUT_OF_MEMORY)
		xmem_none();
}

/* What could not be done inside curl, and the calls that ended there. */
static void
settle(struct https *h)
{
	struct https_call *c, *next;
	CURLMsg *m;
	int left;

	h->in_curl++; /* done() may send and cancel: both only queue */
	while (
	    !h->doomed && (m = curl_multi_info_read(h->multi, &left)) != NULL)
		if (m->msg == CURLMSG_DONE) {
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
			https_call_end(c, m->data.result);
		}
	h->in_curl--;
	if (h->doomed) {
		https_destroy(h);
		return;
	}
	for (c = TAILQ_FIRST(&h->calls); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->dead) {
			TAILQ_REMOVE(&h->calls, c, entry);
			https_call_free(c);
		}
	}
	while ((c = TAILQ_FIRST(&h->waiting)) != NULL) {
		TAILQ_REMOVE(&h->waiting, c, entry);
		if (c->dead)
			https_call_free(c);
		else
			https_start(c);
	}
}

void
https_start(struct https_call *c)
{
	struct https *h = c->h;

	if (h->in_curl > 0) {
		TAILQ_INSERT_TAIL(&h->waiting, c, entry);
		return;
	}
	TAILQ_INSERT_TAIL(&h->calls, c, entry);
	multi_must(curl_multi_add_handle(h->multi, c->easy));
	c->added = 1;
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
	multi_must(curl_multi_socket_action(h->multi, fd, what, &running));
	https_leave(h);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	drive(arg, fd,
	    ((what & EV_READ) ? CURL_CSELECT_IN : 0) |
		((what & EV_WRITE) ? CURL_CSELECT_OUT : 0));
}

static int
is_connecting(const struct https *h)
{
	int64_t since = now_read().boot_ms - HTTPS_CONNECT_MS;
	struct https_call *c;
	curl_off_t us;

	TAILQ_FOREACH(c, &h->calls, entry)
		if (c->sent_ms >= since &&
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
	multi_must(curl_multi_socket_all(h->multi, &running));
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
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		xmem_none();
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    (long)connections);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)connections);
}

void
https_loop_close(struct https *h)
{
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	if (h->timer != NULL)
		event_free(h->timer);
	if (h->kick != NULL)
		event_free(h->kick);
	if (h->nudge != NULL)
		event_free(h->nudge);
}
