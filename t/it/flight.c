/* SPDX-License-Identifier: ISC */
/*
 * flight.c: reads and writes at the Flightctl API.
 *
 * Owns the way in which scenarios recognise an application of ours: its name
 * ends with the first eight digits of the pod's UID.
 */
#include "t/it/flight.h"

#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/world.h"

enum {
	AGAIN_MS = 100,
	ANSWER_MS = 60000,
};

static struct http *server;
static char *fleets, *selector;

void
flight_also(const char *fleet)
{
	AUTO_FREE char *before = fleets, *text = NULL;

	fleets =
	    before == NULL ? xstrdup(fleet) : xasprintf("%s,%s", before, fleet);
	text = xasprintf("fleet in (%s)", fleets);
	free(selector);
	selector = http_escape(text);
}

void
flight_open(struct http *h, const char *fleet)
{
	server = h;
	free(fleets);
	fleets = NULL;
	flight_also(fleet);
}

static struct json_object *
get(const char *path)
{
	int64_t deadline = it_ms() + ANSWER_MS;
	struct json_object *o;
	long status;

	while (it_ms() < deadline) {
		o = http_json(server, "GET", path, NULL, &status);
		if (status == 200 && o != NULL)
			return o;
		json_object_put(o);
		if (status == 404)
			return NULL;
		it_pause(AGAIN_MS);
	}
	it_die("GET %s: %ld", path, status);
}

struct json_object *
flight_device(const char *name)
{
	AUTO_FREE char *path = xasprintf("/api/v1/devices/%s", name);

	return get(path);
}

int
flight_has_seen(const char *name)
{
	AUTO_FREE char *path = xasprintf("/api/v1/devices/%s/lastseen", name);
	AUTO_JSON struct json_object *answer = NULL;
	long status;

	answer = http_json(server, "GET", path, NULL, &status);
	return status == 200;
}

/* Adds a page; the token of the next one, "" at the end; caller frees. */
static char *
add_page(struct json_object *set, const char *which, const char *token)
{
	AUTO_FREE char *path = xasprintf("/api/v1/devices?%slimit=100%s%s",
	    which, *token == '\0' ? "" : "&continue=", token);
	AUTO_JSON struct json_object *page = get(path);
	struct json_object *o;
	size_t i;

	for (i = 0; (o = js_item(page, "/items", i)) != NULL; i++)
		json_object_object_add(set, js_str(o, "/metadata/name"),
		    json_object_get(o));
	return http_escape(js_str(page, "/metadata/continue"));
}

static struct json_object *
list(const char *which)
{
	struct json_object *set = json_object_new_object();
	char *token = xstrdup(""), *next;

	do {
		next = add_page(set, which, token);
		free(token);
		token = next;
	} while (*token != '\0');
	free(token);
	return set;
}

struct json_object *
flight_devices(void)
{
	AUTO_FREE char *which = xasprintf("labelSelector=%s&", selector);

	return list(which);
}

struct json_object *
flight_every(void)
{
	return list("");
}

int
flight_await(flight_fn *fn, void *arg, int ms)
{
	int64_t deadline = it_ms() + ms;
	int met;

	for (;;) {
		AUTO_JSON struct json_object *set = flight_devices();

		if ((met = fn(set, arg)) || it_ms() >= deadline)
			return met;
		it_pause(AGAIN_MS);
	}
}

long
flight_send(const char *method, const char *path, struct json_object *body,
    struct json_object **out)
{
	struct json_object *answer;
	long status;

	answer = http_json(server, method, path, body, &status);
	if (status >= 300 || status == 0)
		it_say("%s %s: %ld %s", method, path, status,
		    json_object_to_json_string(answer));
	json_object_put(body);
	if (out != NULL)
		*out = answer;
	else
		json_object_put(answer);
	return status;
}

long
flight_put(const char *path, struct json_object *body)
{
	long status;

	json_object_put(http_json(server, "PUT", path, body, &status));
	json_object_put(body);
	return status;
}

/* Nothing else is replaced; again when another was faster. */
void
flight_relabel(const char *name, const char *labels)
{
	AUTO_FREE char *path = xasprintf("/api/v1/devices/%s", name);
	struct json_object *d, *body;
	long status;

	do {
		d = flight_device(name);
		body = js_make("{\"apiVersion\":\"flightctl.io/v1beta1\","
			       "\"kind\":\"Device\",\"metadata\":{\"name\":"
			       "\"%s\",\"labels\":{%s},\"resourceVersion\":"
			       "\"%s\"}}",
		    name, labels, js_str(d, "/metadata/resourceVersion"));
		json_object_object_add(body, "spec",
		    json_object_get(js_get(d, "/spec")));
		json_object_put(d);
		status = flight_send("PUT", path, body, NULL);
	} while (status == 409);
	if (status != 200)
		it_die("%s cannot be relabelled: %ld", name, status);
}

/* --- our entries --------------------------------------------------------- */

static int
is_ours(const char *app)
{
	return strncmp(app, "k8s-", 4) == 0;
}

static int
is_of(const char *app, const char *uid)
{
	size_t len = strlen(app);

	return is_ours(app) && len > 8 && strncmp(app + len - 8, uid, 8) == 0;
}

static size_t
count_ours(struct json_object *device)
{
	struct json_object *app;
	size_t i, n = 0;

	for (i = 0; (app = js_item(device, "/spec/applications", i)) != NULL;
	     i++)
		n += is_ours(js_str(app, "/name"));
	return n;
}

size_t
flight_count(struct json_object *set)
{
	struct lh_entry *at = NULL;
	struct json_object *device;
	size_t n = 0;

	while (js_next(set, &at, NULL, &device))
		n += count_ours(device);
	return n;
}

int
flight_is_unused(struct json_object *set, const char *name)
{
	return count_ours(json_object_object_get(set, name)) == 0;
}

const char *
flight_unused(struct json_object *set)
{
	struct lh_entry *at = NULL;
	struct json_object *device;
	const char *name;

	while (js_next(set, &at, &name, &device))
		if (count_ours(device) == 0)
			return name;
	it_die("each device has an application");
}

size_t
flight_reported(struct json_object *set)
{
	struct json_object *app, *device;
	struct lh_entry *at = NULL;
	size_t i, n = 0;

	while (js_next(set, &at, NULL, &device))
		for (i = 0;
		     (app = js_item(device, "/status/applications", i)) != NULL;
		     i++)
			n += is_ours(js_str(app, "/name"));
	return n;
}

/* Of the applications of one device, how many the set has already. */
static size_t
add_names(struct json_object *seen, struct json_object *device)
{
	struct json_object *app;
	const char *name;
	size_t i, n = 0;

	for (i = 0; (app = js_item(device, "/spec/applications", i)) != NULL;
	     i++) {
		name = js_str(app, "/name");
		n += is_ours(name) &&
		    json_object_object_get_ex(seen, name, NULL);
		json_object_object_add(seen, name, NULL);
	}
	return n;
}

size_t
flight_doubled(struct json_object *set)
{
	AUTO_JSON struct json_object *seen = json_object_new_object();
	struct lh_entry *at = NULL;
	struct json_object *device;
	size_t n = 0;

	while (js_next(set, &at, NULL, &device))
		n += add_names(seen, device);
	return n;
}

static struct json_object *
find(struct json_object *apps, const char *uid)
{
	struct json_object *app;
	size_t i;

	for (i = 0; (app = js_item(apps, "", i)) != NULL; i++)
		if (is_of(js_str(app, "/name"), uid))
			return app;
	return NULL;
}

struct json_object *
flight_application(struct json_object *device, const char *uid)
{
	return find(js_get(device, "/spec/applications"), uid);
}

int
flight_reports(struct json_object *device, const char *uid)
{
	struct json_object *app =
	    find(js_get(device, "/status/applications"), uid);

	return strcmp(js_str(app, "/status"), "Running") == 0;
}

struct json_object *
flight_holder(struct json_object *set, const char *uid, size_t *n)
{
	struct json_object *holder = NULL, *device;
	struct lh_entry *at = NULL;
	size_t count = 0;

	while (js_next(set, &at, NULL, &device)) {
		if (flight_application(device, uid) == NULL)
			continue;
		holder = device;
		count++;
	}
	if (n != NULL)
		*n = count;
	return holder;
}

static int
is_removed(struct json_object *set, void *uid)
{
	struct json_object *device;
	struct lh_entry *at = NULL;

	while (js_next(set, &at, NULL, &device)) {
		if (flight_application(device, uid) != NULL ||
		    find(js_get(device, "/status/applications"), uid) != NULL)
			return 0;
	}
	return 1;
}

int
flight_await_removed(const char *uid, int ms)
{
	AUTO_FREE char *copy = xstrdup(uid);

	return flight_await(is_removed, copy, ms);
}

int64_t
flight_restarts(struct json_object *set)
{
	struct json_object *device, *app;
	struct lh_entry *at = NULL;
	int64_t sum = 0;
	size_t i;

	while (js_next(set, &at, NULL, &device))
		for (i = 0;
		     (app = js_item(device, "/status/applications", i)) != NULL;
		     i++)
			sum += js_int(app, "/restarts");
	return sum;
}

int
flight_is_undisturbed(struct json_object *set)
{
	AUTO_FREE char *remade = world_tell(SIM_EDGE, "remade");

	return flight_restarts(set) == 0 && strcmp(remade, "0") == 0;
}

int64_t
flight_generations(struct json_object *set)
{
	struct json_object *device;
	struct lh_entry *at = NULL;
	int64_t sum = 0;

	while (js_next(set, &at, NULL, &device))
		sum += js_int(device, "/metadata/generation");
	return sum;
}
