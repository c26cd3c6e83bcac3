/* SPDX-License-Identifier: ISC */
/*
 * flight_polls.c: agents that wait for a version.
 *
 * Owns the waiting requests and the two clocks of connectivity: the batch
 * that stores heartbeats and the look-out for devices that fell silent.
 */
#include "t/sim/flight_polls.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_pause.h"
#include "t/sim/flight_status.h"
#include "t/sim/flight_store.h"
#include "t/sim/web.h"

struct flight_poll {
	LIST_ENTRY(flight_poll) entry;
	struct flight *flight;
	struct flight_device *device; /* NULL: deleted meanwhile */
	struct flight_poll *next;     /* of the same device */
	struct web_req *req;
	struct event *timeout;
	char *name;
};

struct flight_polls {
	LIST_HEAD(, flight_poll) all;
	struct event *batch, *lookout;
};

static struct timeval
interval(int64_t ms)
{
	if (ms < 1)
		ms = 1;
	return (struct timeval){ ms / 1000, ms % 1000 * 1000 };
}

/* --- heartbeats ---------------------------------------------------------- */

void
flight_heartbeat(struct flight *f, struct flight_device *d)
{
	(void)f;
	d->heard_us = flight_us();
}

void
flight_store_heartbeats(struct flight *f)
{
	struct flight_device *d;
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		if (d->heard_us > d->seen_us)
			d->seen_us = d->heard_us;
	}
}

static int
is_unknown(const struct flight_device *d)
{
	return strcmp(d->summary.status, "Unknown") == 0;
}

/* Those whose silence began or ended since they were last computed. */
void
flight_look_out(struct flight *f)
{
	int64_t limit = flight_us() - f->conf.disconnect_ms * 1000;
	struct flight_device *d;
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		if (d->seen_us == 0 || (d->seen_us < limit) == is_unknown(d))
			continue;
		if (flight_compute(f, d, FLIGHT_BY_PERIODIC))
			d->resource_version++;
	}
}

static void
on_batch(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flight_store_heartbeats(arg);
}

static void
on_lookout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flight_look_out(arg);
}

/* --- polls --------------------------------------------------------------- */

struct flight_polls *
flight_polls_new(struct flight *f)
{
	struct flight_polls *p = xcalloc(1, sizeof(*p));
	int64_t look = f->conf.disconnect_ms / 4;
	struct timeval batch = interval(f->conf.batch_ms), lookout;

	if (look > 120000)
		look = 120000;
	lookout = interval(look);
	LIST_INIT(&p->all);
	p->batch = event_new(f->base, -1, EV_PERSIST, on_batch, f);
	p->lookout = event_new(f->base, -1, EV_PERSIST, on_lookout, f);
	event_add(p->batch, &batch);
	event_add(p->lookout, &lookout);
	return p;
}

static void
unlink_poll(struct flight_poll *w)
{
	struct flight_poll **at;

	LIST_REMOVE(w, entry);
	if (w->device != NULL) {
		for (at = &w->device->polls; *at != w; at = &(*at)->next)
			continue;
		*at = w->next;
	}
	event_free(w->timeout);
	free(w->name);
	free(w);
}

void
flight_polls_free(struct flight_polls *p)
{
	struct flight_poll *w;

	if (p == NULL)
		return;
	while ((w = LIST_FIRST(&p->all)) != NULL) {
		web_drop(w->req);
		unlink_poll(w);
	}
	event_free(p->batch);
	event_free(p->lookout);
	free(p);
}

static void
send_rendered(struct web_req *req, const struct flight_device *d)
{
	struct out o = { 0 };

	flight_device_write_rendered(&o, d);
	flight_answer(req, 200, &o);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct flight_poll *w = arg;

	(void)fd, (void)what;
	if (w->device == NULL)
		flight_not_found(w->req, "Device", w->name);
	else
		flight_answer(w->req, 204, NULL);
	unlink_poll(w);
}

static void
wait_for_version(struct flight *f, struct flight_device *d, struct web_req *req)
{
	struct flight_poll *w = xcalloc(1, sizeof(*w));
	struct timeval wait = interval(f->conf.wait_ms);

	w->flight = f;
	w->device = d;
	w->req = req;
	w->name = xstrdup(d->name);
	w->next = d->polls;
	d->polls = w;
	LIST_INSERT_HEAD(&f->polls->all, w, entry);
	w->timeout = event_new(f->base, -1, 0, on_timeout, w);
	event_add(w->timeout, &wait);
}

void
flight_poll(struct flight *f, struct flight_device *d, struct web_req *req,
    int from_agent)
{
	const char *known = web_query(req, "knownRenderedVersion");
	char version[24];

	if (from_agent) {
		flight_heartbeat(f, d);
		if (flight_pairs_get(&d->annotations,
			"device-controller/awaitingReconnect") != NULL)
			flight_reconnected(f, d, known);
	}
	if (d->rendered == 0) {
		flight_refuse(req, 409, "no rendered version for device");
		return;
	}
	snprintf(version, sizeof(version), "%" PRIu64, d->rendered);
	if (known == NULL || strcmp(known, version) != 0)
		send_rendered(req, d);
	else
		wait_for_version(f, d, req);
}

void
flight_polls_wake(struct flight *f, struct flight_device *d)
{
	struct flight_poll *w;

	(void)f;
	while ((w = d->polls) != NULL) {
		send_rendered(w->req, d);
		unlink_poll(w);
	}
}

void
flight_polls_orphan(struct flight *f, struct flight_device *d)
{
	struct flight_poll *w;

	(void)f;
	for (w = d->polls; w != NULL; w = w->next)
		w->device = NULL;
	d->polls = NULL;
}
