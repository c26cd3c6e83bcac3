/* SPDX-License-Identifier: ISC */
/*
 * flight_api.c: the user API's door.
 *
 * Owns the order of checks in front of the handlers and the table of routes;
 * what v1.2.0 has and is not here is refused by name (501).
 */
#include "t/sim/flight_api.h"

#include <stdio.h>
#include <string.h>

#include "t/sim/flight.h"
#include "t/sim/flight_auth.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_enrol.h"
#include "t/sim/flight_faults.h"
#include "t/sim/flight_fleets.h"
#include "t/sim/flight_history.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_limit.h"
#include "t/sim/flight_pause.h"
#include "t/sim/web.h"

enum {
	URL_MAX = 2000,
	BODY_MAX = 50 << 20,
	CHUNK_OVER = 2048
};

/* --- small answers ------------------------------------------------------- */

static void
answer_empty(struct web_req *req, void *arg)
{
	(void)arg;
	flight_answer(req, 200, NULL);
}

static void
answer_version(struct web_req *req, void *arg)
{
	struct out o = { 0 };

	(void)arg;
	if (strcmp(web_path(req), "/api/version") != 0)
		flight_headers_in(req);
	out_open(&o, '{');
	out_member(&o, "version", "unknown-");
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

static void
answer_not_here(struct web_req *req, void *arg)
{
	(void)arg;
	flight_refusef(req, 501, "flightsim does not have %s", web_path(req));
}

static const struct web_route routes[] = {
	{ WEB_GET, "/readyz", answer_empty },
	{ WEB_GET, "/healthz", answer_empty },
	{ WEB_GET, "/api/version", answer_version },
	{ WEB_GET, "/api/v1/version", answer_version },
	{ WEB_GET, "/api/v1/auth/config", flight_auth_config },
	{ WEB_GET, "/api/v1/auth/validate", flight_auth_validate },
	{ WEB_GET, "/api/v1/auth/userinfo", flight_auth_userinfo },
	{ WEB_GET, "/api/v1/auth/permissions", flight_auth_permissions },
	{ WEB_GET, "/api/v1/organizations", flight_auth_organizations },
	{ WEB_GET, "/api/v1/labels", flight_labels_list },
	{ WEB_GET, "/api/v1/events", flight_history },
	{ WEB_GET, "/api/v1/devices", flight_devices_list },
	{ WEB_POST, "/api/v1/devices", flight_devices_post },
	{ WEB_GET, "/api/v1/devices/:name", flight_devices_get },
	{ WEB_PUT, "/api/v1/devices/:name", flight_devices_put },
	{ WEB_PATCH, "/api/v1/devices/:name", flight_devices_patch },
	{ WEB_DELETE, "/api/v1/devices/:name", flight_devices_delete },
	{ WEB_GET, "/api/v1/devices/:name/lastseen", flight_devices_lastseen },
	{ WEB_GET, "/api/v1/devices/:name/status", flight_devices_status },
	{ WEB_PUT | WEB_PATCH, "/api/v1/devices/:name/status",
	    flight_devices_put_status },
	{ WEB_GET, "/api/v1/devices/:name/rendered", flight_devices_rendered },
	{ WEB_PUT, "/api/v1/devices/:name/decommission",
	    flight_devices_decommission },
	{ WEB_POST, "/api/v1/deviceactions/resume", flight_resume },
	{ WEB_GET, "/api/v1/fleets", flight_fleets_list },
	{ WEB_GET, "/api/v1/fleets/:name", flight_fleets_get },
	{ WEB_PUT, "/api/v1/fleets/:name", flight_fleets_put },
	{ WEB_DELETE, "/api/v1/fleets/:name", flight_fleets_delete },
	{ WEB_GET, "/api/v1/enrollmentconfig", flight_enrol_config },
	{ WEB_GET, "/api/v1/enrollmentrequests", flight_enrol_list },
	{ WEB_GET, "/api/v1/enrollmentrequests/:name", flight_enrol_get },
	{ WEB_PUT, "/api/v1/enrollmentrequests/:name/approval",
	    flight_enrol_approve },
	{ WEB_POST, "/api/v1/certificatesigningrequests", flight_signing_post },
	{ WEB_ANY, "/api/v1/repositories", answer_not_here },
	{ WEB_ANY, "/api/v1/repositories/*", answer_not_here },
	{ WEB_ANY, "/api/v1/resourcesyncs", answer_not_here },
	{ WEB_ANY, "/api/v1/fleets/:name/templateversions", answer_not_here },
	{ WEB_ANY, "/api/v1/resourcesyncs/*", answer_not_here },
	{ WEB_ANY, "/ws/v1/*", answer_not_here },
	{ 0, NULL, NULL },
};

/* --- which route --------------------------------------------------------- */

static int
fits(const char *pattern, const char *path)
{
	size_t n, m;

	while (*pattern == '/' && *path == '/') {
		pattern++, path++;
		n = strcspn(path, "/");
		m = strcspn(pattern, "/");
		if (*pattern == '*')
			return 1;
		if (*pattern == ':' ? n == 0 :
				      n != m || strncmp(pattern, path, n) != 0)
			return 0;
		pattern += m;
		path += n;
	}
	return *pattern == '\0' && *path == '\0';
}

const char *
flight_api_pattern(const struct web_req *req)
{
	const struct web_route *r;

	for (r = routes; r->pattern != NULL; r++)
		if ((r->methods & web_method(req)) != 0 &&
		    fits(r->pattern, web_path(req)))
			return r->pattern;
	return web_path(req);
}

static int
path_exists(const char *path)
{
	const struct web_route *r;

	for (r = routes; r->pattern != NULL; r++)
		if (fits(r->pattern, path))
			return 1;
	return 0;
}

static void
missing(struct web_req *req, void *arg)
{
	const char *path = web_path(req);

	(void)arg;
	if (strncmp(path, "/api/v1/", 8) != 0)
		web_text(req, 404, "text/plain; charset=utf-8",
		    "404 page not found\n");
	else if (path_exists(path))
		flight_refuse(req, 403, "Forbidden");
	else {
		flight_headers_in(req);
		flight_refuse(req, 404,
		    "API Error: no matching operation was found");
	}
}

/* --- the gate ------------------------------------------------------------ */

static int
is_open(const char *path)
{
	return strcmp(path, "/readyz") == 0 || strcmp(path, "/healthz") == 0 ||
	    strcmp(path, "/api/version") == 0 ||
	    strncmp(path, "/api/v1/", 8) != 0;
}

static int
refuse_version(struct web_req *req)
{
	const char *v = web_header(req, "Flightctl-API-Version");

	if (v == NULL || strcmp(v, "v1beta1") == 0)
		return 0;
	web_add_header(req, "Flightctl-API-Versions-Supported", "v1beta1");
	web_add_header(req, "Vary", "Flightctl-API-Version");
	flight_refuse_bare(req, 406, "",
	    "Requested API version is not "
	    "supported for this endpoint. Supported versions: v1beta1");
	return 1;
}

int
flight_api_enter(struct flight *f, struct web_req *req)
{
	const char *path = web_path(req);

	if (is_open(path))
		return 0;
	if (flight_limit_gate(f, req))
		return 1;
	if (strcmp(path, "/api/v1/auth/config") == 0)
		return 0;
	if (flight_auth_gate(f, req))
		return 1;
	if (refuse_version(req))
		return 1;
	if ((web_method(req) & (WEB_HEAD | WEB_OPTIONS)) != 0 ||
	    strstr(path, "//") != NULL) {
		flight_refuse(req, 400, "Unable to verify request");
		return 1;
	}
	return 0;
}

static int
gate(struct web_req *req, void *arg)
{
	struct flight *f = arg;

	flight_headers(req);
	if (strlen(web_target(req)) > URL_MAX) {
		flight_refuse(req, 414,
		    "URL too long, exceeds 2000 characters");
		return 1;
	}
	return flight_faults_gate(f, req) || flight_api_enter(f, req);
}

struct web *
flight_api_open(struct flight *f, uint16_t port, const struct web_tls *tls,
    struct why *why)
{
	const struct web_conf conf = { .base = f->base,
		.port = port,
		.tls = tls,
		.routes = routes,
		.gate = gate,
		.missing = missing,
		.arg = f,
		.body_max = BODY_MAX,
		.chunk_over = CHUNK_OVER };

	return web_new(&conf, why);
}
