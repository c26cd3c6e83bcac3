/* SPDX-License-Identifier: ISC */
/*
 * pages.c: the full list.
 *
 * Owns the rounds: when one begins, its pages, and whether it was complete.
 * Never looks into a device but for its name; never decides what an absence
 * means.
 */
#include "flightside/pages.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/form.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/fleets.h"
#include "flightside/flight.h"
#include "flightside/path.h"

enum {
	PAGE_BYTES = 4 * 1000 * 1000,
	FIRST_LIMIT = 100,
	LEAST_LIMIT = 10,
	MOST_LIMIT = 1000,
	SHORTEST_MS = 30 * 1000,
	BYTES_A_MS = 2000,
	SILENCE_MS = 20 * 1000,
	MAX_CONTINUE = 1024,
	FRESH_MS = 5 * 1000,
};

struct pages {
	struct flight *flight;
	const struct fleets *fleets;
	const struct pages_ops *ops;
	void *arg;
	int64_t longest_ms;
	struct event *timer;
	int on;

	/* the round */
	uint64_t round;
	size_t selector;	 /* which of the fleets' */
	char next[MAX_CONTINUE]; /* "" : first page */
	int64_t began;
	uint64_t bytes, devices, npages;
	uint64_t last_bytes, last_devices; /* of the round before */
	unsigned int failures;

	/* the page */
	struct flight_call *call;
	struct scan *scan;
	int64_t read_boot;
};

static void ask_page(struct pages *);

int64_t
pages_period(uint64_t bytes, uint64_t pages, int64_t rate, int64_t longest_ms)
{
	int64_t page_ms = budget_interval(rate, BUDGET_FULL);
	int64_t period = SHORTEST_MS;

	if ((int64_t)(bytes / BYTES_A_MS) > period)
		period = (int64_t)(bytes / BYTES_A_MS);
	if ((int64_t)pages * page_ms > period)
		period = (int64_t)pages * page_ms;
	return period < longest_ms ? period : longest_ms;
}

unsigned int
pages_limit(uint64_t bytes, uint64_t devices)
{
	uint64_t limit;

	if (devices == 0 || bytes == 0)
		return FIRST_LIMIT;
	limit = devices * PAGE_BYTES / bytes;
	if (limit < LEAST_LIMIT)
		return LEAST_LIMIT;
	return limit > MOST_LIMIT ? MOST_LIMIT : (unsigned int)limit;
}

static void
arm(struct pages *p, int64_t ms)
{
	xevent_in(p->timer, ms);
}

static int
pass_bad(struct pages *p, struct span head, const struct why *why)
{
	char name[MAX_NAME + 1];

	if (scan_head_string(head, name, sizeof(name), "metadata", "name",
		NULL) != 1 ||
	    !form_is_subdomain(span_of(name))) {
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "list",
			.error = why->text },
		    "a device in the list has no readable name");
		return 0;
	}
	return p->ops->bad(name, p->read_boot, why, p->arg);
}

static int
on_item(struct span item, void *arg, struct why *unused)
{
	struct pages *p = arg;
	char name[MAX_NAME + 1];
	struct why why;
	int full;

	(void)unused;
	p->devices++;
	if (!scan_is_valid(item) ||
	    scan_get_string(item, name, sizeof(name), "metadata", "name",
		NULL) != 1 ||
	    !form_is_subdomain(span_of(name))) {
		fail(&why, ERR_FORMAT,
		    "the device is no JSON, or metadata.name is no name of "
		    "one");
		full = pass_bad(p, item, &why);
	} else
		full = p->ops->device(item, p->read_boot, p->arg);
	if (full && p->call != NULL)
		flight_pause(p->call);
	return 0;
}

static int
on_oversize(struct span head, void *arg, struct why *unused)
{
	struct pages *p = arg;
	struct why why;

	(void)unused;
	p->devices++;
	fail(&why, ERR_LIMIT, "the device has more than %d bytes", MAX_ITEM);
	if (pass_bad(p, head, &why))
		flight_pause(p->call);
	return 0;
}

static int
page_ready(struct flight_req *r, void *arg)
{
	static const struct scan_ops ops = { on_item, on_oversize };
	struct pages *p = arg;
	char limit[16];

	p->read_boot = now_read().boot_ms;
	(void)snprintf(limit, sizeof(limit), "%u",
	    pages_limit(p->bytes + p->last_bytes,
		p->devices + p->last_devices));
	r->path = path_make("devices", NULL, flight_org(p->flight),
	    (const struct path_param[]){
		{ "labelSelector", fleets_selector(p->fleets, p->selector) },
		{ "limit", limit },
		{ "continue", p->next[0] != '\0' ? p->next : NULL },
		{ NULL, NULL } });
	r->right = RIGHT_LIST_DEVICES;
	r->silence_ms = SILENCE_MS;
	scan_free(p->scan);
	p->scan = scan_new(SCAN_LIST, MAX_ITEM, &ops, p);
	return 1;
}

static int
page_data(struct span piece, void *arg, struct why *why)
{
	struct pages *p = arg;

	p->bytes += piece.len;
	return scan_feed(p->scan, piece, why);
}

static void
round_end(struct pages *p, const struct why *why)
{
	int complete = why->kind == ERR_NONE;
	int64_t wait;

	if (complete) {
		p->failures = 0;
		p->last_bytes = p->bytes;
		p->last_devices = p->devices;
		wait = p->began +
		    pages_period(p->bytes, p->npages, flight_rate(p->flight),
			p->longest_ms) -
		    now_read().boot_ms;
		log_debug("%llu devices, %llu bytes in %llu pages",
		    (unsigned long long)p->devices,
		    (unsigned long long)p->bytes,
		    (unsigned long long)p->npages);
	} else {
		wait =
		    retry_wait_ms(why->kind, ++p->failures, -1, arc4random());
		/* Once is nothing yet; reach.c tells outages and a 401. */
		if (p->failures == 2 && why->kind != ERR_AUTH &&
		    flight_state(p->flight) == FLIGHT_ANSWERS)
			log_line(LOG_LEVEL_WARN,
			    &(struct log_about){ .operation = "list",
				.error = why->text },
			    "devices cannot be listed");
	}
	p->ops->end(p->round, complete, p->read_boot, complete ? "" : why->text,
	    p->arg);
	if (p->on)
		arm(p, wait);
}

/* 1: there is another page. */
static int
has_next(struct pages *p, struct why *why)
{
	int rc = scan_get_string(scan_rest(p->scan), p->next, sizeof(p->next),
	    "metadata", "continue", NULL);

	if (rc == -1)
		return fail(why, ERR_FORMAT,
		    "list of devices: metadata.continue is no text of less "
		    "than %d bytes",
		    MAX_CONTINUE);
	if (rc == 1 && p->next[0] != '\0')
		return 1;
	p->next[0] = '\0';
	return ++p->selector < fleets_count(p->fleets);
}

static void
page_done(const struct https_answer *a, void *arg)
{
	struct pages *p = arg;
	struct why why = a->why;
	int more = 0;

	p->call = NULL;
	if (why.kind == ERR_NONE && scan_end(p->scan, &why) == 0)
		more = has_next(p, &why);
	scan_free(p->scan);
	p->scan = NULL;
	p->npages++;
	if (more == 1)
		ask_page(p);
	else
		round_end(p, &why);
}

static void
ask_page(struct pages *p)
{
	static const struct flight_ops ops = { page_ready, page_data,
		page_done };

	p->call = flight_queue(p->flight, BUDGET_FULL, FLIGHT_LAST, &ops, p);
}

static void
give_up(struct pages *p)
{
	flight_cancel(p->call);
	p->call = NULL;
	scan_free(p->scan);
	p->scan = NULL;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pages *p = arg;

	(void)fd, (void)what;
	p->round++;
	p->selector = 0;
	p->next[0] = '\0';
	p->bytes = p->devices = p->npages = 0;
	p->began = p->read_boot = now_read().boot_ms;
	p->ops->begin(p->round, p->began, p->arg);
	ask_page(p);
}

void
pages_start(struct pages *p)
{
	if (p->call != NULL) {
		give_up(p);
		p->ops->end(p->round, 0, p->read_boot, "begun anew", p->arg);
	}
	p->on = 1;
	arm(p, 0);
}

void
pages_catch_up(struct pages *p)
{
	int64_t age = now_read().boot_ms - p->began;

	if (p->on && p->call == NULL && (p->failures > 0 || age > FRESH_MS))
		arm(p, 0);
}

void
pages_stop(struct pages *p)
{
	give_up(p);
	p->on = 0;
	p->failures = 0;
	evtimer_del(p->timer);
}

void
pages_go_on(struct pages *p)
{
	if (p->call != NULL)
		flight_resume(p->call);
}

struct pages *
pages_new(struct event_base *base, struct flight *flight,
    const struct fleets *fleets, const struct settings *s,
    const struct pages_ops *ops, void *arg)
{
	struct pages *p = xcalloc(1, sizeof(*p));

	p->flight = flight;
	p->fleets = fleets;
	p->ops = ops;
	p->arg = arg;
	p->longest_ms = s->number[SET_RESYNC_INTERVAL];
	p->timer = xevent_timer(base, on_timer, p);
	return p;
}

void
pages_free(struct pages *p)
{
	if (p == NULL)
		return;
	give_up(p);
	event_free(p->timer);
	free(p);
}
