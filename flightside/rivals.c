/* SPDX-License-Identifier: ISC */
/*
 * rivals.c: looks who else may write to our devices.
 *
 * Owns the list of Flightctl's Fleets, and which of them were told of.  A list
 * does not count devices, that is dear: it is asked for one Fleet by name.
 */
#include "flightside/rivals.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/form.h"
#include "common/log.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/fleets.h"
#include "flightside/flight.h"
#include "flightside/path.h"

enum {
	NAMES = 32, /* of rivals to be told of, a round */
	SEEN = 1024,
	MAX_CONTINUE = 1024,
	DEADLINE_MS = 30 * 1000,
};

struct rivals {
	struct flight *flight;
	const struct fleets *fleets;
	struct event *timer;
	int64_t every_ms;
	int refused; /* 403: said once */

	uint64_t seen[SEEN]; /* by the hash of name and selector */
	size_t nseen;
	char *names[NAMES]; /* to be asked for */
	size_t nnames;
	char next[MAX_CONTINUE]; /* "": first page */
	struct flight_call *call;
	struct scan *scan;
};

static void ask_page(struct rivals *);
static void ask_next(struct rivals *);

/* -- one Fleet -- */

static int
add_pair(struct rival *f, struct span key, struct span value)
{
	AUTO_FREE char *k = xmalloc(key.len), *v = xmalloc(value.len);

	if (scan_unescape(key, k, key.len) == -1 ||
	    scan_unescape(value, v, value.len) == -1)
		return -1;
	if (f->selector[0] != '\0')
		(void)strlcat(f->selector, ",", sizeof(f->selector));
	(void)strlcat(f->selector, k, sizeof(f->selector));
	(void)strlcat(f->selector, "=", sizeof(f->selector));
	(void)strlcat(f->selector, v, sizeof(f->selector));
	return 0;
}

static int64_t
read_count(struct span fleet)
{
	char digits[20];
	struct span v;

	if (scan_get(fleet, &v, "status", "devicesSummary", "total", NULL) !=
		1 ||
	    v.len >= sizeof(digits))
		return -1;
	memcpy(digits, v.p, v.len);
	digits[v.len] = '\0';
	return strtoll(digits, NULL, 10);
}

int
rival_read(struct span fleet, struct rival *f, struct why *why)
{
	struct span key, value;
	size_t at = 0;
	int rc;

	if (!scan_is_valid(fleet))
		return fail(why, ERR_FORMAT, "a Fleet that is no JSON");
	*f = (struct rival){ .devices = read_count(fleet) };
	if (scan_get_string(fleet, f->name, sizeof(f->name), "metadata", "name",
		NULL) != 1 ||
	    !form_is_subdomain(span_of(f->name)))
		return fail(why, ERR_FORMAT, "a Fleet without a name");
	rc =
	    scan_get(fleet, &f->match, "spec", "selector", "matchLabels", NULL);
	if (rc == 0 || (rc == 1 && *f->match.p != '{')) {
		f->match = (struct span){ "{}", 2 };
		return 0; /* selects nothing */
	}
	while (rc == 1 && (rc = scan_member(f->match, &at, &key, &value)) == 1)
		rc = add_pair(f, key, value) == -1 ? -1 : 1;
	if (rc == -1)
		return fail(why, ERR_FORMAT, "Fleet %s: matchLabels", f->name);
	return 0;
}

/* -- who is told of -- */

static uint64_t
hash(uint64_t h, const char *s)
{
	do {
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	} while (*s++ != '\0');
	return h;
}

static int
is_news(struct rivals *r, const struct rival *f)
{
	uint64_t h = hash(hash(14695981039346656037u, f->name), f->selector);
	size_t i;

	for (i = 0; i < SEEN; i++)
		if (r->seen[i] == h)
			return 0;
	r->seen[r->nseen++ % SEEN] = h;
	return 1;
}

static int
on_listed(struct span item, void *arg, struct why *unused)
{
	struct rivals *r = arg;
	struct rival f;
	struct why why;

	(void)unused;
	if (rival_read(item, &f, &why) == -1) {
		log_debug("%s", why.text);
		return 0;
	}
	if (!is_news(r, &f))
		return 0;
	log_debug("Fleet %s of Flightctl selects %s", f.name,
	    f.selector[0] != '\0' ? f.selector : "nothing");
	if (fleets_named(r->fleets, f.match) != NULL && r->nnames < NAMES)
		r->names[r->nnames++] = xstrdup(f.name);
	return 0;
}

static int
on_one(struct span item, void *arg, struct why *unused)
{
	struct rivals *r = arg;
	const char *fleet;
	struct rival f;
	struct why why;

	(void)unused;
	if (rival_read(item, &f, &why) == -1 ||
	    (fleet = fleets_named(r->fleets, f.match)) == NULL)
		return 0;
	log_line(LOG_LEVEL_WARN,
	    &(struct log_about){ .operation = "fleet", .fleet = fleet },
	    "Fleet %s of Flightctl selects %s: devices of fleet %s that match "
	    "are its own, and no pod can be placed on them (it owns %lld)",
	    f.name, f.selector, fleet, (long long)f.devices);
	return 0;
}

static int
on_oversize(struct span head, void *arg, struct why *why)
{
	(void)head, (void)arg, (void)why;
	return 0;
}

/* -- requests -- */

static void
arm(struct rivals *r, int64_t ms)
{
	xevent_in(r->timer, ms);
}

static int
feed(struct span piece, void *arg, struct why *why)
{
	struct rivals *r = arg;

	return scan_feed(r->scan, piece, why);
}

static void
begin(struct rivals *r, struct flight_req *req, enum scan_shape shape,
    int (*item)(struct span, void *, struct why *))
{
	const struct scan_ops ops = { item, on_oversize };

	req->deadline_ms = DEADLINE_MS;
	scan_free(r->scan);
	r->scan = scan_new(shape, MAX_ITEM, &ops, r);
}

/* What a page or a Fleet said is used already. */
static int
end(struct rivals *r, const struct https_answer *a)
{
	struct why why = a->why;

	r->call = NULL;
	if (why.kind == ERR_NONE && scan_end(r->scan, &why) == 0)
		return 0;
	if (why.kind == ERR_DENIED && !r->refused) {
		r->refused = 1;
		log_line(LOG_LEVEL_INFO,
		    &(struct log_about){ .operation = "fleet",
			.error = why.text },
		    "Fleets of Flightctl may not be read: nobody is told of "
		    "those that select our devices");
	}
	return -1;
}

static int
page_ready(struct flight_req *req, void *arg)
{
	struct rivals *r = arg;

	req->path = path_make("fleets", NULL, flight_org(r->flight),
	    (const struct path_param[]){ { "limit", "100" },
		{ "continue", r->next[0] != '\0' ? r->next : NULL },
		{ NULL, NULL } });
	req->right = RIGHT_LIST_FLEETS;
	begin(r, req, SCAN_LIST, on_listed);
	return 1;
}

static void
page_done(const struct https_answer *a, void *arg)
{
	struct rivals *r = arg;

	if (end(r, a) == -1 ||
	    scan_get_string(scan_rest(r->scan), r->next, sizeof(r->next),
		"metadata", "continue", NULL) != 1)
		r->next[0] = '\0';
	if (r->next[0] != '\0')
		ask_page(r);
	else
		ask_next(r);
}

static void
ask_page(struct rivals *r)
{
	static const struct flight_ops ops = { page_ready, feed, page_done };

	r->call = flight_queue(r->flight, BUDGET_REST, 0, &ops, r);
}

static int
one_ready(struct flight_req *req, void *arg)
{
	struct rivals *r = arg;

	req->path =
	    path_make("fleets", r->names[r->nnames - 1], flight_org(r->flight),
		(const struct path_param[]){ { "addDevicesSummary", "true" },
		    { NULL, NULL } });
	req->right = RIGHT_GET_FLEET;
	begin(r, req, SCAN_OBJECTS, on_one);
	return 1;
}

static void
one_done(const struct https_answer *a, void *arg)
{
	struct rivals *r = arg;

	(void)end(r, a); /* gone again: nothing to tell */
	free(r->names[--r->nnames]);
	ask_next(r);
}

static void
ask_next(struct rivals *r)
{
	static const struct flight_ops ops = { one_ready, feed, one_done };

	if (r->nnames > 0)
		r->call = flight_queue(r->flight, BUDGET_REST, 0, &ops, r);
	else
		arm(r, r->every_ms);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	ask_page(arg);
}

void
rivals_start(struct rivals *r)
{
	rivals_stop(r);
	arm(r, 0);
}

void
rivals_stop(struct rivals *r)
{
	flight_cancel(r->call);
	r->call = NULL;
	scan_free(r->scan);
	r->scan = NULL;
	r->next[0] = '\0';
	while (r->nnames > 0)
		free(r->names[--r->nnames]);
	evtimer_del(r->timer);
}

struct rivals *
rivals_new(struct event_base *base, struct flight *flight,
    const struct fleets *fleets, const struct settings *s)
{
	struct rivals *r = xcalloc(1, sizeof(*r));

	r->flight = flight;
	r->fleets = fleets;
	r->every_ms = s->number[SET_RESYNC_INTERVAL];
	r->timer = xevent_timer(base, on_timer, r);
	return r;
}

void
rivals_free(struct rivals *r)
{
	if (r == NULL)
		return;
	rivals_stop(r);
	event_free(r->timer);
	free(r);
}
