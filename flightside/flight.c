/* SPDX-License-Identifier: ISC */
/*
 * flight.c: the queue in front of Flightctl.
 *
 * Owns the HTTP client, the token's way into it, the organisation and the
 * budget.  Never repeats a request by itself but for
 * 429 and a refused token; never knows what a request is for.
 */
#include "flightside/flight.h"

#include <sys/queue.h>
#include <sys/time.h>

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/creds.h"
#include "flightside/org.h"
#include "flightside/path.h"
#include "flightside/reach.h"
#include "ipc/build.h"

enum {
	CONNECTIONS = 12,
	COUNT_MS = 60 * 1000,
};

struct flight_call {
	TAILQ_ENTRY(flight_call) entry;
	struct flight *flight;
	enum budget_class class;
	const struct flight_ops *ops;
	void *arg;
	struct https_call *https; /* NULL: waits */
	int first;
	int quiet;
	int renewed; /* sent again with a newer token */
};

TAILQ_HEAD(calls, flight_call);

struct flight {
	struct event_base *base;
	struct https *https;
	struct https_conf conf;
	char *url, *agent;
	struct creds *creds;
	char org[ORG_SIZE]; /* empty: not known yet */
	struct flight_call *org_call;
	struct event *org_again;
	unsigned int org_failures;
	struct budget budget;
	struct calls waiting[BUDGET_CLASSES];
	struct calls sent;
	size_t nsent;
	struct event *pump;  /* a turn may be there */
	struct event *count; /* debug line a minute */
	uint64_t counted;
	struct reach *reach;
};

struct timeval
flight_timeval(int64_t ms)
{
	if (ms < 0)
		ms = 0;
	return (struct timeval){ ms / 1000, (suseconds_t)(ms % 1000 * 1000) };
}

static void
arm(struct event *ev, int64_t ms)
{
	const struct timeval tv = flight_timeval(ms);

	if (evtimer_add(ev, &tv) == -1)
		abort();
}

/* -- the queue -- */

static void
wake(struct flight *f)
{
	arm(f->pump, 0);
}

static unsigned int
waiting_mask(const struct flight *f)
{
	unsigned int mask = 0, c;

	for (c = 0; c < BUDGET_CLASSES; c++)
		if (!TAILQ_EMPTY(&f->waiting[c]))
			mask |= 1u << c;
	return mask;
}

static void
call_free(struct flight_call *c)
{
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

	TAILQ_REMOVE(&f->sent, c, entry);
	f->nsent--;
	c->https = NULL;
	TAILQ_INSERT_HEAD(&f->waiting[c->class], c, entry);
	wake(f);
}

/* 1: the file has another token by now; now: even if it was just read. */
static int
renew_token(struct flight *f, int now)
{
	struct why why;
	int rc = creds_refresh(f->creds, now_read(), now, &why);

	if (rc == -1)
		log_warn("%s", why.text);
	if (rc == 1)
		https_token(f->https, creds_token(f->creds));
	return rc == 1;
}

static void
on_limit(struct flight *f, const struct https_answer *a)
{
	struct now now = now_read();
	int64_t pause =
	    budget_pause(a->retry_after_ms, a->limit_reset_s, now.wall_ms);

	budget_refused(&f->budget, pause, now.boot_ms);
	log_warn("Flightctl refuses more requests for %lld ms; from then on "
		 "at most %lld a minute",
	    (long long)pause, (long long)f->budget.slowed);
}

/* The answer with the service's own words in its reason. */
static struct https_answer
explained(const struct https_answer *plain)
{
	struct https_answer a = *plain;
	char message[MAX_TEXT];

	if (a.why.kind != ERR_NONE && a.status != 0 && a.body.len > 0 &&
	    a.body.len <= 65536 &&
	    scan_get_string(a.body, message, sizeof(message), "message",
		NULL) == 1)
		fail_code(&a.why, a.why.kind, a.status, "%.160s: %s",
		    plain->why.text, message);
	return a;
}

static void
on_done(const struct https_answer *plain, void *arg)
{
	struct flight_call *c = arg;
	struct flight *f = c->flight;
	struct https_answer a;
	int quiet = c->quiet;

	if (plain->status == 429) {
		on_limit(f, plain);
		call_again(c);
		return;
	}
	if (plain->status == 401 && !c->renewed && renew_token(f, 1)) {
		c->renewed = 1;
		call_again(c);
		return;
	}
	a = explained(plain);
	c->ops->done(&a, c->arg);
	call_free(c);
	wake(f);
	/* Last: a change of state may begin other calls and end some. */
	if (f->org[0] != '\0' || a.status == 0 || a.status >= 500)
		reach_judge(f->reach, &a, quiet);
}

static int
on_data(struct span piece, void *arg, struct why *why)
{
	struct flight_call *c = arg;

	return c->ops->data(piece, c->arg, why);
}

/* Sends the first of a class; 0: it had nothing to send any more. */
static int
send_first(struct flight *f, enum budget_class class)
{
	struct flight_call *c = TAILQ_FIRST(&f->waiting[class]);
	struct flight_req r = { .method = HTTPS_GET };
	AUTO_FREE char *path = NULL;

	if (!c->ops->ready(&r, c->arg)) {
		call_free(c);
		return 0;
	}
	path = r.path;
	(void)renew_token(f, 0);
	c->quiet = r.quiet;
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
	if (f->org[0] != '\0')
		return waiting_mask(f);
	return f->org_call != NULL && f->org_call->https == NULL ?
	    1u << BUDGET_WRITE :
	    0;
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct flight *f = arg;
	enum budget_class class;
	int64_t now = now_read().boot_ms;
	unsigned int mask;

	(void)fd, (void)what;
	while (f->nsent < CONNECTIONS && (mask = ready_mask(f)) != 0) {
		class = budget_next(&f->budget, mask, now);
		if (class == BUDGET_CLASSES) {
			arm(f->pump, budget_wait(&f->budget, mask, now));
			return;
		}
		if (!send_first(f, class))
			budget_return(&f->budget, class);
	}
}

struct flight_call *
flight_queue(struct flight *f, enum budget_class class, int first,
    const struct flight_ops *ops, void *arg)
{
	struct flight_call *c = xcalloc(1, sizeof(*c)), *behind = NULL;

	c->flight = f;
	c->class = class;
	c->first = first;
	c->ops = ops;
	c->arg = arg;
	if (first)
		TAILQ_FOREACH(behind, &f->waiting[class], entry)
			if (!behind->first)
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

/* -- the organisation -- */

static int
org_ready(struct flight_req *r, void *arg)
{
	(void)arg;
	r->path = path_make("organizations", NULL, NULL, NULL);
	return 1;
}

static void
org_done(const struct https_answer *a, void *arg)
{
	struct flight *f = arg;
	struct why why = a->why;
	int64_t wait;

	f->org_call = NULL;
	if (why.kind == ERR_NONE && org_pick(a->body, f->org, &why) == 0) {
		log_info("organization %s", f->org);
		return;
	}
	f->org[0] = '\0';
	/* It answers, but nothing can be asked of it. */
	if (a->status != 0 && a->status < 500)
		reach_lost(f->reach, why.text);
	wait = retry_wait_ms(why.kind, ++f->org_failures, a->retry_after_ms,
	    arc4random());
	arm(f->org_again, wait);
}

static void
on_org_again(evutil_socket_t fd, short what, void *arg)
{
	static const struct flight_ops ops = { org_ready, NULL, org_done };
	struct flight *f = arg;

	(void)fd, (void)what;
	f->org_call = flight_queue(f, BUDGET_WRITE, 1, &ops, f);
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
	arm(f->count, COUNT_MS);
}

static const char *
path_or_null(const struct settings *s, enum setting which)
{
	return s->text[which][0] != '\0' ? s->text[which] : NULL;
}

/* The client; what it needs of the settings lives as long as they do. */
static int
connect_to(struct flight *f, const struct settings *s, struct why *why)
{
	const char *url = s->text[SET_FLIGHTCTL_API_URL];
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	f->url = xstrndup(url, len);
	f->agent = xasprintf("vk-flightctl-provider/%s", build_version);
	f->conf = (struct https_conf){ .base = f->url,
		.ca_file = path_or_null(s, SET_FLIGHTCTL_CA_FILE),
		.cert_file = path_or_null(s, SET_FLIGHTCTL_CLIENT_CERT),
		.key_file = path_or_null(s, SET_FLIGHTCTL_CLIENT_KEY),
		.user_agent = f->agent,
		.connections = CONNECTIONS };
	f->https = https_new(f->base, &f->conf, why);
	return f->https == NULL ? -1 : 0;
}

static struct event *
timer(struct flight *f, event_callback_fn fn)
{
	struct event *ev = evtimer_new(f->base, fn, f);

	if (ev == NULL)
		abort();
	return ev;
}

struct flight *
flight_new(struct event_base *base, const struct settings *s, struct span token,
    void (*state)(int, const char *, void *), void *arg, struct why *why)
{
	struct flight *f = xcalloc(1, sizeof(*f));
	unsigned int c;

	f->base = base;
	f->reach = reach_new(base, state, arg);
	for (c = 0; c < BUDGET_CLASSES; c++)
		TAILQ_INIT(&f->waiting[c]);
	TAILQ_INIT(&f->sent);
	f->pump = timer(f, on_pump);
	f->count = timer(f, on_count);
	f->org_again = timer(f, on_org_again);
	f->creds = creds_new(s, token);
	budget_init(&f->budget, (uint32_t)s->number[SET_FLIGHTCTL_RATE],
	    now_read().boot_ms);
	if (connect_to(f, s, why) == -1) {
		flight_free(f);
		return NULL;
	}
	(void)strlcpy(f->org, s->text[SET_FLIGHTCTL_ORG], sizeof(f->org));
	https_token(f->https, creds_token(f->creds));
	if (log_debugging())
		arm(f->count, COUNT_MS);
	if (f->org[0] == '\0')
		arm(f->org_again, 0);
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
	event_free(f->org_again);
	free(f->url);
	free(f->agent);
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

int
flight_reachable(const struct flight *f)
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
	(void)renew_token(f, 1);
	if (https_renew(f->https, &f->conf, &why) == -1)
		log_error("credentials: %s; those of before stay", why.text);
	if (log_debugging())
		arm(f->count, COUNT_MS);
	wake(f);
}
