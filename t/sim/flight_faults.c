/* SPDX-License-Identifier: ISC */
/*
 * flight_faults.c: faults on demand and the count of requests.
 *
 * Owns requests that wait; knows nothing of what they ask for.
 */
#include "t/sim/flight_faults.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_api.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/web.h"

struct rule {
	STAILQ_ENTRY(rule) entry;
	char *method, *glob;
	int code; /* 0: cut */
	size_t bytes;
	unsigned int left;
};

struct held {
	STAILQ_ENTRY(held) entry;
	struct flight *flight;
	struct web_req *req;
	struct event *timer; /* NULL: hangs */
};

struct count {
	char *what;
	uint64_t n;
};

struct flight_faults {
	STAILQ_HEAD(, rule) rules;
	STAILQ_HEAD(, held) held;
	int hanging;
	struct count *counts;
	size_t ncounts;
	FILE *history; /* one line a request: METHOD TARGET */
};

struct flight_faults *
flight_faults_new(struct flight *f)
{
	struct flight_faults *x = xcalloc(1, sizeof(*x));

	(void)f;
	STAILQ_INIT(&x->rules);
	STAILQ_INIT(&x->held);
	return x;
}

static void
rule_free(struct rule *r)
{
	free(r->method);
	free(r->glob);
	free(r);
}

static void
counts_clear(struct flight_faults *x)
{
	size_t i;

	for (i = 0; i < x->ncounts; i++)
		free(x->counts[i].what);
	free(x->counts);
	x->counts = NULL;
	x->ncounts = 0;
}

static void
held_free(struct held *h)
{
	if (h->timer != NULL)
		event_free(h->timer);
	free(h);
}

void
flight_faults_free(struct flight_faults *x)
{
	struct rule *r;
	struct held *h;

	if (x == NULL)
		return;
	while ((r = STAILQ_FIRST(&x->rules)) != NULL) {
		STAILQ_REMOVE_HEAD(&x->rules, entry);
		rule_free(r);
	}
	while ((h = STAILQ_FIRST(&x->held)) != NULL) {
		STAILQ_REMOVE_HEAD(&x->held, entry);
		web_drop(h->req);
		held_free(h);
	}
	counts_clear(x);
	if (x->history != NULL)
		(void)fclose(x->history);
	free(x);
}

/* --- counts -------------------------------------------------------------- */

static void
count(struct flight_faults *x, struct web_req *req)
{
	char *what =
	    xasprintf("%s %s", web_method_name(req), flight_api_pattern(req));
	size_t i = 0;

	while (i < x->ncounts && strcmp(x->counts[i].what, what) < 0)
		i++;
	if (i == x->ncounts || strcmp(x->counts[i].what, what) != 0) {
		x->counts = xreallocarray(x->counts, x->ncounts + 1,
		    sizeof(*x->counts));
		memmove(x->counts + i + 1, x->counts + i,
		    (x->ncounts - i) * sizeof(*x->counts));
		x->counts[i] = (struct count){ xstrdup(what), 0 };
		x->ncounts++;
	}
	x->counts[i].n++;
	free(what);
}

void
flight_counts_write(struct out *o, const struct flight *f)
{
	const struct flight_faults *x = f->faults;
	size_t i;

	out_open(o, '{');
	for (i = 0; i < x->ncounts; i++) {
		out_key(o, x->counts[i].what);
		out_int(o, (int64_t)x->counts[i].n);
	}
	out_close(o, '}');
}

void
flight_counts_reset(struct flight *f)
{
	counts_clear(f->faults);
}

int
flight_history_to(struct flight *f, const char *path)
{
	struct flight_faults *x = f->faults;

	if (x->history != NULL)
		(void)fclose(x->history);
	x->history = NULL;
	if (path == NULL)
		return 0;
	if ((x->history = fopen(path, "ae")) == NULL)
		return -1;
	return setvbuf(x->history, NULL, _IOLBF, 0);
}

/* --- rules --------------------------------------------------------------- */

static void
add_rule(struct flight *f, const char *method, const char *glob, int code,
    size_t bytes, unsigned int n)
{
	struct rule *r = xcalloc(1, sizeof(*r));

	r->method = xstrdup(method);
	r->glob = xstrdup(glob);
	r->code = code;
	r->bytes = bytes;
	r->left = n;
	STAILQ_INSERT_TAIL(&f->faults->rules, r, entry);
}

void
flight_fail_next(struct flight *f, const char *method, const char *glob,
    int code, unsigned int n)
{
	add_rule(f, method, glob, code, 0, n);
}

void
flight_cut_next(struct flight *f, const char *method, const char *glob,
    size_t bytes, unsigned int n)
{
	add_rule(f, method, glob, 0, bytes, n);
}

static struct rule *
rule_for(struct flight_faults *x, struct web_req *req)
{
	struct rule *r;

	STAILQ_FOREACH(r, &x->rules, entry)
	if ((strcmp(r->method, "*") == 0 ||
		strcmp(r->method, web_method_name(req)) == 0) &&
	    flight_glob(r->glob, web_path(req)))
		return r;
	return NULL;
}

/* 1: answered. */
static int
apply_rule(struct flight_faults *x, struct web_req *req)
{
	struct rule *r = rule_for(x, req);
	int code;

	if (r == NULL)
		return 0;
	code = r->code;
	if (code == 0)
		web_cut_after(req, r->bytes);
	if (--r->left == 0) {
		STAILQ_REMOVE(&x->rules, r, rule, entry);
		rule_free(r);
	}
	if (code == 0)
		return 0;
	flight_refusef(req, code, "failed on demand (%d)", code);
	return 1;
}

/* --- waiting ------------------------------------------------------------- */

static void
go_on(struct flight *f, struct web_req *req)
{
	if (!flight_api_enter(f, req))
		web_resume(req);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct held *h = arg;

	(void)fd, (void)what;
	STAILQ_REMOVE(&h->flight->faults->held, h, held, entry);
	go_on(h->flight, h->req);
	held_free(h);
}

static void
hold(struct flight *f, struct web_req *req, int64_t ms)
{
	struct held *h = xcalloc(1, sizeof(*h));
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	h->flight = f;
	h->req = req;
	STAILQ_INSERT_TAIL(&f->faults->held, h, entry);
	if (ms < 0)
		return;
	h->timer = event_new(f->base, -1, 0, on_late, h);
	event_add(h->timer, &tv);
}

void
flight_hang(struct flight *f, int on)
{
	struct flight_faults *x = f->faults;
	struct held *h, *next;

	x->hanging = on;
	for (h = on ? NULL : STAILQ_FIRST(&x->held); h != NULL; h = next) {
		next = STAILQ_NEXT(h, entry);
		if (h->timer != NULL)
			continue;
		STAILQ_REMOVE(&x->held, h, held, entry);
		go_on(f, h->req);
		held_free(h);
	}
}

int
flight_faults_gate(struct flight *f, struct web_req *req)
{
	struct flight_faults *x = f->faults;

	count(x, req);
	if (x->history != NULL)
		(void)fprintf(x->history, "%s %s\n", web_method_name(req),
		    web_target(req));
	if (apply_rule(x, req))
		return 1;
	if (x->hanging || f->conf.latency_ms > 0) {
		hold(f, req, x->hanging ? -1 : f->conf.latency_ms);
		return 1;
	}
	return 0;
}

/* Devices feel an outage, but are neither counted nor slowed down. */
int
flight_faults_agent_gate(struct flight *f, struct web_req *req)
{
	return apply_rule(f->faults, req);
}
