/* SPDX-License-Identifier: ISC */
/*
 * flight_pause.c: AwaitingReconnect and ConflictPaused.
 *
 * Owns the two annotations; the words they give come from flight_status.c.
 */
#include "t/sim/flight_pause.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_schema.h"
#include "t/sim/flight_select.h"
#include "t/sim/flight_status.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"

#define AWAITING "device-controller/awaitingReconnect"
#define PAUSED "device-controller/conflictPaused"

void
flight_await(struct flight *f, struct flight_device *d, uint64_t versions)
{
	d->rendered -= versions < d->rendered ? versions : d->rendered;
	flight_pairs_set(&d->annotations, AWAITING, "true");
	flight_compute(f, d, FLIGHT_BY_PERIODIC);
	d->resource_version++;
}

void
flight_conflict(struct flight *f, struct flight_device *d)
{
	flight_pairs_drop(&d->annotations, AWAITING);
	flight_pairs_set(&d->annotations, PAUSED, "true");
	flight_compute(f, d, FLIGHT_BY_PERIODIC);
	d->resource_version++;
}

void
flight_reconnected(struct flight *f, struct flight_device *d, const char *known)
{
	if (known != NULL && strtoull(known, NULL, 10) > d->rendered) {
		flight_conflict(f, d);
		return;
	}
	flight_pairs_drop(&d->annotations, AWAITING);
	flight_compute_seen(f, d, FLIGHT_BY_AGENT);
	d->resource_version++;
	flight_worker_render(f, d);
}

void
flight_resume(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct flight_selector *labels = NULL, *fields = NULL;
	struct flight_device *d;
	struct json_object *body;
	struct out o = { 0 };
	size_t i, n = 0;

	if (!flight_may(f, req, "devices/resume", "update") ||
	    (body = flight_body(req, FLIGHT_SCHEMA_RESUME)) == NULL)
		return;
	if (flight_device_selectors(req, flight_get(body, "labelSelector"),
		flight_get(body, "fieldSelector"), &labels, &fields) == -1) {
		json_object_put(body);
		return;
	}
	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		if (flight_pairs_get(&d->annotations, PAUSED) == NULL ||
		    !flight_device_selected(labels, fields, d))
			continue;
		flight_pairs_drop(&d->annotations, PAUSED);
		d->resource_version++;
		flight_worker_render(f, d);
		n++;
	}
	flight_selector_free(labels);
	flight_selector_free(fields);
	json_object_put(body);
	out_open(&o, '{');
	out_key(&o, "resumedDevices");
	out_int(&o, (int64_t)n);
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}
