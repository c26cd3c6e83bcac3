/* SPDX-License-Identifier: ISC */
/*
 * flight_edges.c: edge.c's devices inside the service.
 *
 * Owns their timers and the polls they would make.  What they report goes the
 * way of any push (flight_report.c).
 */
#include "t/sim/flight_edges.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_diary.h"
#include "t/sim/flight_pause.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_report.h"
#include "t/sim/flight_status.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"

/* A poll ends without news after this long, and the next one begins. */
static int64_t
poll_ms(const struct flight *f)
{
	int64_t third = f->conf.disconnect_ms / 3;

	return f->conf.wait_ms < third ? f->conf.wait_ms : third;
}

static void
push(struct flight_device *d)
{
	struct edge_report r;

	edge_report(d->edge, &r);
	flight_diary_report(d->flight, d, &r);
	flight_report_edge(d->flight, d, &r);
}

static void
run(struct flight_device *d)
{
	struct flight *f = d->flight;
	struct now now = now_read();
	int64_t wake, poll;
	struct timeval tv;

	if (d->away)
		return;
	while (edge_step(d->edge, now))
		push(d);
	poll = poll_ms(f) - (flight_us() - d->polled_us) / 1000;
	if (poll <= 0) {
		flight_heartbeat(f, d);
		d->polled_us = flight_us();
		poll = poll_ms(f);
	}
	wake = edge_wake(d->edge);
	if (wake == INT64_MAX || wake - now.boot_ms > poll)
		wake = now.boot_ms + poll;
	wake -= now.boot_ms;
	if (wake < 0)
		wake = 0;
	tv = (struct timeval){ wake / 1000, wake % 1000 * 1000 };
	event_add(d->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	run(arg);
}

static void
offer(struct flight_device *d)
{
	if (d->rendered != 0 && d->rendered_spec != NULL)
		edge_offer(d->edge, d->rendered, span_of(d->rendered_spec),
		    now_read());
}

void
flight_edge_offer(struct flight *f, struct flight_device *d)
{
	if (d->edge == NULL || d->away)
		return;
	offer(d);
	flight_heartbeat(f, d); /* it takes the answer and polls again */
	d->polled_us = flight_us();
	run(d);
}

static void
settle(struct flight *f, struct flight_device *d)
{
	d->seen_us = d->heard_us = flight_us();
	flight_render_now(f, d);
	d->edge = edge_new(d->name, &f->conf.edge, now_read());
	edge_settle(d->edge, d->rendered, span_of(d->rendered_spec),
	    now_read());
	push(d);
}

struct flight_device *
flight_edge_add(struct flight *f, const char *name,
    const struct flight_pairs *labels, int settled)
{
	struct flight_device *d = flight_device_new(name, flight_us(), 1);
	size_t i;

	d->flight = f;
	for (i = 0; i < labels->n; i++)
		flight_pairs_set(&d->labels, labels->v[i].key,
		    labels->v[i].value);
	d->timer = event_new(f->base, -1, 0, on_timer, d);
	flight_compute_first(f, d);
	flight_store_add(f->store, d);
	if (settled) {
		settle(f, d);
	} else {
		flight_event(f->events, FLIGHT_BY_USER, "Device", name,
		    "ResourceCreated", 0, "Device was created successfully.",
		    NULL);
		d->edge = edge_new(name, &f->conf.edge, now_read());
		flight_heartbeat(f, d);
		push(d);
		flight_worker_render(f, d);
	}
	flight_worker_own(f, d);
	d->polled_us = flight_us();
	run(d);
	return d;
}

void
flight_edge_remove(struct flight_device *d)
{
	if (d->edge == NULL)
		return;
	event_free(d->timer);
	d->timer = NULL;
	edge_free(d->edge);
	d->edge = NULL;
}

/* Back again, it polls at once and then tells its state. */
void
flight_edge_connect(struct flight *f, struct flight_device *d, int on)
{
	char *known;

	if (d->edge == NULL || d->away == !on)
		return;
	d->away = !on;
	if (!on) {
		event_del(d->timer);
		return;
	}
	flight_heartbeat(f, d);
	d->seen_us = d->heard_us;
	d->polled_us = flight_us();
	if (flight_pairs_get(&d->annotations,
		"device-controller/awaitingReconnect") != NULL) {
		known = xasprintf("%" PRIu64, edge_known(d->edge));
		flight_reconnected(f, d, known);
		free(known);
	}
	offer(d);
	push(d);
	run(d);
}

struct flap {
	struct flight *flight;
	char *name;
};

static void
flap_back(evutil_socket_t fd, short what, void *arg)
{
	struct flap *x = arg;
	struct flight_device *d = flight_store_get(x->flight->store, x->name);

	(void)fd, (void)what;
	if (d != NULL && d->edge != NULL && !d->away) {
		d->seen_us = d->heard_us;
		push(d);
	}
	free(x->name);
	free(x);
}

/* What the first seconds of a device look like when the worker touches it. */
void
flight_edge_flap(struct flight *f, struct flight_device *d)
{
	struct flap *x;
	struct timeval half = { 0, 500000 };

	if (d->edge == NULL || d->away)
		return;
	x = xcalloc(1, sizeof(*x));
	x->flight = f;
	x->name = xstrdup(d->name);
	flight_heartbeat(f, d);
	d->seen_us = 0;
	flight_compute(f, d, FLIGHT_BY_WORKER);
	d->resource_version++;
	event_base_once(f->base, -1, EV_TIMEOUT, flap_back, x, &half);
}

void
flight_edge_restart(struct flight *f, struct flight_device *d)
{
	(void)f;
	if (d->edge == NULL)
		return;
	edge_agent_restart(d->edge, now_read());
	run(d);
}

void
flight_edge_fail(struct flight *f, struct flight_device *d, const char *app,
    enum edge_mode mode)
{
	(void)f;
	if (d->edge == NULL)
		return;
	edge_fail(d->edge, app, mode, now_read());
	run(d);
}

void
flight_edge_apply_ms(struct flight *f, struct flight_device *d, int64_t ms)
{
	(void)f;
	if (d->edge == NULL)
		return;
	edge_apply_ms(d->edge, ms);
	run(d);
}
