/* SPDX-License-Identifier: ISC */
/*
 * flight_amend.c: PATCH of a device.
 *
 * Owns the weakness of v1.2.0: a patch is read, tested and computed at once,
 * and stored patch_ms later over whatever is there then, without comparing
 * anything.  Two patches at one moment both succeed; one is lost.
 */
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_check.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_patch.h"
#include "t/sim/flight_schema.h"
#include "t/sim/flight_store.h"
#include "t/sim/web.h"

struct amend {
	struct flight *flight;
	struct web_req *req;
	char *name, *spec;
	struct json_object *labels;
};

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *const spec_members[] = { "applications", "config",
	"consoles", "decommissioning", "os", "resources", "systemd",
	"updatePolicy", NULL };
static const char *const members[] = { "apiVersion", "kind", "metadata", "spec",
	"status", NULL };

/* Patched documents are read strictly. */
static char *
check_known(struct json_object *o, const char *const *known)
{
	struct json_object_iter it;
	const char *const *k;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	json_object_object_foreachC(o, it)
	{
		for (k = known; *k != NULL && strcmp(*k, it.key) != 0; k++)
			continue;
		if (*k == NULL)
			return xasprintf("patch produced an invalid resource: "
					 "json: unknown field \"%s\"",
			    it.key);
	}
	return NULL;
}

static char *
check_immutable(struct json_object *before, struct json_object *after)
{
	static const char *const plain[] = { "apiVersion", "kind", "status" };
	size_t i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!json_object_equal(get(before, plain[i]),
			get(after, plain[i])))
			return xasprintf("%s is immutable", plain[i]);
	if (!json_object_equal(get(get(before, "metadata"), "name"),
		get(get(after, "metadata"), "name")))
		return xstrdup("metadata.name is immutable");
	if (!json_object_equal(get(get(before, "spec"), "decommissioning"),
		get(get(after, "spec"), "decommissioning")) ||
	    get(get(after, "spec"), "decommissioning") != NULL)
		return xstrdup("spec.decommissioning cannot be changed via "
			       "patch request");
	return NULL;
}

static char *
check_result(struct json_object *before, struct json_object *after)
{
	struct json_object *spec = get(after, "spec");
	char *error;

	if ((error = check_known(after, members)) != NULL ||
	    (error = check_known(spec, spec_members)) != NULL ||
	    (error = check_immutable(before, after)) != NULL ||
	    (error = flight_schema_check(FLIGHT_SCHEMA_DEVICE, after)) !=
		NULL ||
	    (error = flight_check_labels(
		 get(get(after, "metadata"), "labels"))) != NULL)
		return error;
	return spec == NULL ? NULL : flight_check_spec(spec);
}

static void
amend_free(struct amend *a)
{
	json_object_put(a->labels);
	free(a->spec);
	free(a->name);
	free(a);
}

static void
store(evutil_socket_t fd, short what, void *arg)
{
	struct amend *a = arg;
	struct flight_device *d = flight_store_get(a->flight->store, a->name);

	(void)fd, (void)what;
	if (d == NULL) {
		flight_not_found(a->req, "Device", a->name);
	} else if (d->owner != NULL && strcmp(d->spec, a->spec) != 0) {
		flight_refuse(a->req, 409,
		    "updating the resource is not "
		    "allowed because it has an owner");
	} else {
		flight_device_store(a->flight, d, a->labels, steal(&a->spec));
		flight_answer_device(a->req, 200, d);
	}
	amend_free(a);
}

static void
put_off(struct flight *f, struct web_req *req, const struct flight_device *d,
    struct json_object *doc)
{
	struct json_object *spec = get(doc, "spec"), *none = NULL;
	struct timeval tv = { f->conf.patch_ms / 1000,
		f->conf.patch_ms % 1000 * 1000 };
	struct amend *a = xcalloc(1, sizeof(*a));

	if (spec == NULL)
		spec = none = json_object_new_object();
	a->flight = f;
	a->req = req;
	a->name = xstrdup(d->name);
	a->spec = flight_spec_text(spec);
	a->labels = json_object_get(get(get(doc, "metadata"), "labels"));
	json_object_put(none);
	event_base_once(f->base, -1, EV_TIMEOUT, store, a, &tv);
}

void
flight_devices_patch(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct json_object *list, *before, *after;
	struct flight *f = arg;
	struct flight_device *d;
	struct out o = { 0 };
	char *error;

	if (!flight_may(f, req, "devices", "patch") ||
	    (list = flight_body(req, FLIGHT_SCHEMA_PATCH)) == NULL)
		return;
	if ((d = flight_store_get(f->store, name)) == NULL) {
		flight_not_found(req, "Device", name);
		json_object_put(list);
		return;
	}
	flight_device_write(&o, d);
	before = flight_parse((struct span){ o.p, o.len });
	after = flight_parse((struct span){ o.p, o.len });
	out_free(&o);
	error = flight_patch_apply(&after, list);
	if (error == NULL && get(after, "status") == NULL)
		web_bytes(req, 500, NULL, "", 0); /* the service panics */
	else if (error != NULL || (error = check_result(before, after)) != NULL)
		flight_refuse(req, 400, error);
	else
		put_off(f, req, d, after);
	free(error);
	json_object_put(before);
	json_object_put(after);
	json_object_put(list);
}
