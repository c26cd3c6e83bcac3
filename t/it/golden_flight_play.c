/* SPDX-License-Identifier: ISC */
/*
 * golden_flight_play.c: a recorded request, sent again.
 *
 * Owns what must be another in it: keys of devices, versions of rows.  One
 * check a recording.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/golden_flight.h"
#include "t/it/it.h"
#include "t/it/js.h"

static void
found(const char *where, const char *what, struct json_object *recorded,
    struct json_object *live, void *arg)
{
	struct flight_replay *r = arg;

	if (golden_allowed(r->allow, r->recording, where, what))
		return;
	if (r->differences++ == 0)
		r->first = xasprintf("%s %s: recorded %.300s, live %.300s",
		    where, what,
		    recorded == NULL ? "nothing" :
				       json_object_to_json_string(recorded),
		    live == NULL ? "nothing" :
				   json_object_to_json_string(live));
}

/* --- the request --- */

/* The version that the device of a path has now. */
static char *
version_now(const struct flight_replay *r, const char *target)
{
	AUTO_FREE char *path = xstrndup(target, strcspn(target, "?"));
	struct json_object *o = flight_must(r, "admin", "GET", path, NULL);
	char *version = xstrdup(js_str(o, "/metadata/resourceVersion"));

	json_object_put(o);
	return version;
}

static void
set_version(const struct flight_replay *r, struct json_object *body,
    const char *target)
{
	AUTO_FREE char *version = version_now(r, target);
	struct json_object *op;
	size_t i;

	if (json_object_is_type(body, json_type_object)) {
		json_object_object_add(js_get(body, "/metadata"),
		    "resourceVersion", json_object_new_string(version));
		return;
	}
	for (i = 0; i < json_object_array_length(body); i++) {
		op = json_object_array_get_idx(body, i);
		if (strcmp(js_str(op, "/path"), "/metadata/resourceVersion") ==
		    0)
			json_object_object_add(op, "value",
			    json_object_new_string(version));
	}
}

/* A device's key is ours, so its request is too. */
static void
set_key(const struct flight_replay *r, struct json_object *body)
{
	AUTO_FREE char *csr = NULL;

	if (!json_object_is_type(body, json_type_object) ||
	    strcmp(js_str(body, "/kind"), "EnrollmentRequest") != 0)
		return;
	csr = flight_csr(r, js_str(body, "/metadata/name"));
	json_object_object_add(js_get(body, "/spec"), "csr",
	    json_object_new_string(csr));
}

static char *
body_of(const struct flight_replay *r, struct json_object *q, const char *how)
{
	struct json_object *body = js_get(q, "/body");

	if (*js_str(q, "/text") != '\0')
		return xstrdup(js_str(q, "/text"));
	if (!json_object_object_get_ex(q, "body", NULL))
		return NULL;
	if (strcmp(how, "rv") == 0)
		set_version(r, body, js_str(q, "/target"));
	set_key(r, body);
	return xstrdup(json_object_to_json_string_ext(body,
	    JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* --- the answer --- */

static void
compare_headers(struct flight_replay *r, struct json_object *recorded,
    struct json_object *live)
{
	struct json_object *want = json_object_new_object();
	struct json_object *have = json_object_new_object(), *pair, *v;
	static const char *const names[] = { "content-type", "retry-after",
		"x-ratelimit-limit", "x-ratelimit-remaining",
		"flightctl-api-version", "vary",
		"flightctl-api-versions-supported" };
	size_t i;
	char *c;

	for (i = 0; i < json_object_array_length(recorded); i++) {
		AUTO_FREE char *name = NULL;

		pair = json_object_array_get_idx(recorded, i);
		name = xstrdup(js_str(pair, "/0"));
		for (c = name; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		json_object_object_add(want, name,
		    json_object_new_string(js_str(pair, "/1")));
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_object_object_get_ex(live, names[i], &v))
			json_object_object_add(have, names[i],
			    json_object_get(v));
	json_object_object_add(want, "headers", NULL);
	json_object_object_add(have, "headers", NULL);
	flight_diff(want, have, 0, found, r);
	json_object_put(want);
	json_object_put(have);
}

static void
compare_body(struct flight_replay *r, struct json_object *a,
    const struct flight_answer *live, int shape_only)
{
	struct json_object *want = json_object_new_object();
	struct json_object *have = json_object_new_object(), *body;
	const char *text = js_str(a, "/text");

	if (json_object_object_get_ex(a, "body", &body)) {
		json_object_object_add(want, "body", json_object_get(body));
		json_object_object_add(have, "body",
		    json_tokener_parse(live->body));
	} else {
		json_object_object_add(want, "text",
		    json_object_new_string(text));
		json_object_object_add(have, "text",
		    json_object_new_string(live->body));
	}
	flight_diff(want, have, shape_only, found, r);
	json_object_put(want);
	json_object_put(have);
}

/* The certificate of a device that was enrolled by recorded requests. */
static void
keep_certificate(const struct flight_replay *r, const char *body)
{
	struct json_object *o = json_tokener_parse(body);
	const char *pem = js_str(o, "/status/certificate");

	if (strcmp(js_str(o, "/kind"), "EnrollmentRequest") == 0 &&
	    *pem != '\0')
		flight_keep_certificate(r, js_str(o, "/metadata/name"), pem);
	json_object_put(o);
}

void
flight_play(struct flight_replay *r, const char *name, const char *how,
    const char *device)
{
	struct json_object *rec = flight_recording(name);
	struct json_object *q = js_get(rec, "/request");
	struct json_object *a = js_get(rec, "/response");
	AUTO_FREE char *body = body_of(r, q, how);
	const struct flight_request request = { .actor = js_str(rec, "/actor"),
		.method = js_str(q, "/method"),
		.target = js_str(q, "/target"),
		.headers = js_get(q, "/headers"),
		.body = body,
		.device = device };
	struct flight_answer live;

	r->recording = name;
	r->differences = 0;
	flight_send_as(r, &request, &live);
	if (live.status != js_int(a, "/status")) {
		r->differences++;
		r->first = xasprintf("status: recorded %d, live %ld %.300s",
		    (int)js_int(a, "/status"), live.status, live.body);
	} else {
		compare_headers(r, js_get(a, "/headers"), live.headers);
		compare_body(r, a, &live, strcmp(how, "shape") == 0);
	}
	keep_certificate(r, live.body);
	if (it_ok(r->differences == 0, "%s: %ld", name, live.status) == 0)
		it_say("%u differences; %s", r->differences, r->first);
	if (strcmp(request.method, "GET") != 0)
		flight_wait_idle(r);
	free(steal(&r->first));
	flight_answer_clear(&live);
	json_object_put(rec);
}
