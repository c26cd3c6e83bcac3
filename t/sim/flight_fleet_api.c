/* SPDX-License-Identifier: ISC */
/*
 * flight_fleet_api.c: /fleets of the user API.
 *
 * Owns the form of a fleet on the wire; whom it owns is flight_fleets.c's.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_check.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_fleets.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_list.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

static void
write_summary(struct out *o, const struct flight *f,
    const struct flight_fleet *fl)
{
	struct flight_summary s = { 0 };
	const struct flight_device *d;
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		if (flight_fleet_of(f, d) == fl)
			flight_summary_add(&s, d);
	}
	out_key(o, "devicesSummary");
	flight_summary_write(o, &s);
}

static void
write_metadata(struct out *o, const struct flight_fleet *fl)
{
	out_open(o, '{');
	out_key(o, "annotations");
	out_open(o, '{');
	if (fl->valid) {
		out_key(o, "fleet-controller/templateVersion");
		out_printf(o, "\"v%" PRIu64 "\"", fl->template);
	}
	out_close(o, '}');
	out_key(o, "creationTimestamp");
	out_time(o, fl->created_us);
	out_key(o, "generation");
	out_int(o, (int64_t)fl->generation);
	out_key(o, "labels");
	flight_pairs_write(o, &fl->labels);
	out_member(o, "name", fl->name);
	out_key(o, "resourceVersion");
	out_printf(o, "\"%" PRIu64 "\"", fl->resource_version);
	out_close(o, '}');
}

static void
write_spec(struct out *o, const struct flight_fleet *fl)
{
	out_open(o, '{');
	out_key(o, "selector");
	out_open(o, '{');
	out_key(o, "matchLabels");
	flight_pairs_write(o, &fl->match);
	out_close(o, '}');
	out_key(o, "template");
	out_open(o, '{');
	out_key(o, "metadata");
	out_raw(o, "{\"labels\":{}}");
	out_key(o, "spec");
	out_raw(o, fl->spec);
	out_close(o, '}');
	out_close(o, '}');
}

static void
write_valid(struct out *o, const struct flight_fleet *fl)
{
	out_open(o, '{');
	out_key(o, "lastTransitionTime");
	out_time(o, fl->created_us);
	out_raw(o,
	    "\"message\":\"\",\"reason\":\"Valid\",\"status\":\"True\","
	    "\"type\":\"Valid\"");
	out_close(o, '}');
}

static void
write_fleet(struct out *o, const struct flight *f,
    const struct flight_fleet *fl, int summary)
{
	out_open(o, '{');
	out_member(o, "apiVersion", "flightctl.io/v1beta1");
	out_member(o, "kind", "Fleet");
	out_key(o, "metadata");
	write_metadata(o, fl);
	out_key(o, "spec");
	write_spec(o, fl);
	out_key(o, "status");
	out_open(o, '{');
	out_key(o, "conditions");
	out_open(o, '[');
	if (fl->valid)
		write_valid(o, fl);
	out_close(o, ']');
	if (summary)
		write_summary(o, f, fl);
	out_close(o, '}');
	out_close(o, '}');
}

static int
wants_summary(struct web_req *req)
{
	const char *v = web_query(req, "addDevicesSummary");

	return v != NULL && strcmp(v, "true") == 0;
}

void
flight_fleets_list(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct out o = { 0 };
	size_t i;

	if (!flight_may(f, req, "fleets", "list"))
		return;
	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_key(&o, "items");
	out_open(&o, '[');
	for (i = 0; i < flight_fleets_count(f); i++)
		write_fleet(&o, f, flight_fleet_at(f, i), wants_summary(req));
	out_close(&o, ']');
	out_member(&o, "kind", "FleetList");
	out_key(&o, "metadata");
	out_raw(&o, "{}");
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

static void
answer_fleet(struct flight *f, struct web_req *req, int code,
    const struct flight_fleet *fl)
{
	struct out o = { 0 };

	write_fleet(&o, f, fl, wants_summary(req));
	flight_answer(req, code, &o);
}

void
flight_fleets_get(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct flight *f = arg;
	const struct flight_fleet *fl;

	if (!flight_may(f, req, "fleets", "get"))
		return;
	if ((fl = flight_fleet_get(f, name)) == NULL)
		flight_not_found(req, "Fleet", name);
	else
		answer_fleet(f, req, 200, fl);
}

static struct json_object *
path(struct json_object *o, const char *const *names)
{
	struct json_object *v = o;

	for (; *names != NULL; names++)
		if (!json_object_is_type(v, json_type_object) ||
		    !json_object_object_get_ex(v, *names, &v))
			return NULL;
	return v;
}

static void
fleet_store(struct flight *f, struct web_req *req, const char *name,
    struct json_object *body)
{
	static const char *const spec_path[] = { "spec", "template", "spec",
		NULL };
	static const char *const match_path[] = { "spec", "selector",
		"matchLabels", NULL };
	static const char *const label_path[] = { "metadata", "labels", NULL };
	struct flight_fleet *fl = flight_fleet_get(f, name);
	struct json_object *spec = path(body, spec_path);
	int created = fl == NULL;
	char hash[65];
	struct out o = { 0 };

	if (created)
		fl = flight_fleet_add(f, name);
	flight_pairs_read(&fl->labels, path(body, label_path));
	flight_pairs_read(&fl->match, path(body, match_path));
	free(fl->spec);
	fl->spec = spec == NULL ? xstrdup("{}") : flight_spec_text(spec);
	out_str(&o, fl->spec);
	flight_pairs_write(&o, &fl->match);
	flight_sha256((struct span){ o.p, o.len }, hash);
	out_free(&o);
	if (strcmp(hash, fl->hash) != 0) {
		fl->generation++;
		free(fl->hash);
		fl->hash = xstrdup(hash);
	}
	fl->resource_version++;
	flight_event(f->events, FLIGHT_BY_USER, "Fleet", name,
	    created ? "ResourceCreated" : "ResourceUpdated", 0,
	    created ? "Fleet was created successfully." :
		      "Fleet was updated successfully (spec).",
	    created ? NULL : flight_updated_details("spec"));
	flight_worker_fleet(f, name);
	answer_fleet(f, req, created ? 201 : 200, fl);
}

void
flight_fleets_put(struct web_req *req, void *arg)
{
	static const char *const spec_path[] = { "spec", "template", "spec",
		NULL };
	const char *name = web_capture(req, "name");
	struct json_object *body, *spec;
	struct flight *f = arg;
	char *error;

	if (!flight_may(f, req, "fleets", "update"))
		return;
	if ((body = web_body_json(req)) == NULL) {
		flight_refuse(req, 400,
		    "API Error: request body has an "
		    "error: failed to decode request body: unexpected EOF");
		return;
	}
	spec = path(body, spec_path);
	error = spec == NULL ? NULL : flight_check_spec(spec);
	/* Placeholders are filled in later, so nothing can be said now. */
	if (error != NULL && strstr(error, "{{") == NULL) {
		flight_refuse(req, 400, error);
	} else {
		fleet_store(f, req, name, body);
	}
	free(error);
	json_object_put(body);
}

void
flight_fleets_delete(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct flight *f = arg;
	struct flight_fleet *fl;

	if (!flight_may(f, req, "fleets", "delete"))
		return;
	if ((fl = flight_fleet_get(f, name)) != NULL) {
		flight_event(f->events, FLIGHT_BY_USER, "Fleet", name,
		    "ResourceDeleted", 0, "Fleet was deleted successfully.",
		    NULL);
		flight_fleet_drop(f, fl);
		flight_fleets_match_all(f);
	}
	flight_refuse(req, 200, "");
}
