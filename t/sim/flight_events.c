/* SPDX-License-Identifier: ISC */
/*
 * flight_events.c: what happened, as GET /events tells it.
 *
 * Owns the ring; never decides that something is worth an event.
 */
#include "t/sim/flight_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"

struct flight_events {
	struct flight_event *v;
	size_t max, n, first;
	int64_t last_us;
	uint64_t made;
};

static const struct {
	const char *actor, *component, *request;
} sources[] = {
	[FLIGHT_BY_USER] = { "user:none", "flightctl-api", "sim/api" },
	[FLIGHT_BY_AGENT] = { "", "", "sim/agent" },
	[FLIGHT_BY_WORKER] = { "service:flightctl-worker", "flightctl-worker",
	    "sim/worker" },
	[FLIGHT_BY_PERIODIC] = { "device-connection", "flightctl-periodic",
	    "device-connection/sim" },
};

struct flight_events *
flight_events_new(size_t max)
{
	struct flight_events *e = xcalloc(1, sizeof(*e));

	e->v = xcalloc(max, sizeof(*e->v));
	e->max = max;
	return e;
}

static void
clear(struct flight_event *ev)
{
	free(ev->object);
	free(ev->message);
	free(ev->details);
	*ev = (struct flight_event){ 0 };
}

void
flight_events_free(struct flight_events *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->n; i++)
		clear(&e->v[(e->first + i) % e->max]);
	free(e->v);
	free(e);
}

void
flight_event(struct flight_events *e, enum flight_source source,
    const char *kind, const char *object, const char *reason, int warning,
    const char *message, char *details)
{
	struct flight_event *ev;
	char hex[65], seed[64];

	if (e->n == e->max) {
		clear(&e->v[e->first]);
		e->first = (e->first + 1) % e->max;
		e->n--;
	}
	ev = &e->v[(e->first + e->n++) % e->max];
	ev->us = flight_us();
	if (ev->us <= e->last_us)
		ev->us = e->last_us + 1;
	e->last_us = ev->us;
	snprintf(seed, sizeof(seed), "event-%" PRIu64 "-%" PRId64, ++e->made,
	    ev->us);
	flight_sha256(span_of(seed), hex);
	snprintf(ev->name, sizeof(ev->name), "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex,
	    hex + 8, hex + 13, hex + 17, hex + 20);
	ev->source = source;
	ev->kind = flight_intern(kind);
	ev->reason = flight_intern(reason);
	ev->object = xstrdup(object);
	ev->message = xstrdup(message);
	ev->details = details;
	ev->warning = warning;
	/* What became of an object by a write carries no request. */
	if (strcmp(reason, "ResourceCreated") != 0 &&
	    strcmp(reason, "ResourceUpdated") != 0)
		ev->request = e->made;
}

size_t
flight_events_count(const struct flight_events *e)
{
	return e->n;
}

const struct flight_event *
flight_events_at(const struct flight_events *e, size_t i)
{
	return &e->v[(e->first + i) % e->max];
}

const char *
flight_event_actor(const struct flight_event *ev)
{
	return sources[ev->source].actor;
}

static void
write_metadata(struct out *o, const struct flight_event *ev)
{
	out_open(o, '{');
	out_key(o, "annotations");
	out_open(o, '{');
	if (ev->request != 0) {
		out_key(o, "event-controller/requestID");
		out_printf(o, "\"%s-%06" PRIu64 "\"",
		    sources[ev->source].request, ev->request);
	}
	out_close(o, '}');
	out_key(o, "creationTimestamp");
	out_time(o, ev->us);
	out_member(o, "name", ev->name);
	out_close(o, '}');
}

void
flight_event_write(struct out *o, const struct flight_event *ev)
{
	out_open(o, '{');
	out_member(o, "actor", sources[ev->source].actor);
	out_member(o, "apiVersion", "flightctl.io/v1beta1");
	if (ev->details != NULL) {
		out_key(o, "details");
		out_raw(o, ev->details);
	}
	out_key(o, "involvedObject");
	out_open(o, '{');
	out_member(o, "kind", ev->kind);
	out_member(o, "name", ev->object);
	out_close(o, '}');
	out_member(o, "kind", "Event");
	out_member(o, "message", ev->message);
	out_key(o, "metadata");
	write_metadata(o, ev);
	out_member(o, "reason", ev->reason);
	out_key(o, "source");
	out_open(o, '{');
	out_member(o, "component", sources[ev->source].component);
	out_close(o, '}');
	out_member(o, "type", ev->warning ? "Warning" : "Normal");
	out_close(o, '}');
}
