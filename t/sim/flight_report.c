/* SPDX-License-Identifier: ISC */
/*
 * flight_report.c: status pushes.
 *
 * Owns what of a push is stored; the words of the service itself come from
 * flight_status.c.  Each push is a step of the resourceVersion.
 */
#include "t/sim/flight_report.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_status.h"

static void
replace(char **to, char *text)
{
	free(*to);
	*to = text;
}

static void
condition_clear(struct flight_condition *c)
{
	free(c->reason);
	free(c->message);
	*c = (struct flight_condition){ 0 };
}

static void
stored(struct flight *f, struct flight_device *d, const char *const old[3])
{
	d->resource_version++;
	flight_compute_seen(f, d, FLIGHT_BY_AGENT);
	flight_tell_resources(f, d, old, FLIGHT_BY_AGENT);
}

void
flight_report_edge(struct flight *f, struct flight_device *d,
    const struct edge_report *e)
{
	struct flight_report *r = &d->report;
	const char *const old[3] = { r->cpu, r->memory, r->disk };
	const struct edge_condition *c = e->updating;

	replace(&r->applications, xstrdup(e->applications));
	r->napplications = e->napplications;
	flight_word_set(&r->apps, e->summary_status, e->summary_info);
	replace(&r->version, xasprintf("%" PRIu64, e->version));
	if (strcmp(r->system_info, e->system_info) != 0)
		replace(&r->system_info, xstrdup(e->system_info));
	r->cpu = r->memory = r->disk = flight_intern("Healthy");
	condition_clear(&d->conditions[FLIGHT_UPDATING]);
	if (c->status != NULL)
		flight_condition_set(d, FLIGHT_UPDATING, c->status, c->reason,
		    c->message, c->since_us);
	stored(f, d, old);
}

/* --- from JSON ----------------------------------------------------------- */

static struct json_object *
member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

/* Structs go out with their members by name; jsonb order would differ. */
static void
write_sorted(struct out *o, struct json_object *v)
{
	struct json_object_iter it;
	struct flight_pairs keys = { 0 };
	size_t i;

	json_object_object_foreachC(v, it)
	{
		if (it.val != NULL)
			flight_pairs_set(&keys, it.key, "");
	}
	out_open(o, '{');
	for (i = 0; i < keys.n; i++) {
		out_key(o, keys.v[i].key);
		out_jsonb(o, member(v, keys.v[i].key));
	}
	out_close(o, '}');
	flight_pairs_clear(&keys);
}

static char *
sorted_text(struct json_object *v)
{
	struct out o = { 0 };

	write_sorted(&o, v);
	return out_take(&o);
}

static char *
sorted_list(struct json_object *list, size_t *n)
{
	struct out o = { 0 };
	size_t i;

	*n = json_object_array_length(list);
	out_open(&o, '[');
	for (i = 0; i < *n; i++)
		write_sorted(&o, json_object_array_get_idx(list, i));
	out_close(&o, ']');
	return out_take(&o);
}

static const char *
word(struct json_object *o, const char *key)
{
	const char *s = flight_get(o, key);

	return s == NULL ? "" : s;
}

static void
read_condition(struct flight_device *d, struct json_object *c)
{
	enum flight_condition_type type;
	const char *name = word(c, "type");
	int64_t us;

	if (strcmp(name, "Updating") == 0)
		type = FLIGHT_UPDATING;
	else if (strcmp(name, "DeviceDecommissioning") == 0)
		type = FLIGHT_LEAVING;
	else
		return;
	if (flight_time_parse(word(c, "lastTransitionTime"), &us) == -1)
		us = flight_us();
	flight_condition_set(d, type, word(c, "status"), word(c, "reason"),
	    word(c, "message"), us);
}

static void
read_conditions(struct flight_device *d, struct json_object *list)
{
	size_t i, n = json_object_array_length(list);

	condition_clear(&d->conditions[FLIGHT_UPDATING]);
	condition_clear(&d->conditions[FLIGHT_LEAVING]);
	for (i = 0; i < n; i++)
		read_condition(d, json_object_array_get_idx(list, i));
	if (flight_condition_is(d, FLIGHT_LEAVING, "True", "Completed"))
		flight_word_set(&d->lifecycle, "Decommissioned",
		    "Device has completed decommissioning");
	else if (flight_condition_is(d, FLIGHT_LEAVING, "True", NULL))
		flight_word_set(&d->lifecycle, "Decommissioning",
		    "Device has acknowledged decommissioning request");
}

static void
read_resources(struct flight_report *r, struct json_object *o)
{
	r->cpu = flight_intern(word(o, "cpu"));
	r->memory = flight_intern(word(o, "memory"));
	r->disk = flight_intern(word(o, "disk"));
}

void
flight_report_json(struct flight *f, struct flight_device *d,
    struct json_object *status)
{
	struct flight_report *r = &d->report;
	const char *const old[3] = { r->cpu, r->memory, r->disk };
	struct json_object *apps = member(status, "applicationsSummary");
	struct json_object *systemd = member(status, "systemd");
	size_t n;

	replace(&r->applications,
	    sorted_list(member(status, "applications"), &r->napplications));
	flight_word_set(&r->apps, word(apps, "status"),
	    flight_get(apps, "info"));
	replace(&r->version,
	    xstrdup(word(member(status, "config"), "renderedVersion")));
	replace(&r->os, sorted_text(member(status, "os")));
	replace(&r->system_info, sorted_text(member(status, "systemInfo")));
	replace(&r->systemd,
	    json_object_is_type(systemd, json_type_array) ?
		sorted_list(systemd, &n) :
		NULL);
	read_resources(r, member(status, "resources"));
	read_conditions(d, member(status, "conditions"));
	stored(f, d, old);
}
