/* SPDX-License-Identifier: ISC */
/*
 * flight_agent.c: what devices call.
 *
 * Owns the check that a certificate is the device's own; the long poll and
 * the push themselves are elsewhere.
 */
#include "t/sim/flight_agent.h"

#include <json-c/json.h>
#include <string.h>

#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_enrol.h"
#include "t/sim/flight_faults.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_report.h"
#include "t/sim/flight_schema.h"
#include "t/sim/flight_store.h"
#include "t/sim/web.h"

static struct flight_device *
own_device(struct flight *f, struct web_req *req)
{
	const char *peer = web_peer(req), *name = web_capture(req, "name");
	struct flight_device *d;

	if (peer == NULL || strncmp(peer, "device:", 7) != 0 ||
	    strcmp(peer + 7, name) != 0) {
		flight_refuse(req, 401, "Unauthorized");
		return NULL;
	}
	if ((d = flight_store_get(f->store, name)) == NULL)
		flight_not_found(req, "Device", name);
	return d;
}

static void
get_rendered(struct web_req *req, void *arg)
{
	struct flight_device *d = own_device(arg, req);

	if (d != NULL)
		flight_poll(arg, d, req, 1);
}

static void
put_status(struct web_req *req, void *arg)
{
	struct flight_device *d = own_device(arg, req);
	struct json_object *body, *meta, *status = NULL;
	const char *name;

	if (d == NULL ||
	    (body = flight_body(req, FLIGHT_SCHEMA_AGENT_DEVICE)) == NULL)
		return;
	json_object_object_get_ex(body, "metadata", &meta);
	json_object_object_get_ex(body, "status", &status);
	name = flight_get(meta, "name");
	if (status == NULL) {
		flight_refuse(req, 400, "device status is required");
	} else if (name == NULL || strcmp(name, d->name) != 0) {
		flight_refuse(req, 400,
		    "resource name specified in metadata "
		    "does not match name in path");
	} else {
		flight_report_json(arg, d, status);
		flight_answer_device(req, 200, d);
	}
	json_object_put(body);
}

static void
missing(struct web_req *req, void *arg)
{
	(void)arg;
	flight_refuse(req, 404, "API Error: no matching operation was found");
}

static int
gate(struct web_req *req, void *arg)
{
	flight_headers(req);
	flight_headers_in(req);
	return flight_faults_agent_gate(arg, req);
}

static const struct web_route routes[] = {
	{ WEB_POST, "/api/v1/enrollmentrequests", flight_enrol_agent_post },
	{ WEB_GET, "/api/v1/enrollmentrequests/:name", flight_enrol_agent_get },
	{ WEB_GET, "/api/v1/devices/:name/rendered", get_rendered },
	{ WEB_PUT, "/api/v1/devices/:name/status", put_status },
	{ 0, NULL, NULL },
};

struct web *
flight_agent_open(struct flight *f, uint16_t port, const struct web_tls *tls,
    struct why *why)
{
	const struct web_conf conf = { .base = f->base,
		.port = port,
		.tls = tls,
		.routes = routes,
		.gate = gate,
		.missing = missing,
		.arg = f,
		.body_max = 50 << 20 };

	return web_new(&conf, why);
}
