/* SPDX-License-Identifier: ISC */
/*
 * serve.c: frames of the placer in, what it asked for out.
 *
 * Owns the link and the READs that are not answered yet.  Never decides:
 * pages.c, events.c, fetch.c and put.c do the work, each for itself.
 */
#include "flightside/serve.h"

#include <sys/queue.h>

#include <bsd/string.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/boot.h"
#include "common/form.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/report.h"
#include "common/xmem.h"
#include "flightside/events.h"
#include "flightside/fetch.h"
#include "flightside/fleets.h"
#include "flightside/flight.h"
#include "flightside/pages.h"
#include "flightside/put.h"
#include "flightside/rivals.h"
#include "ipc/chan.h"

enum {
	COMPANY_MS = 50, /* of reads */
};

/* A READ: as many answers as names, then DONE. */
struct reading {
	TAILQ_ENTRY(reading) entry;
	struct serve *serve;
	uint64_t id;
	size_t open;	   /* names without an answer */
	struct why failed; /* the first request that failed */
};

struct serve {
	struct event_base *base;
	struct chan *link;
	struct flight *flight;
	struct fleets *fleets;
	struct fetch *fetch;
	struct pages *pages;
	struct events *events;
	struct rivals *rivals;
	struct put *put;
	struct report *report;
	TAILQ_HEAD(, reading) readings;
};

/* -- out -- */

static int
to_placer(struct serve *s, enum msg_type type, uint64_t id, const void *body)
{
	if (s->link == NULL)
		return 0;
	if (chan_send(s->link, type, id, body, -1) == -1)
		log_debug("a %s was not sent", msg_info(type)->name);
	return chan_is_full(s->link);
}

static int
send_device(struct serve *s, uint64_t id, struct span device, int64_t read_boot)
{
	struct body_device m = { .read_boot = (uint64_t)read_boot,
		.object = device };

	return to_placer(s, MSG_DEVICE, id, &m);
}

static int
send_bad(struct serve *s, uint64_t id, const char *name, int64_t read_boot,
    const struct why *why)
{
	struct body_device_bad m = { .read_boot = (uint64_t)read_boot,
		.kind = why->kind };

	(void)strlcpy(m.name, name, sizeof(m.name));
	(void)strlcpy(m.text, why->text, sizeof(m.text));
	return to_placer(s, MSG_DEVICE_BAD, id, &m);
}

static void
send_devices(struct serve *s, enum msg_type type, uint64_t round, int complete,
    int64_t read_boot, const char *text)
{
	struct body_devices m = { .round = round,
		.complete = (uint32_t)complete,
		.read_boot = (uint64_t)read_boot };

	(void)strlcpy(m.text, text, sizeof(m.text));
	(void)to_placer(s, type, 0, &m);
}

static void
send_state(struct serve *s)
{
	int state = flight_state(s->flight);
	struct body_flight_state m = { .state = (uint32_t)state,
		.rate = (uint32_t)flight_rate(s->flight) };

	if (state == -1)
		return;
	(void)strlcpy(m.text, flight_text(s->flight), sizeof(m.text));
	(void)to_placer(s, MSG_FLIGHT_STATE, 0, &m);
}

static void
on_rate(void *arg)
{
	struct serve *s = arg;

	if (s->link != NULL)
		send_state(s);
}

static void
on_budget(struct body_budget *m, void *arg)
{
	struct serve *s = arg;

	flight_budget(s->flight, m);
	put_budget(s->put, m);
}

static void
on_state(enum flight_state state, const char *text, void *arg)
{
	struct serve *s = arg;

	(void)text;
	if (s->link == NULL)
		return;
	send_state(s);
	/* Much may have happened while it was away. */
	if (state == FLIGHT_ANSWERS && s->pages != NULL)
		pages_catch_up(s->pages);
}

/* -- the full list -- */

static void
on_begin(uint64_t round, int64_t read_boot, void *arg)
{
	struct serve *s = arg;

	send_devices(s, MSG_DEVICES_BEGIN, round, 0, read_boot, "");
	events_put_off(s->events);
}

static int
on_listed(struct span device, int64_t read_boot, void *arg)
{
	return send_device(arg, 0, device, read_boot);
}

static int
on_bad(const char *name, int64_t read_boot, const struct why *why, void *arg)
{
	return send_bad(arg, 0, name, read_boot, why);
}

static void
on_end(uint64_t round, int complete, int64_t read_boot, const char *text,
    void *arg)
{
	struct serve *s = arg;

	send_devices(s, MSG_DEVICES_END, round, complete, read_boot, text);
}

static void
on_event_device(struct span device, int64_t read_boot, void *arg)
{
	(void)send_device(arg, 0, device, read_boot);
}

/* -- READ -- */

static void
reading_end(struct reading *r)
{
	struct serve *s = r->serve;
	struct body_done m = { .kind = r->failed.kind, .code = r->failed.code };

	(void)strlcpy(m.text, r->failed.text, sizeof(m.text));
	TAILQ_REMOVE(&s->readings, r, entry);
	(void)to_placer(s, MSG_DONE, r->id, &m);
	free(r);
}

/* Whether a failure is the device's own, or the request's. */
static int
is_of_device(enum why_kind kind)
{
	return kind == ERR_GONE || kind == ERR_LIMIT || kind == ERR_FORMAT;
}

static void
on_read(const char *name, int64_t read_boot, struct span device,
    const struct why *why, void *arg)
{
	struct reading *r = arg;

	if (why->kind == ERR_NONE)
		(void)send_device(r->serve, r->id, device, read_boot);
	else if (is_of_device(why->kind))
		(void)send_bad(r->serve, r->id, name, read_boot, why);
	else if (r->failed.kind == ERR_NONE)
		r->failed = *why;
	if (--r->open == 0)
		reading_end(r);
}

static enum budget_class
class_of(uint32_t what_for)
{
	if (what_for == READ_WRITE)
		return BUDGET_WRITE;
	return what_for == READ_SUSPECT ? BUDGET_SUSPECT : BUDGET_MOTION;
}

static void
asked_read(struct serve *s, uint64_t id, const struct body_read *m)
{
	struct reading *r = xcalloc(1, sizeof(*r));
	struct span left = m->names;
	char name[MAX_NAME + 1];
	const char *newline;
	size_t len;

	r->serve = s;
	r->id = id;
	r->open = 1;
	TAILQ_INSERT_TAIL(&s->readings, r, entry);
	if (left.len == 0)
		pages_start(s->pages);
	while (left.len > 0) {
		newline = memchr(left.p, '\n', left.len);
		len = newline == NULL ? left.len : (size_t)(newline - left.p);
		if (len < sizeof(name)) {
			memcpy(name, left.p, len);
			name[len] = '\0';
		}
		if (len >= sizeof(name) || !form_is_subdomain(span_of(name)))
			fail(&r->failed, ERR_FORMAT,
			    "not the name of a device");
		else {
			r->open++;
			fetch_device(s->fetch, class_of(m->what_for), name,
			    COMPANY_MS, on_read, r);
		}
		left.len -= len + (newline != NULL);
		left.p += len + (newline != NULL);
	}
	if (--r->open == 0)
		reading_end(r);
}

/* -- CHANGE -- */

static void
on_changed(uint64_t id, const struct body_changed *m, void *arg)
{
	(void)to_placer(arg, MSG_CHANGED, id, m);
}

static void
asked_cluster(struct serve *s, const struct body_cluster *m)
{
	if (put_cluster(s->put, m->cluster) == -1)
		log_error("cluster id %s is not the one that was heard first: "
			  "refused until this process starts anew",
		    m->cluster);
}

/* -- the link -- */

static void
drop(struct serve *s)
{
	struct reading *r;

	if (s->link == NULL)
		return;
	report_link(s->report, NULL);
	chan_free(s->link);
	s->link = NULL;
	pages_stop(s->pages);
	events_stop(s->events);
	rivals_stop(s->rivals);
	put_forget(s->put);
	while ((r = TAILQ_FIRST(&s->readings)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		fetch_forget(s->fetch, r);
		TAILQ_REMOVE(&s->readings, r, entry);
		free(r);
	}
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct serve *s = arg;
	union {
		struct body_cluster cluster;
		struct body_read read;
		struct body_change change;
	} m;

	(void)c;
	if (f->type == MSG_CLUSTER &&
	    body_cluster_get(f->body, &m.cluster) == 0)
		asked_cluster(s, &m.cluster);
	else if (f->type == MSG_READ && body_read_get(f->body, &m.read) == 0)
		asked_read(s, f->id, &m.read);
	else if (f->type == MSG_CHANGE &&
	    body_change_get(f->body, &m.change) == 0)
		put_change(s->put, f->id, &m.change);
	else /* the gate let nothing else through */
		abort();
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	(void)c;
	drop(arg);
	boot_link_over(PROC_PLACER, text);
}

static void
on_drained(struct chan *c, void *arg)
{
	struct serve *s = arg;

	(void)c;
	pages_go_on(s->pages);
}

void
serve_link(struct serve *s, int fd)
{
	static const struct chan_ops ops = { on_frame, on_closed, on_drained };

	drop(s);
	s->link = chan_open(s->base, fd, PROC_FLIGHTSIDE, PROC_PLACER, &ops, s);
	report_link(s->report, s->link);
	send_state(s);
	pages_start(s->pages);
	events_start(s->events);
	rivals_start(s->rivals);
}

void
serve_reload(struct serve *s, const struct settings *settings)
{
	flight_reload(s->flight, settings);
	put_reload(s->put, settings);
}

struct serve *
serve_new(struct event_base *base, const struct settings *settings,
    struct span token, struct why *why)
{
	static const struct pages_ops ops = { on_begin, on_listed, on_bad,
		on_end };
	struct serve *s = xcalloc(1, sizeof(*s));

	s->base = base;
	TAILQ_INIT(&s->readings);
	if ((s->fleets = fleets_new(settings, why)) == NULL ||
	    (s->flight = flight_new(base, settings, token, on_state, s, why)) ==
		NULL) {
		serve_free(s);
		return NULL;
	}
	flight_tell_rate(s->flight, on_rate, s);
	s->report = report_new(base, PROC_FLIGHTSIDE, flight_meter(s->flight),
	    on_budget, s);
	s->fetch = fetch_new(base, s->flight);
	s->pages = pages_new(base, s->flight, s->fleets, settings, &ops, s);
	s->events = events_new(base, s->flight, s->fleets, settings,
	    on_event_device, s);
	s->rivals = rivals_new(base, s->flight, s->fleets, settings);
	s->put =
	    put_new(&(struct put_parts){ base, s->flight, s->fetch, s->fleets },
		settings, on_changed, s);
	return s;
}

void
serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	if (s->put != NULL)
		drop(s);
	report_free(s->report);
	put_free(s->put);
	events_free(s->events);
	rivals_free(s->rivals);
	pages_free(s->pages);
	fetch_free(s->fetch);
	flight_free(s->flight);
	fleets_free(s->fleets);
	free(s);
}
