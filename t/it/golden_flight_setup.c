/* SPDX-License-Identifier: ISC */
/*
 * golden_flight_setup.c: what was there before a recording was made.
 *
 * Owns devices' keys; brings devices into recorded states through the same
 * doors as real ones: enrolment, PUT, status pushes.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/golden_flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/sim/cert.h"

enum {
	IDLE_MS = 10000,
	WORDS = 16,
};

struct json_object *
flight_recording(const char *name)
{
	AUTO_FREE char *file = xasprintf(GOLDEN_FLIGHT "/%s.json", name);
	AUTO_FREE char *path = child_source(file);
	struct json_object *o = json_object_from_file(path);

	if (o == NULL)
		it_die("%s: cannot be read", path);
	return o;
}

/* --- flightsim --- */

char *
flight_command(const struct flight_replay *r, const char *command)
{
	AUTO_FREE char *program = child_program("simctl");
	AUTO_FREE char *words = xstrdup(command);
	const char *argv[WORDS] = { program, "--wait", "20", r->socket };
	char *rest = words, *word, *out = NULL;
	size_t n = 4;

	while (n < WORDS - 1 && (word = strsep(&rest, " ")) != NULL)
		argv[n++] = word;
	if (child_run(argv, &out) != 0)
		it_die("flightsim does not take: %s: %s", command,
		    out != NULL ? out : "");
	return out;
}

void
flight_wait_idle(const struct flight_replay *r)
{
	int64_t deadline = it_ms() + IDLE_MS;

	while (!r->standing) {
		AUTO_FREE char *out = flight_command(r, "summary");

		if (strstr(out, "\"worker\":0") != NULL)
			return;
		if (it_ms() > deadline)
			it_die("the worker does not end: %s", out);
		it_pause(10);
	}
}

struct json_object *
flight_must(const struct flight_replay *r, const char *actor,
    const char *method, const char *target, struct json_object *body)
{
	struct json_object *types =
	    js_make("[[\"Content-Type\",\"application/json\"]]");
	const struct flight_request q = { .actor = actor,
		.method = method,
		.target = target,
		.headers = types,
		.body =
		    body == NULL ? NULL : json_object_to_json_string(body) };
	struct json_object *o;
	struct flight_answer a;

	flight_send_as(r, &q, &a);
	if (a.status < 200 || a.status > 299)
		it_die("%s %s: %ld %.400s", method, target, a.status, a.body);
	o = json_tokener_parse(a.body);
	flight_answer_clear(&a);
	json_object_put(types);
	json_object_put(body);
	return o;
}

/* --- enrolment --- */

static void
keep(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	if (fp == NULL || fputs(text, fp) == EOF || fclose(fp) == EOF)
		it_die("%s: cannot be written", path);
}

char *
flight_csr(const struct flight_replay *r, const char *device)
{
	AUTO_FREE char *path = xasprintf("%s/%s.csr", r->keys, device);
	char *csr = it_file(path, NULL);
	struct why why;

	if (csr != NULL)
		return csr; /* a device enrols again with the same key */
	if ((csr = cert_request(r->keys, device, device, &why)) == NULL)
		it_die("%s", why.text);
	keep(path, csr);
	return csr;
}

void
flight_keep_certificate(const struct flight_replay *r, const char *device,
    const char *pem)
{
	AUTO_FREE char *path = xasprintf("%s/%s.crt", r->keys, device);

	keep(path, pem);
}

/* The device in a recorded answer: the body itself, or an item of it. */
static struct json_object *
recorded_device(struct json_object *recording, const char *device)
{
	struct json_object *body = js_get(recording, "/response/body"), *o;

	if (strcmp(js_str(body, "/metadata/name"), device) == 0)
		return body;
	if ((o = js_find(body, "/items", "metadata/name", device)) != NULL)
		return o;
	it_die("%s is not in %s", device, js_str(recording, "/name"));
}

void
flight_set_enrolled(struct flight_replay *r, const char *device,
    const char *recording)
{
	struct json_object *rec = NULL, *o, *labels;
	AUTO_FREE char *csr = flight_csr(r, device);
	AUTO_FREE char *at = xasprintf("/api/v1/enrollmentrequests/%s", device);
	AUTO_FREE char *approval = xasprintf("%s/approval", at);

	if (recording[0] == '{') {
		labels = rec = json_tokener_parse(recording);
	} else {
		rec = flight_recording(recording);
		labels =
		    js_get(recorded_device(rec, device), "/metadata/labels");
	}
	o = js_make("{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":"
		    "\"EnrollmentRequest\",\"metadata\":{\"name\":\"%s\"},"
		    "\"spec\":{}}",
	    device);
	json_object_object_add(js_get(o, "/spec"), "csr",
	    json_object_new_string(csr));
	json_object_put(
	    flight_must(r, "enroll", "POST", "/api/v1/enrollmentrequests", o));
	o = js_make("{\"approved\":true}");
	json_object_object_add(o, "labels", json_object_get(labels));
	json_object_put(flight_must(r, "admin", "PUT", approval, o));
	o = flight_must(r, "enroll", "GET", at, NULL);
	flight_keep_certificate(r, device, js_str(o, "/status/certificate"));
	json_object_put(o);
	json_object_put(rec);
	flight_wait_idle(r);
}

/* --- states --- */

static struct json_object *
pushed_summary(struct json_object *status)
{
	const char *word = js_str(status, "/applicationsSummary/status");
	const char *info = js_str(status, "/applicationsSummary/info");

	if (js_len(status, "/applications") == 0)
		return js_make("{\"status\":\"NoApplications\"}");
	if (strcmp(word, "Error") == 0 || strcmp(word, "Degraded") == 0)
		return js_make("{\"status\":\"%s\",\"info\":\"%s\"}", word,
		    info);
	return js_make("{\"status\":\"Healthy\"}");
}

/* What the agent said, out of what the service made of it. */
static struct json_object *
pushed_status(struct json_object *status)
{
	static const char *const same[] = { "systemInfo", "applications",
		"resources", "config", "os" };
	struct json_object *o = json_object_new_object();
	struct json_object *conditions = json_object_new_array(), *c, *v;
	const char *type;
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (json_object_object_get_ex(status, same[i], &v))
			json_object_object_add(o, same[i], json_object_get(v));
	for (i = 0; (c = js_item(status, "/conditions", i)) != NULL; i++) {
		type = js_str(c, "/type");
		if (strcmp(type, "Updating") == 0 ||
		    strcmp(type, "DeviceDecommissioning") == 0)
			json_object_array_add(conditions, json_object_get(c));
	}
	json_object_object_add(o, "conditions", conditions);
	json_object_object_add(o, "applicationsSummary",
	    pushed_summary(status));
	json_object_object_add(o, "integrity",
	    js_make("{\"status\":\"Unknown\"}"));
	json_object_object_add(o, "updated",
	    js_make("{\"status\":\"UpToDate\"}"));
	json_object_object_add(o, "summary",
	    js_make("{\"status\":\"Online\"}"));
	json_object_object_add(o, "lifecycle",
	    js_make("{\"status\":\"Unknown\"}"));
	return o;
}

static void
poll_once(const struct flight_replay *r, const char *device)
{
	AUTO_FREE char *at = xasprintf("/api/v1/devices/%s/rendered", device);

	json_object_put(flight_must(r, "device", "GET", at, NULL));
}

static void
push(const struct flight_replay *r, const char *device,
    struct json_object *status)
{
	AUTO_FREE char *at = xasprintf("/api/v1/devices/%s/status", device);
	struct json_object *o;

	o = js_make("{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":"
		    "\"Device\",\"metadata\":{\"name\":\"%s\"}}",
	    device);
	json_object_object_add(o, "status", json_object_get(status));
	json_object_put(flight_must(r, "device", "PUT", at, o));
}

void
flight_set_reported(struct flight_replay *r, const char *device,
    const char *recording)
{
	struct json_object *rec = flight_recording(recording), *status;

	status = pushed_status(js_get(recorded_device(rec, device), "/status"));
	poll_once(r, device);
	push(r, device, status);
	json_object_put(status);
	json_object_put(rec);
}

static void
set_updating(struct json_object *status, const char *word, const char *reason,
    const char *message, const char *version)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list,
	    js_make("{\"type\":\"Updating\",\"status\":\"%s\",\"reason\":"
		    "\"%s\",\"message\":\"%s %s\",\"lastTransitionTime\":"
		    "\"2026-01-01T00:00:00Z\"}",
		word, reason, message, version));
	json_object_object_add(status, "conditions", list);
}

static void
set_version(struct json_object *status, const char *version)
{
	json_object_object_add(status, "config",
	    js_make("{\"renderedVersion\":\"%s\"}", version));
}

/* The steps before the new state shows. */
static void
push_steps(const struct flight_replay *r, const char *device,
    struct json_object *before, const char *version)
{
	set_updating(before, "True", "Preparing",
	    "Device is preparing an update to renderedVersion:", version);
	push(r, device, before);
	set_updating(before, "True", "ReadyToUpdate",
	    "Device is ready to apply update to renderedVersion:", version);
	push(r, device, before);
	set_updating(before, "True", "ApplyingUpdate",
	    "Device is applying renderedVersion:", version);
	push(r, device, before);
}

void
flight_set_stepped(struct flight_replay *r, const char *device,
    const char *recording, int begins)
{
	AUTO_FREE char *at = xasprintf("/api/v1/devices/%s", device);
	struct json_object *rec = flight_recording(recording), *now, *before;
	struct json_object *after, *recorded;
	AUTO_FREE char *version = NULL, *old = NULL;

	now = flight_must(r, "admin", "GET", at, NULL);
	recorded = js_get(recorded_device(rec, device), "/status");
	after = pushed_status(recorded);
	poll_once(r, device);
	if (begins) {
		json_object_object_add(after, "applications",
		    json_object_new_array());
		json_object_object_add(after, "applicationsSummary",
		    js_make("{\"status\":\"NoApplications\"}"));
		set_version(after, "1");
		before = json_tokener_parse(json_object_to_json_string(after));
		json_object_object_add(before, "conditions",
		    json_object_new_array());
		set_version(before, "0");
		push(r, device, before);
	} else {
		before = pushed_status(js_get(now, "/status"));
	}
	old = xstrdup(js_str(before, "/config/renderedVersion"));
	version = xstrdup(js_str(after, "/config/renderedVersion"));
	push_steps(r, device, before, version);
	set_updating(after, "False", "Updated",
	    "Updated to desired renderedVersion:", version);
	set_version(after, old);
	push(r, device, after);
	set_version(after, version);
	push(r, device, after);
	json_object_put(before);
	json_object_put(after);
	json_object_put(now);
	json_object_put(rec);
}

void
flight_set_spec(struct flight_replay *r, const char *device,
    const char *recording)
{
	struct json_object *rec = flight_recording(recording), *o, *d;
	AUTO_FREE char *at = xasprintf("/api/v1/devices/%s", device);

	d = recorded_device(rec, device);
	o = js_make("{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":"
		    "\"Device\",\"metadata\":{\"name\":\"%s\"}}",
	    device);
	json_object_object_add(js_get(o, "/metadata"), "labels",
	    json_object_get(js_get(d, "/metadata/labels")));
	json_object_object_add(o, "spec", json_object_get(js_get(d, "/spec")));
	json_object_put(flight_must(r, "admin", "PUT", at, o));
	json_object_put(rec);
	flight_wait_idle(r);
}
