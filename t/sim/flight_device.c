/* SPDX-License-Identifier: ISC */
/*
 * flight_device.c: a device and its form on the wire.
 *
 * Owns the order of members, which is that of the service's structs.  Never
 * decides a status (flight_status.c) or admits a spec (flight_check.c).
 */
#include "t/sim/flight_device.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/scan.h"
#include "common/xmem.h"
#include "t/sim/flight_json.h"

#define INTEGRITY                                                     \
	"{\"deviceIdentity\":{\"status\":\"Unsupported\"},"           \
	"\"info\":\"TPM not present or not enabled on this device\"," \
	"\"status\":\"Unsupported\",\"tpm\":{\"status\":\"Unsupported\"}}"

static const char *const condition_types[] = {
#define X(name, word) word,
	FLIGHT_CONDITIONS(X)
#undef X
};

const char *
flight_intern(const char *word)
{
	static char **words;
	static size_t n;
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return words[i];
	words = xreallocarray(words, n + 1, sizeof(*words));
	return words[n++] = xstrdup(word);
}

void
flight_word_set(struct flight_word *w, const char *status, const char *info)
{
	char *copy;

	w->status = flight_intern(status);
	if (w->info != NULL && info != NULL && strcmp(w->info, info) == 0)
		return;
	copy = info == NULL ? NULL : xstrdup(info);
	free(w->info);
	w->info = copy;
}

static void
report_init(struct flight_report *r)
{
	r->applications = xstrdup("[]");
	flight_word_set(&r->apps, "Unknown", NULL);
	r->version = xstrdup("");
	r->os = xstrdup("{\"image\":\"\",\"imageDigest\":\"\"}");
	r->system_info = xstrdup("{\"agentVersion\":\"\",\"architecture\":\"\","
				 "\"bootID\":\"\",\"operatingSystem\":\"\"}");
	r->cpu = r->memory = r->disk = flight_intern("Unknown");
}

struct flight_device *
flight_device_new(const char *name, int64_t us, int enrolled)
{
	struct flight_device *d = xcalloc(1, sizeof(*d));

	d->name = xstrdup(name);
	d->generation = d->resource_version = 1;
	d->created_us = us;
	d->spec = xstrdup("{}");
	d->enrolled = enrolled;
	report_init(&d->report);
	flight_condition_set(d, FLIGHT_UPDATING, "Unknown", "", "", -1);
	flight_word_set(&d->lifecycle, enrolled ? "Enrolled" : "Unknown", NULL);
	return d;
}

static void
report_clear(struct flight_report *r)
{
	free(r->applications);
	free(r->apps.info);
	free(r->version);
	free(r->os);
	free(r->system_info);
	free(r->systemd);
}

void
flight_device_free(struct flight_device *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < FLIGHT_NCONDITIONS; i++) {
		free(d->conditions[i].reason);
		free(d->conditions[i].message);
	}
	report_clear(&d->report);
	flight_pairs_clear(&d->labels);
	flight_pairs_clear(&d->annotations);
	free(d->summary.info);
	free(d->updated.info);
	free(d->apps.info);
	free(d->lifecycle.info);
	free(d->rendered_spec);
	free(d->override);
	free(d->owner);
	free(d->spec);
	free(d->name);
	free(d);
}

void
flight_condition_set(struct flight_device *d, enum flight_condition_type type,
    const char *status, const char *reason, const char *message, int64_t us)
{
	struct flight_condition *c = &d->conditions[type];
	char *r = xstrdup(reason), *m = xstrdup(message);

	c->status = flight_intern(status);
	c->since_us = us;
	free(c->reason);
	free(c->message);
	c->reason = r;
	c->message = m;
}

int
flight_condition_is(const struct flight_device *d,
    enum flight_condition_type type, const char *status, const char *reason)
{
	const struct flight_condition *c = &d->conditions[type];

	return c->status != NULL && strcmp(c->status, status) == 0 &&
	    (reason == NULL || strcmp(c->reason, reason) == 0);
}

/* --- writing ------------------------------------------------------------- */

static void
write_word(struct out *o, const char *key, const struct flight_word *w)
{
	out_key(o, key);
	out_open(o, '{');
	if (w->info != NULL)
		out_member(o, "info", w->info);
	out_member(o, "status", w->status == NULL ? "Unknown" : w->status);
	out_close(o, '}');
}

static void
write_conditions(struct out *o, const struct flight_device *d)
{
	const struct flight_condition *c;
	size_t i;

	out_open(o, '[');
	for (i = 0; i < FLIGHT_NCONDITIONS; i++) {
		c = &d->conditions[i];
		if (c->status == NULL)
			continue;
		out_open(o, '{');
		out_key(o, "lastTransitionTime");
		out_time(o, c->since_us);
		out_member(o, "message", c->message);
		out_member(o, "reason", c->reason);
		out_member(o, "status", c->status);
		out_member(o, "type", condition_types[i]);
		out_close(o, '}');
	}
	out_close(o, ']');
}

static void
write_status(struct out *o, const struct flight_device *d)
{
	const struct flight_report *r = &d->report;

	out_open(o, '{');
	out_key(o, "applications");
	out_raw(o, r->applications);
	write_word(o, "applicationsSummary", &d->apps);
	out_key(o, "conditions");
	write_conditions(o, d);
	out_key(o, "config");
	out_open(o, '{');
	out_member(o, "renderedVersion", r->version);
	out_close(o, '}');
	out_key(o, "integrity");
	out_raw(o, d->enrolled ? INTEGRITY : "{\"status\":\"Unknown\"}");
	write_word(o, "lifecycle", &d->lifecycle);
	out_key(o, "os");
	out_raw(o, r->os);
	out_key(o, "resources");
	out_open(o, '{');
	out_member(o, "cpu", r->cpu);
	out_member(o, "disk", r->disk);
	out_member(o, "memory", r->memory);
	out_close(o, '}');
	write_word(o, "summary", &d->summary);
	out_key(o, "systemInfo");
	out_raw(o, r->system_info);
	if (r->systemd != NULL) {
		out_key(o, "systemd");
		out_raw(o, r->systemd);
	}
	write_word(o, "updated", &d->updated);
	out_close(o, '}');
}

static void
write_annotations(struct out *o, const struct flight_device *d)
{
	struct flight_pairs all = { 0 };
	char version[24];
	size_t i;

	for (i = 0; i < d->annotations.n; i++)
		flight_pairs_set(&all, d->annotations.v[i].key,
		    d->annotations.v[i].value);
	if (d->rendered > 0) {
		snprintf(version, sizeof(version), "%" PRIu64, d->rendered);
		flight_pairs_set(&all, "device-controller/renderedSpecHash",
		    d->hash);
		flight_pairs_set(&all, "device-controller/renderedVersion",
		    version);
	}
	flight_pairs_write(o, &all);
	flight_pairs_clear(&all);
}

static void
write_metadata(struct out *o, const struct flight_device *d)
{
	out_open(o, '{');
	out_key(o, "annotations");
	write_annotations(o, d);
	out_key(o, "creationTimestamp");
	out_time(o, d->created_us);
	out_key(o, "generation");
	out_int(o, (int64_t)d->generation);
	out_key(o, "labels");
	flight_pairs_write(o, &d->labels);
	out_member(o, "name", d->name);
	if (d->owner != NULL)
		out_member(o, "owner", d->owner);
	out_key(o, "resourceVersion");
	out_printf(o, "\"%" PRIu64 "\"", d->resource_version);
	out_close(o, '}');
}

static void
write_around(struct out *o, const struct flight_device *d,
    void (*spec)(struct out *, const struct flight_device *))
{
	out_open(o, '{');
	out_member(o, "apiVersion", "flightctl.io/v1beta1");
	out_member(o, "kind", "Device");
	out_key(o, "metadata");
	write_metadata(o, d);
	out_key(o, "spec");
	spec(o, d);
	out_key(o, "status");
	write_status(o, d);
	out_close(o, '}');
}

static void
write_spec(struct out *o, const struct flight_device *d)
{
	out_raw(o, d->spec);
}

/* The renderer fills in what is absent, and leaves out what is its own. */
static void
write_rendered_spec(struct out *o, const struct flight_device *d)
{
	static const char *const members[] = { "applications", "config",
		"consoles", "decommissioning", "os", "resources", "systemd",
		"updatePolicy" };
	struct span spec = span_of(d->rendered_spec), v;
	size_t i;

	out_open(o, '{');
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (scan_get(spec, &v, members[i], NULL) == 1) {
			out_key(o, members[i]);
			out_rawn(o, v.p, v.len);
		} else if (i < 3) {
			out_key(o, members[i]);
			out_raw(o, "[]");
		}
	}
	out_close(o, '}');
}

void
flight_device_write(struct out *o, const struct flight_device *d)
{
	if (d->override != NULL)
		out_raw(o, d->override);
	else
		write_around(o, d, write_spec);
}

void
flight_device_write_rendered(struct out *o, const struct flight_device *d)
{
	write_around(o, d, write_rendered_spec);
}
