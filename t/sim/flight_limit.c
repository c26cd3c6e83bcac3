/* SPDX-License-Identifier: ISC */
/*
 * flight_limit.c: 429.
 *
 * Owns the two windows.  A window slides as the service's library has it: the
 * last window's count weighs as much as it still reaches into this one.
 */
#include "t/sim/flight_limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_http.h"
#include "t/sim/web.h"

struct window {
	unsigned int limit; /* 0: off */
	int64_t ms;
	int64_t begin; /* wall clock, ms */
	unsigned int now, before;
};

struct flight_limit {
	struct window all, auth;
};

struct flight_limit *
flight_limit_new(void)
{
	return xcalloc(1, sizeof(struct flight_limit));
}

void
flight_limit_free(struct flight_limit *l)
{
	free(l);
}

/* Windows begin when the limiter is set, as if it were started then. */
void
flight_limit_set(struct flight *f, unsigned int requests, int64_t window,
    unsigned int auth_requests, int64_t auth_window)
{
	int64_t now = flight_us() / 1000;

	f->limit->all = (struct window){ requests, window, now, 0, 0 };
	f->limit->auth =
	    (struct window){ auth_requests, auth_window, now, 0, 0 };
}

static void
turn(struct window *w, int64_t now)
{
	int64_t begin = now - (now - w->begin) % w->ms;

	if (begin == w->begin)
		return;
	w->before = begin == w->begin + w->ms ? w->now : 0;
	w->now = 0;
	w->begin = begin;
}

static double
rate(const struct window *w, int64_t now)
{
	return w->before * (double)(w->ms - (now - w->begin)) / (double)w->ms +
	    w->now;
}

static void
add_number(struct web_req *req, const char *name, int64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRId64, v);
	web_add_header(req, name, buf);
}

/* 1: there was room, and it is taken. */
static int
take(struct window *w, int64_t now)
{
	if (w->limit == 0)
		return 1;
	turn(w, now);
	if (rate(w, now) + 1 > (double)w->limit)
		return 0;
	w->now++;
	return 1;
}

static void
add_headers(const struct window *w, struct web_req *req, int64_t now)
{
	int64_t left;

	if (w->limit == 0)
		return;
	left = (int64_t)w->limit - (int64_t)(rate(w, now) + 0.5);
	add_number(req, "X-Ratelimit-Limit", w->limit);
	add_number(req, "X-Ratelimit-Remaining", left < 0 ? 0 : left);
	add_number(req, "X-Ratelimit-Reset", (w->begin + w->ms) / 1000);
}

static int
refuse(const struct window *w, struct web_req *req, const char *message)
{
	add_number(req, "Retry-After", w->ms / 1000);
	flight_refuse_bare(req, 429, "TooManyRequests", message);
	return 1;
}

int
flight_limit_gate(struct flight *f, struct web_req *req)
{
	struct window *all = &f->limit->all, *auth = &f->limit->auth;
	int64_t now = flight_us() / 1000;
	int is_auth = strcmp(web_path(req), "/api/v1/auth/validate") == 0;

	if (!take(all, now)) {
		add_headers(all, req, now);
		return refuse(all, req,
		    "Rate limit exceeded, please try again later");
	}
	if (!is_auth || auth->limit == 0) {
		add_headers(all, req, now);
		return 0;
	}
	if (take(auth, now)) {
		add_headers(auth, req, now);
		return 0;
	}
	add_headers(auth, req, now);
	flight_headers_in(req);
	return refuse(auth, req,
	    "Login rate limit exceeded, please try again later");
}
