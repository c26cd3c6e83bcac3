/* SPDX-License-Identifier: ISC */
/*
 * flight_fleets.c: fleets and whom they own.
 *
 * Owns the fleets and the owner of each device.  Templates are taken as they
 * are: placeholders are refused, rollout policies are not known.
 */
#include "t/sim/flight_fleets.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_check.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_list.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

struct fleet {
	char *name;
	struct flight_pairs labels, match;
	char *spec; /* device spec of the template */
	char *hash; /* of the whole spec */
	uint64_t generation, resource_version, template;
	int64_t created_us;
};

struct flight_fleets {
	struct fleet *v; /* by name */
	size_t n;
};

struct flight_fleets *
flight_fleets_new(void)
{
	return xcalloc(1, sizeof(struct flight_fleets));
}

static void
fleet_clear(struct fleet *fl)
{
	free(fl->name);
	flight_pairs_clear(&fl->labels);
	flight_pairs_clear(&fl->match);
	free(fl->spec);
	free(fl->hash);
}

void
flight_fleets_free(struct flight_fleets *fs)
{
	size_t i;

	if (fs == NULL)
		return;
	for (i = 0; i < fs->n; i++)
		fleet_clear(&fs->v[i]);
	free(fs->v);
	free(fs);
}

size_t
flight_fleets_count(const struct flight *f)
{
	return f->fleets->n;
}

static struct fleet *
find(const struct flight *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->fleets->n; i++)
		if (strcmp(f->fleets->v[i].name, name) == 0)
			return &f->fleets->v[i];
	return NULL;
}

static const struct fleet *
fleet_of(const struct flight *f, const struct flight_device *d)
{
	if (d->owner == NULL || strncmp(d->owner, "Fleet/", 6) != 0)
		return NULL;
	return find(f, d->owner + 6);
}

/* --- owners -------------------------------------------------------------- */

static int
matches(const struct fleet *fl, const struct flight_device *d)
{
	const char *v;
	size_t i;

	for (i = 0; i < fl->match.n; i++) {
		v = flight_pairs_get(&d->labels, fl->match.v[i].key);
		if (v == NULL || strcmp(v, fl->match.v[i].value) != 0)
			return 0;
	}
	return fl->match.n > 0;
}

static char *
owner_details(const char *before, const char *after)
{
	struct out o = { 0 };

	out_open(&o, '{');
	out_key(&o, "newOwner");
	if (after == NULL)
		out_raw(&o, "null");
	else
		out_str(&o, after);
	out_member(&o, "detailType", "ResourceUpdated");
	out_key(&o, "previousOwner");
	if (before == NULL)
		out_raw(&o, "null");
	else
		out_str(&o, before);
	out_key(&o, "updatedFields");
	out_raw(&o, "[\"owner\"]");
	out_close(&o, '}');
	return out_take(&o);
}

void
flight_fleet_own(struct flight *f, struct flight_device *d, const char *owner)
{
	char *before = d->owner;

	if ((before == NULL && owner == NULL) ||
	    (before != NULL && owner != NULL && strcmp(before, owner) == 0))
		return;
	d->owner = owner == NULL ? NULL : xstrdup(owner);
	d->resource_version++;
	flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
	    "ResourceUpdated", 0, "Device was updated successfully (owner).",
	    owner_details(before, owner));
	free(before);
}

/* The template replaces the whole spec. */
static void
roll_out(struct flight *f, struct flight_device *d, const struct fleet *fl)
{
	char *version = xasprintf("v%" PRIu64, fl->template);

	flight_pairs_set(&d->annotations, "fleet-controller/templateVersion",
	    version);
	if (strcmp(d->spec, fl->spec) != 0) {
		free(d->spec);
		d->spec = xstrdup(fl->spec);
		d->generation++;
		flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
		    "ResourceUpdated", 0,
		    "Device was updated successfully "
		    "(spec).",
		    flight_updated_details("spec"));
	} else {
		flight_fleet_rendered(d);
	}
	d->resource_version++;
	flight_worker_render(f, d);
	free(version);
}

static void
several_owners(struct flight *f, struct flight_device *d, const char *names)
{
	char *message;

	if (names == NULL) {
		if (!flight_condition_is(d, FLIGHT_MULTIPLE_OWNERS, "True",
			NULL))
			return;
		flight_condition_set(d, FLIGHT_MULTIPLE_OWNERS, "False", "", "",
		    flight_us());
		d->resource_version++;
		return;
	}
	flight_condition_set(d, FLIGHT_MULTIPLE_OWNERS, "True",
	    "MultipleOwners", names, flight_us());
	d->resource_version++;
	message = xasprintf("Device matches multiple fleets: %s.", names);
	flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
	    "DeviceMultipleOwnersDetected", 1, message, NULL);
	free(message);
}

void
flight_fleets_match(struct flight *f, struct flight_device *d)
{
	const struct fleet *only = NULL;
	struct out names = { 0 };
	char *owner;
	size_t i, n = 0;

	for (i = 0; i < f->fleets->n; i++) {
		if (!matches(&f->fleets->v[i], d))
			continue;
		only = &f->fleets->v[i];
		out_printf(&names, "%s%s", n++ > 0 ? "," : "", only->name);
	}
	if (n > 1) {
		several_owners(f, d, names.p);
		out_free(&names);
		return;
	}
	out_free(&names);
	several_owners(f, d, NULL);
	if (only == NULL) {
		flight_fleet_own(f, d, NULL);
		return;
	}
	owner = xasprintf("Fleet/%s", only->name);
	flight_fleet_own(f, d, owner);
	free(owner);
	if (flight_fleet_is_behind(f, d))
		roll_out(f, d, only);
}

void
flight_fleet_rendered(struct flight_device *d)
{
	const char *v = flight_pairs_get(&d->annotations,
	    "fleet-controller/templateVersion");
	char *copy;

	if (v == NULL || d->owner == NULL)
		return;
	copy = xstrdup(v);
	flight_pairs_set(&d->annotations,
	    "fleet-controller/renderedTemplateVersion", copy);
	free(copy);
}

int
flight_fleet_is_behind(const struct flight *f, const struct flight_device *d)
{
	const struct fleet *fl = fleet_of(f, d);
	const char *v = flight_pairs_get(&d->annotations,
	    "fleet-controller/renderedTemplateVersion");

	if (fl == NULL)
		return 0;
	return v == NULL || strtoull(v + 1, NULL, 10) != fl->template;
}

static void
match_all(struct flight *f)
{
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++)
		flight_worker_own(f, flight_store_at(f->store, i));
}

/* --- the API ------------------------------------------------------------- */

static void
write_summary(struct out *o, const struct flight *f, const struct fleet *fl)
{
	struct flight_summary s = { 0 };
	const struct flight_device *d;
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++) {
		d = flight_store_at(f->store, i);
		if (fleet_of(f, d) == fl)
			flight_summary_add(&s, d);
	}
	out_key(o, "devicesSummary");
	flight_summary_write(o, &s);
}

static void
write_fleet(struct out *o, const struct flight *f, const struct fleet *fl,
    int summary)
{
	out_open(o, '{');
	out_member(o, "apiVersion", "flightctl.io/v1beta1");
	out_member(o, "kind", "Fleet");
	out_key(o, "metadata");
	out_open(o, '{');
	out_key(o, "annotations");
	out_open(o, '{');
	out_key(o, "fleet-controller/templateVersion");
	out_printf(o, "\"v%" PRIu64 "\"", fl->template);
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
	out_key(o, "spec");
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
	out_key(o, "status");
	out_open(o, '{');
	out_key(o, "conditions");
	out_open(o, '[');
	out_open(o, '{');
	out_key(o, "lastTransitionTime");
	out_time(o, fl->created_us);
	out_raw(o,
	    "\"message\":\"\",\"reason\":\"Valid\",\"status\":\"True\","
	    "\"type\":\"Valid\"");
	out_close(o, '}');
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
	for (i = 0; i < f->fleets->n; i++)
		write_fleet(&o, f, &f->fleets->v[i], wants_summary(req));
	out_close(&o, ']');
	out_member(&o, "kind", "FleetList");
	out_key(&o, "metadata");
	out_raw(&o, "{}");
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

static void
answer_fleet(struct flight *f, struct web_req *req, int code,
    const struct fleet *fl)
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
	const struct fleet *fl;

	if (!flight_may(f, req, "fleets", "get"))
		return;
	if ((fl = find(f, name)) == NULL)
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

static struct fleet *
fleet_add(struct flight *f, const char *name)
{
	struct flight_fleets *fs = f->fleets;
	size_t i = 0;

	while (i < fs->n && strcmp(fs->v[i].name, name) < 0)
		i++;
	fs->v = xreallocarray(fs->v, fs->n + 1, sizeof(*fs->v));
	memmove(fs->v + i + 1, fs->v + i, (fs->n - i) * sizeof(*fs->v));
	fs->n++;
	fs->v[i] = (struct fleet){ .name = xstrdup(name),
		.created_us = flight_us(),
		.hash = xstrdup("") };
	return &fs->v[i];
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
	struct fleet *fl = find(f, name);
	struct json_object *spec = path(body, spec_path);
	int created = fl == NULL;
	char hash[65];
	struct out o = { 0 };

	if (created)
		fl = fleet_add(f, name);
	flight_pairs_read(&fl->labels, path(body, label_path));
	flight_pairs_read(&fl->match, path(body, match_path));
	free(fl->spec);
	fl->spec = spec == NULL ? xstrdup("{}") : flight_spec_text(spec);
	out_str(&o, fl->spec);
	flight_pairs_write(&o, &fl->match);
	flight_sha256((struct span){ o.p, o.len }, hash);
	out_free(&o);
	if (strcmp(hash, fl->hash) != 0) {
		fl->template = ++fl->generation;
		free(fl->hash);
		fl->hash = xstrdup(hash);
	}
	fl->resource_version += created ? 3 : 1;
	flight_event(f->events, FLIGHT_BY_USER, "Fleet", name,
	    created ? "ResourceCreated" : "ResourceUpdated", 0,
	    created ? "Fleet was created successfully." :
		      "Fleet was updated successfully (spec).",
	    created ? NULL : flight_updated_details("spec"));
	match_all(f);
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
	if (spec != NULL && (error = flight_check_spec(spec)) != NULL) {
		flight_refuse(req, 400, error);
		free(error);
	} else {
		fleet_store(f, req, name, body);
	}
	json_object_put(body);
}

void
flight_fleets_delete(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct flight *f = arg;
	struct fleet *fl;
	size_t i;

	if (!flight_may(f, req, "fleets", "delete"))
		return;
	if ((fl = find(f, name)) != NULL) {
		fleet_clear(fl);
		i = (size_t)(fl - f->fleets->v);
		f->fleets->n--;
		memmove(fl, fl + 1, (f->fleets->n - i) * sizeof(*fl));
		match_all(f);
	}
	flight_refuse(req, 200, "");
}
