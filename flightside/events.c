/* SPDX-License-Identifier: ISC */
/*
 * events.c: looks every STATUS_POLL_INTERVAL what happened to devices.
 *
 * Owns how far events were read: all since the newest one seen, less an
 * overlap, since they are not stored in the order of their times.  The newest
 * come first: how far only moves on when the last page is there, or when more
 * devices are named than are looked at, whose rest the full list has.  Devices
 * that could not be read are read with those of the next look.  Those of other
 * fleets are left out by the server, by our label selector.
 */
#include "flightside/events.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/form.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/stamp.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "flightside/fleets.h"
#include "flightside/flight.h"
#include "flightside/path.h"

enum {
	OVERLAP_MS = 15 * 1000,
	NAMES_BYTES = 1000,
	MAX_CONTINUE = 1024,
	SEEN = 4096,
	MAX_NAMES = 2000,
	DEADLINE_MS = 30 * 1000,
	TRIES = 3, /* looks for whose devices a read may fail */
};

struct events {
	struct flight *flight;
	const struct fleets *fleets;
	struct event *timer;
	int64_t every_ms;
	int on;
	unsigned int refused; /* in a row: said once */
	void (*device)(struct span, int64_t, void *);
	void *arg;

	int64_t newest_ms;	 /* of an event; -1: not known yet */
	int64_t coming_ms;	 /* newest_ms once the last page is read */
	char next[MAX_CONTINUE]; /* "": the first page */
	uint64_t seen[SEEN];	 /* of events, by the hash of their names */
	size_t nseen;

	char *names[MAX_NAMES]; /* of devices to be read */
	size_t nnames;
	size_t selector;       /* of fleets, for those being read */
	size_t asked;	       /* of names, in this request */
	unsigned int failures; /* of reading them */
	struct flight_call *call;
	struct scan *scan;
	int64_t read_boot;
};

static void ask_events(struct events *);
static void ask_devices(struct events *);

static void
arm(struct events *e, int64_t ms)
{
	if (e->on)
		xevent_in(e->timer, ms);
}

/* FNV-1a: to know an event again; a collision costs one look too few. */
static uint64_t
hash(const char *s)
{
	uint64_t h = 14695981039346656037u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h | 1;
}

static int
is_news(struct events *e, const char *name)
{
	uint64_t h = hash(name);
	size_t i;

	for (i = 0; i < SEEN; i++)
		if (e->seen[i] == h)
			return 0;
	e->seen[e->nseen++ % SEEN] = h;
	return 1;
}

static void
add_name(struct events *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->nnames; i++)
		if (strcmp(e->names[i], name) == 0)
			return;
	/* The rest waits for the full list. */
	if (e->nnames < MAX_NAMES)
		e->names[e->nnames++] = xstrdup(name);
}

static int
on_event(struct span item, void *arg, struct why *why)
{
	struct events *e = arg;
	char name[MAX_NAME + 1], device[MAX_NAME + 1], at[64];
	int64_t ms;
	int first = e->newest_ms == -1;

	(void)why;
	if (!scan_is_valid(item) ||
	    scan_get_string(item, at, sizeof(at), "metadata",
		"creationTimestamp", NULL) != 1 ||
	    (ms = stamp_parse(at)) == -1)
		return 0;
	if (ms > e->coming_ms)
		e->coming_ms = ms;
	if (scan_get_string(item, name, sizeof(name), "metadata", "name",
		NULL) == 1 &&
	    is_news(e, name) && !first &&
	    scan_get_string(item, device, sizeof(device), "involvedObject",
		"name", NULL) == 1 &&
	    form_is_subdomain(span_of(device)))
		add_name(e, device);
	return 0;
}

static int
on_device(struct span item, void *arg, struct why *why)
{
	struct events *e = arg;

	(void)why;
	if (scan_is_valid(item))
		e->device(item, e->read_boot, e->arg);
	return 0;
}

/* Too large to be passed on: the full list says so. */
static int
on_oversize(struct span head, void *arg, struct why *why)
{
	(void)head, (void)arg, (void)why;
	return 0;
}

static int
feed(struct span piece, void *arg, struct why *why)
{
	struct events *e = arg;

	return scan_feed(e->scan, piece, why);
}

/* -- events -- */

static int
events_ready(struct flight_req *r, void *arg)
{
	static const struct scan_ops ops = { on_event, on_oversize };
	struct events *e = arg;
	AUTO_FREE char *since = NULL;
	char at[STAMP_SIZE];

	if (e->newest_ms != -1) {
		stamp_format_micro((e->newest_ms - OVERLAP_MS) * 1000, at);
		since = xasprintf("involvedObject.kind=Device,"
				  "metadata.creationTimestamp>=%s",
		    at);
	}
	/* The newest alone says where to begin. */
	r->path = path_make("events", NULL, flight_org(e->flight),
	    (const struct path_param[]){ { "order", "desc" },
		{ "limit", since == NULL ? "1" : "1000" },
		{ "fieldSelector",
		    since == NULL ? "involvedObject.kind=Device" : since },
		{ "continue", e->next[0] != '\0' ? e->next : NULL },
		{ NULL, NULL } });
	r->right = RIGHT_LIST_EVENTS;
	r->deadline_ms = DEADLINE_MS;
	scan_free(e->scan);
	e->scan = scan_new(SCAN_LIST, MAX_ITEM, &ops, e);
	return 1;
}

/* The very first question wants the newest event alone. */
static int
has_next(struct events *e, struct why *why)
{
	int rc = e->newest_ms == -1 ?
	    0 :
	    scan_get_string(scan_rest(e->scan), e->next, sizeof(e->next),
		"metadata", "continue", NULL);

	if (rc == -1)
		(void)fail(why, ERR_FORMAT,
		    "list of events: metadata.continue is no text of less "
		    "than %d bytes",
		    MAX_CONTINUE);
	return rc == 1 && e->next[0] != '\0';
}

/* reach.c tells outages; what is no list may be an accident, once. */
static void
tell(struct events *e, const struct why *why)
{
	if (why->kind != ERR_DENIED && why->kind != ERR_FORMAT &&
	    why->kind != ERR_LIMIT) {
		e->refused = 0;
		return;
	}
	if (++e->refused == (why->kind == ERR_DENIED ? 1 : 2))
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "events",
			.error = why->text },
		    "events of Flightctl cannot be read: devices are looked "
		    "at in full lists only");
}

static void
events_done(const struct https_answer *a, void *arg)
{
	struct events *e = arg;
	struct why why = a->why;
	int more;

	e->call = NULL;
	more = why.kind == ERR_NONE && scan_end(e->scan, &why) == 0 &&
	    has_next(e, &why) && e->nnames < MAX_NAMES;
	scan_free(e->scan);
	e->scan = NULL;
	if (more) {
		ask_events(e);
		return;
	}
	e->next[0] = '\0';
	if (why.kind == ERR_NONE)
		/* 0: there is none yet. */
		e->newest_ms = e->coming_ms == -1 ? 0 : e->coming_ms;
	tell(e, &why);
	if (e->nnames > 0)
		ask_devices(e);
	else
		arm(e, e->every_ms);
}

static void
ask_events(struct events *e)
{
	static const struct flight_ops ops = { events_ready, feed,
		events_done };

	e->call = flight_queue(e->flight, BUDGET_REST, FLIGHT_LAST, &ops, e);
}

/* -- the devices they speak of -- */

static int
devices_ready(struct flight_req *r, void *arg)
{
	static const struct scan_ops ops = { on_device, on_oversize };
	AUTO_BYTES struct bytes names = { NULL, 0, 0 };
	struct events *e = arg;

	bytes_add_text(&names, "metadata.name in (");
	for (e->asked = 0; e->asked < e->nnames && e->asked < EVENTS_NAMES &&
	     (e->asked == 0 || names.len < NAMES_BYTES);
	     e->asked++) {
		bytes_add_text(&names, e->asked > 0 ? "," : "");
		bytes_add_text(&names, e->names[e->nnames - 1 - e->asked]);
	}
	bytes_add_text(&names, ")");
	bytes_add(&names, (struct span){ "", 1 });
	e->read_boot = now_read().boot_ms;
	r->path = path_make("devices", NULL, flight_org(e->flight),
	    (const struct path_param[]){
		{ "labelSelector", fleets_selector(e->fleets, e->selector) },
		{ "fieldSelector", names.p }, { NULL, NULL } });
	r->right = RIGHT_LIST_DEVICES;
	r->deadline_ms = DEADLINE_MS;
	scan_free(e->scan);
	e->scan = scan_new(SCAN_LIST, MAX_ITEM, &ops, e);
	return 1;
}

static void
names_drop(struct events *e, size_t n)
{
	while (n-- > 0)
		free(e->names[--e->nnames]);
}

static void
devices_done(const struct https_answer *a, void *arg)
{
	struct events *e = arg;

	e->call = NULL;
	scan_free(e->scan);
	e->scan = NULL;
	if (a->why.kind == ERR_NONE) {
		e->failures = 0;
		if (++e->selector == fleets_count(e->fleets)) {
			e->selector = 0;
			names_drop(e, e->asked);
		}
	} else if (a->why.kind == ERR_AGAIN && ++e->failures < TRIES) {
		arm(e, e->every_ms); /* with those of the next look */
		return;
	} else {
		/* The full list will have them. */
		e->failures = 0;
		names_drop(e, e->nnames);
	}
	if (e->nnames > 0)
		ask_devices(e);
	else
		arm(e, e->every_ms);
}

static void
ask_devices(struct events *e)
{
	static const struct flight_ops ops = { devices_ready, feed,
		devices_done };

	e->call = flight_queue(e->flight, BUDGET_MOTION, FLIGHT_LAST, &ops, e);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct events *e = arg;

	(void)fd, (void)what;
	e->selector = 0;
	ask_events(e);
}

void
events_start(struct events *e)
{
	events_stop(e);
	e->on = 1;
	e->newest_ms = e->coming_ms = -1;
	e->next[0] = '\0';
	e->failures = 0;
	arm(e, e->every_ms);
}

void
events_stop(struct events *e)
{
	flight_cancel(e->call);
	e->call = NULL;
	scan_free(e->scan);
	e->scan = NULL;
	names_drop(e, e->nnames);
	e->on = 0;
	evtimer_del(e->timer);
}

void
events_put_off(struct events *e)
{
	if (e->call == NULL)
		arm(e, e->every_ms);
}

struct events *
events_new(struct event_base *base, struct flight *flight,
    const struct fleets *fleets, const struct settings *s,
    void (*device)(struct span, int64_t, void *), void *arg)
{
	struct events *e = xcalloc(1, sizeof(*e));

	e->flight = flight;
	e->fleets = fleets;
	e->every_ms = s->number[SET_STATUS_POLL_INTERVAL];
	e->device = device;
	e->arg = arg;
	e->timer = xevent_timer(base, on_timer, e);
	return e;
}

void
events_free(struct events *e)
{
	if (e == NULL)
		return;
	events_stop(e);
	event_free(e->timer);
	free(e);
}
