/* SPDX-License-Identifier: ISC */
/*
 * flight_write.c: POST, PUT, DELETE and decommission of devices.
 *
 * Owns the order of refusals and what of a body is stored; a PUT with a
 * resourceVersion is a compare-and-swap.  Never renders (flight_worker.c).
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_check.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_devices.h"
#include "t/sim/flight_diary.h"
#include "t/sim/flight_edges.h"
#include "t/sim/flight_enrol.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_list.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_report.h"
#include "t/sim/flight_schema.h"
#include "t/sim/flight_status.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

#define MODIFIED                                                          \
	"the object has been modified; please apply your changes to the " \
	"latest version and try again"
#define DECOMMISSIONED "decommissioned device cannot be created or updated"

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

/* --- storing ------------------------------------------------------------- */

static void
tell_updated(struct flight *f, const struct flight_device *d, const char *field)
{
	char *message =
	    xasprintf("Device was updated successfully (%s).", field);

	flight_event(f->events, FLIGHT_BY_USER, "Device", d->name,
	    "ResourceUpdated", 0, message, flight_updated_details(field));
	free(message);
}

int
flight_device_store(struct flight *f, struct flight_device *d,
    struct json_object *labels, char *spec)
{
	struct flight_pairs fresh = { 0 };
	int relabelled, changed;

	flight_pairs_read(&fresh, labels);
	relabelled = !flight_pairs_equal(&fresh, &d->labels);
	flight_pairs_clear(&d->labels);
	d->labels = fresh;
	changed = strcmp(spec, d->spec) != 0;
	free(d->spec);
	d->spec = spec;
	d->resource_version++;
	if (changed) {
		d->generation++;
		flight_diary_spec(f, d);
		flight_worker_render(f, d);
	}
	if (changed || relabelled)
		tell_updated(f, d,
		    !changed	   ? "labels" :
			relabelled ? "spec, labels" :
				     "spec");
	if (relabelled)
		flight_worker_own(f, d);
	return changed || relabelled;
}

struct flight_device *
flight_device_create(struct flight *f, const char *name,
    struct json_object *labels, char *spec)
{
	struct flight_device *d = flight_device_new(name, flight_us(), 0);

	d->flight = f;
	flight_pairs_read(&d->labels, labels);
	free(d->spec);
	d->spec = spec;
	flight_compute_first(f, d);
	flight_store_add(f->store, d);
	flight_event(f->events, FLIGHT_BY_USER, "Device", name,
	    "ResourceCreated", 0, "Device was created successfully.", NULL);
	flight_worker_render(f, d);
	flight_worker_own(f, d);
	return d;
}

void
flight_device_remove(struct flight *f, struct flight_device *d)
{
	flight_edge_remove(d);
	flight_polls_orphan(f, d);
	flight_enrol_forget(f, d->name);
	flight_event(f->events, FLIGHT_BY_USER, "Device", d->name,
	    "ResourceDeleted", 0, "Device was deleted successfully.", NULL);
	flight_device_free(flight_store_take(f->store, d->name));
}

/* --- bodies -------------------------------------------------------------- */

struct write {
	const char *name;
	struct json_object *labels; /* or NULL */
	char *spec;		    /* canonical */
	int64_t resource_version;   /* -1: none given */
};

/* Go cannot read an integer beyond 64 bits, and says so with a 500. */
static char *
big_number(struct web_req *req)
{
	struct span body, v;
	char *text, *digits;
	size_t len;

	body.p = web_body(req, &len);
	body.len = len;
	if (scan_get(body, &v, "metadata", "generation", NULL) != 1)
		return NULL;
	digits = xstrndup(v.p, v.len);
	text = v.len < 19 ||
		(v.len == 19 && strcmp(digits, "9223372036854775807") <= 0) ?
	    NULL :
	    xasprintf("can't decode JSON body: json: cannot unmarshal number "
		      "%s into Go struct field "
		      "ObjectMeta.metadata.generation of type "
		      "int64",
		digits);
	free(digits);
	return text;
}

static char *
check_version(struct json_object *meta, int64_t *version)
{
	const char *text = flight_get(meta, "resourceVersion");
	char *end;

	*version = -1;
	if (text == NULL)
		return NULL;
	*version = strtoll(text, &end, 10);
	if (text[0] == '\0' || *end != '\0')
		return xstrdup("resource version does not match the required "
			       "integer format");
	return NULL;
}

/* All errors are told, a line each. */
static char *
join(char *first, char *second)
{
	char *both;

	if (first == NULL || second == NULL)
		return first == NULL ? second : first;
	both = xasprintf("%s\n%s", first, second);
	free(first);
	free(second);
	return both;
}

/* NULL, or the text of a 400. */
static char *
check_body(struct json_object *body, const char *path_name, struct write *w)
{
	struct json_object *meta = get(body, "metadata");
	struct json_object *spec = get(body, "spec"), *none;
	char *error;

	w->name = flight_get(meta, "name");
	if (path_name != NULL && w->name != NULL &&
	    strcmp(path_name, w->name) != 0)
		return xstrdup("resource name specified in metadata does not "
			       "match name in path");
	w->labels = get(meta, "labels");
	if ((error = check_version(meta, &w->resource_version)) != NULL)
		return error;
	error = join(flight_check_name(w->name),
	    join(flight_check_labels(w->labels),
		spec == NULL ? NULL : flight_check_spec(spec)));
	if (error != NULL)
		return error;
	none = spec == NULL ? json_object_new_object() : NULL;
	w->spec = flight_spec_text(spec == NULL ? none : spec);
	json_object_put(none);
	return NULL;
}

static struct json_object *
read_write(struct web_req *req, const char *path_name, struct write *w)
{
	struct json_object *body = flight_body(req, FLIGHT_SCHEMA_DEVICE);
	char *error;
	int code = 500;

	*w = (struct write){ 0 };
	if (body == NULL)
		return NULL;
	if ((error = big_number(req)) == NULL) {
		code = 400;
		error = check_body(body, path_name, w);
	}
	if (error == NULL)
		return body;
	flight_refuse(req, code, error);
	free(error);
	json_object_put(body);
	return NULL;
}

static int
is_decommissioned(const struct flight_device *d)
{
	struct span v;

	return scan_get(span_of(d->spec), &v, "decommissioning", NULL) == 1;
}

static const char *
conflict(const struct flight_device *d, const struct write *w)
{
	if (is_decommissioned(d))
		return DECOMMISSIONED;
	if (d->owner != NULL && strcmp(d->spec, w->spec) != 0)
		return "updating the resource is not allowed because it has "
		       "an owner";
	if (w->resource_version != -1 &&
	    (uint64_t)w->resource_version != d->resource_version)
		return MODIFIED;
	return NULL;
}

/* --- handlers ------------------------------------------------------------ */

void
flight_devices_put(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name"), *refused;
	struct flight *f = arg;
	struct flight_device *d;
	struct json_object *body;
	struct write w;

	if (!flight_may(f, req, "devices", "update") ||
	    (body = read_write(req, name, &w)) == NULL)
		return;
	d = flight_store_get(f->store, name);
	if (d == NULL) {
		d = flight_device_create(f, name, w.labels, w.spec);
		flight_answer_device(req, 201, d);
	} else if ((refused = conflict(d, &w)) != NULL) {
		flight_refuse(req, 409, refused);
		free(w.spec);
	} else {
		flight_device_store(f, d, w.labels, w.spec);
		flight_answer_device(req, 200, d);
	}
	json_object_put(body);
}

void
flight_devices_post(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct json_object *body;
	struct write w;

	if (!flight_may(f, req, "devices", "create") ||
	    (body = read_write(req, NULL, &w)) == NULL)
		return;
	if (flight_store_get(f->store, w.name) != NULL) {
		flight_refuse(req, 409,
		    "a resource with this name already exists");
		free(w.spec);
	} else {
		flight_answer_device(req, 201,
		    flight_device_create(f, w.name, w.labels, w.spec));
	}
	json_object_put(body);
}

void
flight_devices_delete(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct flight_device *d;

	if (!flight_may(f, req, "devices", "delete"))
		return;
	d = flight_store_get(f->store, web_capture(req, "name"));
	if (d != NULL)
		flight_device_remove(f, d);
	flight_refuse(req, 200, "");
}

/* The service clears owner and labels; the rest of the spec stays. */
int
flight_device_leave(struct flight *f, struct flight_device *d,
    const char *target)
{
	struct json_object *spec, *how;

	if (is_decommissioned(d))
		return -1;
	spec = flight_parse(span_of(d->spec));
	how = json_object_new_object();
	json_object_object_add(how, "target", json_object_new_string(target));
	json_object_object_add(spec, "decommissioning", how);
	free(d->spec);
	d->spec = flight_spec_text(spec);
	json_object_put(spec);
	free(d->owner);
	d->owner = NULL;
	flight_pairs_clear(&d->labels);
	flight_word_set(&d->lifecycle, "Decommissioning", NULL);
	d->resource_version++;
	flight_event(f->events, FLIGHT_BY_USER, "Device", d->name,
	    "DeviceDecommissioned", 0,
	    "Device was decommissioned "
	    "successfully.",
	    NULL);
	flight_worker_render(f, d);
	return 0;
}

void
flight_devices_decommission(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct flight *f = arg;
	struct flight_device *d;
	struct json_object *body;

	if (!flight_may(f, req, "devices/decommission", "update") ||
	    (body = flight_body(req, FLIGHT_SCHEMA_DECOMMISSION)) == NULL)
		return;
	if ((d = flight_store_get(f->store, name)) == NULL)
		flight_not_found(req, "Device", name);
	else if (flight_device_leave(f, d, flight_get(body, "target")) == -1)
		flight_refuse(req, 409, MODIFIED);
	else
		flight_answer_device(req, 200, d);
	json_object_put(body);
}

/* An administrator may push a status; it is no sign of life. */
void
flight_devices_put_status(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct flight *f = arg;
	struct flight_device *d;
	struct json_object *body, *status;

	if (!flight_may(f, req, "devices/status", "update") ||
	    (body = flight_body(req, FLIGHT_SCHEMA_AGENT_DEVICE)) == NULL)
		return;
	status = get(body, "status");
	if ((d = flight_store_get(f->store, name)) == NULL)
		flight_not_found(req, "Device", name);
	else if (status == NULL)
		flight_refuse(req, 400, "device status is required");
	else {
		flight_report_json(f, d, status);
		flight_answer_device(req, 200, d);
	}
	json_object_put(body);
}
