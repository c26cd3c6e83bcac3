/* SPDX-License-Identifier: ISC */
/*
 * flight.c: the queue in front of Flightctl.
 *
 * Owns the HTTP client and the budget; who we are to the service is
 * flight_entry.c's.  Never repeats a request by itself but for 429 and a
 * refused token; never knows what a request is for.
 */
#include "flightside/flight.h"

#include <sys/queue.h>
#include <sys/time.h>

#include <assert.h>
#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/sandbox.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/flight_own.h"

enum {
	CONNECTIONS = 12,
	COUNT_MS = 60 * 1000,
};

/* -- the queue -- */

static void
wake(struct flight *f)
{
	xevent_in(f->pump, 0);
}

static unsigned int
waiting_mask(const struct flight *f)
{
	const struct flight_call *first =
	    TAILQ_FIRST(&f->waiting[BUDGET_WRITE]);
	unsigned int mask = 0, c;

	for (c = 0; c < BUDGET_CLASSES; c++)
		if (!TAILQ_EMPTY(&f->waiting[c]))
			mask |= 1u << c;
	if (first != NULL && first->rank == FLIGHT_PAIR)
		mask |= BUDGET_PAIR;
	if (first != NULL && first->rank == FLIGHT_KEPT && first->kept)
		mask |= BUDGET_KEPT;
	return mask;
}

static void
unkeep(struct flight_call *c)
{
	if (c->kept)
		budget_unkeep(&c->flight->budget);
	c->kept = 0;
}

static void
call_free(struct flight_call *c)
{
	unkeep(c);
	if (c->flight->giver == c)
		c->flight->giver = NULL;
	if (c->https != NULL) {
		TAILQ_REMOVE(&c->flight->sent, c, entry);
		c->flight->nsent--;
	} else
		TAILQ_REMOVE(&c->flight->waiting[c->class], c, entry);
	free(c);
}

/* Back to the head of its line; ready() will be asked again. */
static void
call_again(struct flight_call *c)
{
	struct flight *f = c->flight;

	unkeep(c);
	TAILQ_REMOVE(&f->sent, c, entry);
	f->nsent--;
	c->https = NULL;
	TAILQ_INSERT_HEAD(&f->waiting[c->class], c, entry);
	wake(f);
}

static void
on_limit(struct flight *f, const struct https_answer *a)
{
	struct now now = now_read();
	int64_t pause =
	    budget_pause(a->retry_after_ms, a->limit_reset_s, now.wall_ms);
	struct flight_call *c;

	budget_refused(&f->budget, pause, now.boot_ms);
	TAILQ_FOREACH(c, &f->sent, entry)
		c->kept = 0;
	TAILQ_FOREACH(c, &f->waiting[BUDGET_WRITE], entry)
		c->kept = 0;
	log_warn("Flightctl refuses more requests for %lld ms; from then on "
		 "at most %lld a minute",
	    (long long)pause, (long long)f->budget.slowed);
}

/* Of a class that writes, what is no PUT is the read before it. */
static enum request
kind_of(enum budget_class class, enum https_method method)
{
	static const enum request kinds[BUDGET_CLASSES] = {
		[BUDGET_WRITE] = REQUEST_DEVICE_BASE,
		[BUDGET_MOTION] = REQUEST_MOTION,
		[BUDGET_FULL] = REQUEST_DEVICES_LIST,
		[BUDGET_SUSPECT] = REQUEST_SUSPECT,
		[BUDGET_REST] = REQUEST_FLIGHT_OTHER,
	};

	return method == HTTPS_PUT ? REQUEST_DEVICE_PUT : kinds[class];
}

static void
on_done(const struct https_answer *plain, void *arg)
{
	struct flight_call *c = arg;
	struct flight *f = c->flight;
	enum right right = c->right;
	struct https_answer a;

	meter_add(&f->meter, c->kind, now_us() - c->began_us, plain->why.kind);
	f->limited += plain->status == 429;
	if (plain->status == 429)
		on_limit(f, plain);
	if (plain->status == 429 || !entry_accepts(c, plain)) {
		call_again(c);
		return;
	}
	a = entry_explain(c, plain);
	entry_look(c, &a);
	f->giver = c;
	c->ops->done(&a, c->arg);
	call_free(c);
	wake(f);
	/* Last: a change of state may begin other calls and end some. */
	entry_judge(f, &a, right);
}

static int
on_data(struct span piece, void *arg, struct why *why)
{
	struct flight_call *c = arg;
	struct flight *f = c->flight;
	int rc;

	f->giver = c;
	rc = c->ops->data(piece, c->arg, why);
	f->giver = NULL;
	return rc;
}

/* Sends the first of a class; 0: it had nothing to send any more. */
static int
send_first(struct flight *f, enum budget_class class, int keeps)
{
	struct flight_call *c =
	    f->settled ? TAILQ_FIRST(&f->waiting[class]) : f->org_call;
	struct flight_req r = { .method = HTTPS_GET };
	AUTO_FREE char *path = NULL;

	c->kept = keeps;
	if (!c->ops->ready(&r, c->arg)) {
		call_free(c);
		return 0;
	}
	path = r.path;
	(void)entry_renew(f, 0);
	c->right = r.right;
	c->kind =
	    c == f->org_call ? REQUEST_FLIGHT_OTHER : kind_of(class, r.method);
	c->began_us = now_us();
	c->token = f->token;
	TAILQ_REMOVE(&f->waiting[class], c, entry);
	TAILQ_INSERT_TAIL(&f->sent, c, entry);
	f->nsent++;
	c->https = https_send(f->https,
	    &(struct https_req){ .method = r.method,
		.path = path,
		.body = r.body,
		.deadline_ms = r.deadline_ms,
		.silence_ms = r.silence_ms,
		.body_max = r.body_max,
		.data = c->ops->data == NULL ? NULL : on_data,
		.done = on_done,
		.arg = c });
	return 1;
}

/* Which classes may go; before the organisation is known, only its call. */
static unsigned int
ready_mask(const struct flight *f)
{
	if (f->settled)
		return waiting_mask(f);
	return f->org_call != NULL && f->org_call->https == NULL ?
	    1u << BUDGET_WRITE :
	    0;
}

static void
tell_rate(struct flight *f)
{
	if (f->told == f->budget.slowed)
		return;
	f->told = f->budget.slowed;
	if (f->tell != NULL)
		f->tell(f->tell_arg);
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct flight *f = arg;
	enum budget_class class;
	int64_t now = now_read().boot_ms;
	int64_t kept;
	unsigned int mask;

	(void)fd, (void)what;
	while (f->nsent < CONNECTIONS && (mask = ready_mask(f)) != 0) {
		kept = budget_keeps(&f->budget);
		class = budget_next(&f->budget, mask, now);
		tell_rate(f);
		if (class == BUDGET_CLASSES) {
			xevent_in(f->pump, budget_wait(&f->budget, mask, now));
			return;
		}
		if (!send_first(f, class, budget_keeps(&f->budget) > kept))
			budget_return(&f->budget, class);
	}
}

struct flight_call *
flight_queue(struct flight *f, enum budget_class class, enum flight_rank rank,
    const struct flight_ops *ops, void *arg)
{
	struct flight_call *c = xcalloc(1, sizeof(*c)), *behind = NULL;

	c->flight = f;
	c->class = class;
	c->rank = rank;
	if (rank == FLIGHT_KEPT && f->giver != NULL && f->giver->kept) {
		f->giver->kept = 0;
		c->kept = 1;
	}
	c->ops = ops;
	c->arg = arg;
	TAILQ_FOREACH(behind, &f->waiting[class], entry)
		if (behind->rank < rank)
			break;
	if (behind != NULL)
		TAILQ_INSERT_BEFORE(behind, c, entry);
	else
		TAILQ_INSERT_TAIL(&f->waiting[class], c, entry);
	wake(f);
	return c;
}

void
flight_cancel(struct flight_call *c)
{
	if (c == NULL)
		return;
	if (c->https != NULL)
		https_cancel(c->https);
	wake(c->flight);
	call_free(c);
}

void
flight_pause(struct flight_call *c)
{
	if (c->https != NULL)
		https_pause(c->https);
}

void
flight_resume(struct flight_call *c)
{
	if (c->https != NULL)
		https_resume(c->https);
}

/* -- life -- */

static void
on_count(evutil_socket_t fd, short what, void *arg)
{
	struct flight *f = arg;
	uint64_t n = https_count(f->https);

	(void)fd, (void)what;
	if (n != f->counted)
		log_debug("%llu requests to Flightctl in the last minute",
		    (unsigned long long)(n - f->counted));
	f->counted = n;
	xevent_in(f->count, COUNT_MS);
}

/* The client; what it needs of the settings lives as long as they do. */
static int
connect_to(struct flight *f, const struct settings *s, struct why *why)
{
	client_conf(&f->conf, &f->client, s, CONNECTIONS);
	if ((f->https = https_new(f->base, &f->conf, why)) == NULL)
		return -1;
	(void)sandbox_reaches(https_port(f->https));
	if (f->client.plain)
		log_warn("FLIGHTCTL_API_URL=%s is plain http, taken because "
			 "it is a loopback address: token and answers are not "
			 "encrypted",
		    f->client.url);
	return 0;
}

struct flight *
flight_new(struct event_base *base, const struct settings *s, struct span token,
    void (*state)(enum flight_state, const char *, void *), void *arg,
    struct why *why)
{
	struct flight *f = xcalloc(1, sizeof(*f));
	unsigned int c;

	f->base = base;
	f->reach = reach_new(base, state, arg);
	for (c = 0; c < BUDGET_CLASSES; c++)
		TAILQ_INIT(&f->waiting[c]);
	TAILQ_INIT(&f->sent);
	f->pump = xevent_timer(base, on_pump, f);
	f->count = xevent_timer(base, on_count, f);
	f->creds = creds_new(s, token);
	budget_init(&f->budget, (uint32_t)s->number[SET_FLIGHTCTL_RATE],
	    now_read().boot_ms);
	if (connect_to(f, s, why) == -1) {
		flight_free(f);
		return NULL;
	}
	f->wanted = s->text[SET_FLIGHTCTL_ORG];
	xevent_in(f->count, COUNT_MS);
	entry_open(f);
	return f;
}

void
flight_free(struct flight *f)
{
	struct flight_call *c;
	unsigned int i;

	if (f == NULL)
		return;
	while ((c = TAILQ_FIRST(&f->sent)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		flight_cancel(c);
	for (i = 0; i < BUDGET_CLASSES; i++)
		while ((c = TAILQ_FIRST(&f->waiting[i])) != NULL)
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			flight_cancel(c);
	https_free(f->https);
	creds_free(f->creds);
	event_free(f->pump);
	reach_free(f->reach);
	event_free(f->count);
	entry_close(f);
	client_free(&f->client);
	free(f);
}

const char *
flight_org(const struct flight *f)
{
	return f->org;
}

int64_t
flight_rate(const struct flight *f)
{
	return f->budget.slowed;
}

void
flight_tell_rate(struct flight *f, void (*fn)(void *), void *arg)
{
	f->told = f->budget.slowed;
	f->tell = fn;
	f->tell_arg = arg;
}

struct meter *
flight_meter(struct flight *f)
{
	return &f->meter;
}

void
flight_budget(const struct flight *f, struct body_budget *m)
{
	const struct flight_call *c;
	unsigned int i;

	static_assert((int)BUDGET_KINDS == (int)BUDGET_CLASSES,
	    "a count for each class");
	m->left = (uint64_t)budget_left(&f->budget, now_read().boot_ms);
	m->burst = (uint64_t)budget_burst(f->budget.slowed);
	m->limited = f->limited;
	for (i = 0; i < BUDGET_CLASSES; i++)
		TAILQ_FOREACH(c, &f->waiting[i], entry)
			m->waiting[i]++;
}

int
flight_state(const struct flight *f)
{
	return reach_state(f->reach);
}

const char *
flight_text(const struct flight *f)
{
	return reach_text(f->reach);
}

void
flight_reload(struct flight *f, const struct settings *s)
{
	struct why why;

	budget_change(&f->budget, (uint32_t)s->number[SET_FLIGHTCTL_RATE],
	    now_read().boot_ms);
	entry_reload(f);
	if (https_renew(f->https, &f->conf, &why) == -1)
		abort(); /* it is the same server, and by no proxy */
	wake(f);
}
