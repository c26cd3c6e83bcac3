/* SPDX-License-Identifier: ISC */
/*
 * flight_fleets.c: fleets and whom they own.
 *
 * Owns the fleets and the owner of each device.  Templates are taken as they
 * are: placeholders are not filled in, rollout policies are not known.
 */
#include "t/sim/flight_fleets.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/flight_diary.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_list.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"

struct flight_fleets {
	struct flight_fleet *v; /* by name */
	size_t n;
};

struct flight_fleets *
flight_fleets_new(void)
{
	return xcalloc(1, sizeof(struct flight_fleets));
}

static void
fleet_clear(struct flight_fleet *fl)
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

struct flight_fleet *
flight_fleet_get(const struct flight *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->fleets->n; i++)
		if (strcmp(f->fleets->v[i].name, name) == 0)
			return &f->fleets->v[i];
	return NULL;
}

const struct flight_fleet *
flight_fleet_of(const struct flight *f, const struct flight_device *d)
{
	if (d->owner == NULL || strncmp(d->owner, "Fleet/", 6) != 0)
		return NULL;
	return flight_fleet_get(f, d->owner + 6);
}

struct flight_fleet *
flight_fleet_at(const struct flight *f, size_t i)
{
	return &f->fleets->v[i];
}

struct flight_fleet *
flight_fleet_add(struct flight *f, const char *name)
{
	struct flight_fleets *fs = f->fleets;
	size_t i = 0;

	while (i < fs->n && strcmp(fs->v[i].name, name) < 0)
		i++;
	fs->v = xreallocarray(fs->v, fs->n + 1, sizeof(*fs->v));
	memmove(fs->v + i + 1, fs->v + i, (fs->n - i) * sizeof(*fs->v));
	fs->n++;
	fs->v[i] = (struct flight_fleet){ .name = xstrdup(name),
		.created_us = flight_us(),
		.hash = xstrdup("") };
	return &fs->v[i];
}

void
flight_fleet_drop(struct flight *f, struct flight_fleet *fl)
{
	struct flight_fleets *fs = f->fleets;

	fleet_clear(fl);
	fs->n--;
	memmove(fl, fl + 1, (fs->n - (size_t)(fl - fs->v)) * sizeof(*fl));
}

/* --- owners -------------------------------------------------------------- */

static int
matches(const struct flight_fleet *fl, const struct flight_device *d)
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

/* The rollout writes typed applications, with what was left out of them. */
static char *
rolled_out_spec(const char *spec)
{
	struct json_object *root = flight_parse(span_of(spec)), *list, *app;
	const char *type;
	char *text;
	size_t i, n;

	if (json_object_object_get_ex(root, "applications", &list)) {
		n = json_object_array_length(list);
		for (i = 0; i < n; i++) {
			app = json_object_array_get_idx(list, i);
			type = flight_get(app, "appType");
			if (flight_get(app, "runAs") == NULL &&
			    (strcmp(type, "quadlet") == 0 ||
				strcmp(type, "container") == 0))
				json_object_object_add(app, "runAs",
				    json_object_new_string(""));
		}
	}
	text = flight_spec_text(root);
	json_object_put(root);
	return text;
}

/* The template replaces the whole spec. */
static void
roll_out(struct flight *f, struct flight_device *d,
    const struct flight_fleet *fl)
{
	char *version = xasprintf("v%" PRIu64, fl->template), *spec;

	flight_pairs_set(&d->annotations, "fleet-controller/templateVersion",
	    version);
	spec = rolled_out_spec(fl->spec);
	if (strcmp(d->spec, spec) != 0) {
		free(d->spec);
		d->spec = steal(&spec);
		d->generation++;
		flight_diary_spec(f, d);
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
	free(spec);
}

/* "blue,red" as ["blue","red"] */
static void
write_names(struct out *o, const char *names)
{
	size_t n;

	out_open(o, '[');
	for (; *names != '\0'; names += n + (names[n] == ',')) {
		n = strcspn(names, ",");
		out_strn(o, names, n);
	}
	out_close(o, ']');
}

static void
owners_detected(struct flight *f, struct flight_device *d, const char *names)
{
	struct out o = { 0 }, text = { 0 };

	flight_condition_set(d, FLIGHT_MULTIPLE_OWNERS, "True",
	    "MultipleOwners", names, flight_us());
	d->resource_version++;
	out_open(&o, '{');
	out_member(&o, "detailType", "DeviceMultipleOwnersDetected");
	out_key(&o, "matchingFleets");
	write_names(&o, names);
	out_close(&o, '}');
	out_text(&text, "Device matches multiple fleets: ");
	for (; *names != '\0'; names++)
		out_printf(&text, "%s",
		    *names == ',' ? ", " : (const char[]){ *names, '\0' });
	out_text(&text, ".");
	flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
	    "DeviceMultipleOwnersDetected", 1, text.p, out_take(&o));
	out_free(&text);
}

static void
owners_resolved(struct flight *f, struct flight_device *d, const char *owner)
{
	struct out o = { 0 };
	char *text;

	if (!flight_condition_is(d, FLIGHT_MULTIPLE_OWNERS, "True", NULL))
		return;
	out_open(&o, '{');
	out_member(&o, "detailType", "DeviceMultipleOwnersResolved");
	if (owner != NULL)
		out_member(&o, "assignedOwner", owner);
	out_member(&o, "resolutionType",
	    owner == NULL ? "NoMatch" : "SingleMatch");
	out_key(&o, "previousMatchingFleets");
	write_names(&o, d->conditions[FLIGHT_MULTIPLE_OWNERS].message);
	out_close(&o, '}');
	text = owner == NULL ?
	    xstrdup("Device multiple owners conflict was resolved: no fleet "
		    "matches.") :
	    xasprintf("Device multiple owners conflict was resolved: single "
		      "fleet match, assigned to fleet '%s'.",
		owner);
	flight_condition_set(d, FLIGHT_MULTIPLE_OWNERS, "False", "", "",
	    flight_us());
	d->resource_version++;
	flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
	    "DeviceMultipleOwnersResolved", 0, text, out_take(&o));
	free(text);
}

void
flight_fleets_match(struct flight *f, struct flight_device *d)
{
	const struct flight_fleet *only = NULL;
	struct out names = { 0 };
	char *owner;
	size_t i, n = 0;

	for (i = 0; i < f->fleets->n; i++) {
		if (!matches(&f->fleets->v[i], d))
			continue;
		only = &f->fleets->v[i];
		out_printf(&names, "%s%s", n++ > 0 ? "," : "", only->name);
	}
	if (n > 1)
		owners_detected(f, d, names.p);
	out_free(&names);
	if (n > 1)
		return;
	owner = only == NULL ? NULL : xasprintf("Fleet/%s", only->name);
	owners_resolved(f, d, owner);
	flight_fleet_own(f, d, owner);
	free(owner);
	if (only != NULL && flight_fleet_is_behind(f, d))
		roll_out(f, d, only);
}

void
flight_fleet_validate(struct flight *f, const char *name)
{
	struct flight_fleet *fl = flight_fleet_get(f, name);
	struct out o = { 0 };

	if (fl == NULL || fl->template == fl->generation)
		return;
	fl->template = fl->generation;
	fl->resource_version += 2; /* annotation, condition */
	out_open(&o, '{');
	out_member(&o, "detailType", "FleetRolloutStarted");
	out_member(&o, "rolloutStrategy", "None");
	out_key(&o, "templateVersion");
	out_printf(&o, "\"v%" PRIu64 "\"", fl->template);
	out_close(&o, '}');
	flight_event(f->events, FLIGHT_BY_WORKER, "Fleet", name,
	    "FleetRolloutStarted", 0, "Fleet rollout started.", out_take(&o));
	if (!fl->valid)
		flight_event(f->events, FLIGHT_BY_WORKER, "Fleet", name,
		    "FleetValid", 0, "Fleet specification is valid.", NULL);
	fl->valid = 1;
	flight_fleets_match_all(f);
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
	const struct flight_fleet *fl = flight_fleet_of(f, d);
	const char *v = flight_pairs_get(&d->annotations,
	    "fleet-controller/renderedTemplateVersion");

	if (fl == NULL || !fl->valid)
		return 0;
	return v == NULL || strtoull(v + 1, NULL, 10) != fl->template;
}

void
flight_fleets_match_all(struct flight *f)
{
	size_t i;

	for (i = 0; i < flight_store_count(f->store); i++)
		flight_worker_own(f, flight_store_at(f->store, i));
}
