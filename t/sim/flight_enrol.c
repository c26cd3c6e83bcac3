/* SPDX-License-Identifier: ISC */
/*
 * flight_enrol.c: enrolment requests and their approval.
 *
 * Owns the requests; an approval signs the certificate and makes the device.
 * Certificates are the service's: CN "device:NAME".
 */
#include "t/sim/flight_enrol.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/cert.h"
#include "t/sim/flight_auth.h"
#include "t/sim/flight_check.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_events.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_schema.h"
#include "t/sim/flight_status.h"
#include "t/sim/flight_store.h"
#include "t/sim/flight_worker.h"
#include "t/sim/web.h"

enum {
	MIN_NAME = 16,
	DAYS = 365
};

struct request {
	char *name, *csr;
	char *spec; /* as it is sent */
	int64_t created_us, decided_us;
	uint64_t resource_version;
	int decided;
	char *by;	   /* who decided */
	char *labels;	   /* of the approval, object */
	char *certificate; /* PEM; NULL: not approved */
};

struct flight_enrol {
	struct request *v;
	size_t n;
};

struct flight_enrol *
flight_enrol_new(void)
{
	return xcalloc(1, sizeof(struct flight_enrol));
}

static void
request_clear(struct request *r)
{
	free(r->name);
	free(r->csr);
	free(r->spec);
	free(r->by);
	free(r->labels);
	free(r->certificate);
}

void
flight_enrol_free(struct flight_enrol *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->n; i++)
		request_clear(&e->v[i]);
	free(e->v);
	free(e);
}

static struct request *
find(const struct flight *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->enrol->n; i++)
		if (strcmp(f->enrol->v[i].name, name) == 0)
			return &f->enrol->v[i];
	return NULL;
}

void
flight_enrol_forget(struct flight *f, const char *name)
{
	struct flight_enrol *e = f->enrol;
	struct request *r = find(f, name);

	if (r == NULL)
		return;
	request_clear(r);
	e->n--;
	memmove(r, r + 1, (e->n - (size_t)(r - e->v)) * sizeof(*r));
}

/* --- writing ------------------------------------------------------------- */

static void
write_approval(struct out *o, const struct request *r)
{
	out_open(o, '{');
	out_key(o, "approved");
	out_bool(o, 1);
	out_key(o, "approvedAt");
	out_time(o, r->decided_us);
	out_member(o, "approvedBy", r->by);
	out_key(o, "labels");
	out_raw(o, r->labels);
	out_key(o, "replaceLabels");
	out_bool(o, 0);
	out_close(o, '}');
}

static void
write_decision(struct out *o, const struct request *r)
{
	out_open(o, '{');
	out_key(o, "lastTransitionTime");
	out_time(o, r->decided_us);
	out_key(o, "message");
	out_printf(o, "\"Approved by %s\"", r->by);
	o->comma = 1;
	out_member(o, "reason", "ManuallyApproved");
	out_member(o, "status", "True");
	out_member(o, "type", "Approved");
	out_close(o, '}');
}

static void
write_request(struct out *o, const struct request *r)
{
	out_open(o, '{');
	out_member(o, "apiVersion", "flightctl.io/v1beta1");
	out_member(o, "kind", "EnrollmentRequest");
	out_key(o, "metadata");
	out_open(o, '{');
	out_key(o, "annotations");
	out_raw(o, "{}");
	out_key(o, "creationTimestamp");
	out_time(o, r->created_us);
	out_key(o, "labels");
	out_raw(o, "{}");
	out_member(o, "name", r->name);
	out_key(o, "resourceVersion");
	out_printf(o, "\"%" PRIu64 "\"", r->resource_version);
	out_close(o, '}');
	out_key(o, "spec");
	out_raw(o, r->spec);
	out_key(o, "status");
	out_open(o, '{');
	if (r->decided) {
		out_key(o, "approval");
		write_approval(o, r);
	}
	if (r->certificate != NULL)
		out_member(o, "certificate", r->certificate);
	out_key(o, "conditions");
	out_open(o, '[');
	if (r->decided)
		write_decision(o, r);
	out_close(o, ']');
	out_close(o, '}');
	out_close(o, '}');
}

static void
answer_request(struct web_req *req, int code, const struct request *r)
{
	struct out o = { 0 };

	write_request(&o, r);
	flight_answer(req, code, &o);
}

/* --- the agent's side ---------------------------------------------------- */

static char *
check_request(const char *name, const char *csr)
{
	char *cn = cert_subject(csr, strlen(csr)), *error;

	if (cn == NULL)
		return xstrdup("invalid CSR");
	if ((error = flight_check_name(name)) == NULL &&
	    strlen(name) < MIN_NAME)
		error = xasprintf("enrollment request name must have at least "
				  "%d characters",
		    MIN_NAME);
	if (error == NULL && strcmp(cn, name) != 0)
		error = xasprintf("CSR common name %s does not match the name "
				  "of the enrollment request %s",
		    cn, name);
	free(cn);
	return error;
}

static char *
request_spec(struct json_object *spec)
{
	struct json_object *v;
	struct flight_pairs labels = { 0 };
	struct out o = { 0 };

	out_open(&o, '{');
	out_member(&o, "csr", flight_get(spec, "csr"));
	if (json_object_object_get_ex(spec, "deviceStatus", &v)) {
		out_key(&o, "deviceStatus");
		out_jsonb(&o, v);
	}
	if (json_object_object_get_ex(spec, "labels", &v)) {
		flight_pairs_read(&labels, v);
		out_key(&o, "labels");
		flight_pairs_write(&o, &labels);
		flight_pairs_clear(&labels);
	}
	out_close(&o, '}');
	return out_take(&o);
}

static struct request *
add_request(struct flight *f, const char *name, struct json_object *spec)
{
	struct flight_enrol *e = f->enrol;
	struct request *r;

	e->v = xreallocarray(e->v, e->n + 1, sizeof(*e->v));
	r = &e->v[e->n++];
	*r = (struct request){ .name = xstrdup(name),
		.csr = xstrdup(flight_get(spec, "csr")),
		.spec = request_spec(spec),
		.created_us = flight_us(),
		.resource_version = 1 };
	flight_event(f->events, FLIGHT_BY_AGENT, "EnrollmentRequest", name,
	    "ResourceCreated", 0, "EnrollmentRequest was created successfully.",
	    NULL);
	return r;
}

void
flight_enrol_agent_post(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct json_object *body, *meta, *spec;
	const char *name;
	char *error;

	if ((body = flight_body(req, FLIGHT_SCHEMA_ENROLMENT)) == NULL)
		return;
	json_object_object_get_ex(body, "metadata", &meta);
	json_object_object_get_ex(body, "spec", &spec);
	name = flight_get(meta, "name");
	if ((error = check_request(name == NULL ? "" : name,
		 flight_get(spec, "csr"))) != NULL) {
		flight_refuse(req, 400, error);
		free(error);
	} else if (find(f, name) != NULL) {
		flight_refuse(req, 409,
		    "a resource with this name already exists");
	} else {
		answer_request(req, 201, add_request(f, name, spec));
	}
	json_object_put(body);
}

void
flight_enrol_agent_get(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	const struct request *r = find(arg, name);

	if (r == NULL)
		flight_not_found(req, "EnrollmentRequest", name);
	else
		answer_request(req, 200, r);
}

/* --- the user's side ----------------------------------------------------- */

void
flight_enrol_get(struct web_req *req, void *arg)
{
	if (flight_may(arg, req, "enrollmentrequests", "get"))
		flight_enrol_agent_get(req, arg);
}

void
flight_enrol_list(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct out o = { 0 };
	size_t i;

	if (!flight_may(f, req, "enrollmentrequests", "list"))
		return;
	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_key(&o, "items");
	out_open(&o, '[');
	for (i = 0; i < f->enrol->n; i++)
		write_request(&o, &f->enrol->v[i]);
	out_close(&o, ']');
	out_member(&o, "kind", "EnrollmentRequestList");
	out_key(&o, "metadata");
	out_raw(&o, "{}");
	out_close(&o, '}');
	flight_answer(req, 200, &o);
}

static int
approve(struct flight *f, struct request *r, struct json_object *labels,
    struct why *why)
{
	struct flight_device *d;
	char *cn = xasprintf("device:%s", r->name);

	r->certificate =
	    cert_sign(f->client_ca, r->csr, strlen(r->csr), cn, DAYS, why);
	free(cn);
	if (r->certificate == NULL)
		return -1;
	d = flight_device_new(r->name, flight_us(), 1);
	d->flight = f;
	flight_pairs_read(&d->labels, labels);
	flight_compute_first(f, d);
	flight_store_add(f->store, d);
	flight_event(f->events, FLIGHT_BY_USER, "Device", d->name,
	    "ResourceCreated", 0, "Device was created successfully.", NULL);
	flight_worker_render(f, d);
	flight_worker_own(f, d);
	return 0;
}

static void
decide(struct flight *f, struct web_req *req, struct request *r,
    struct json_object *body)
{
	struct json_object *labels = NULL, *v;
	enum flight_role role = FLIGHT_ADMIN;
	struct flight_pairs pairs = { 0 };
	struct out o = { 0 };
	struct why why;

	json_object_object_get_ex(body, "labels", &labels);
	json_object_object_get_ex(body, "approved", &v);
	if (!json_object_get_boolean(v)) {
		/* v1.2.0 says yes to a denial, and keeps nothing of it. */
		flight_answer(req, 200, NULL);
		return;
	}
	if (approve(f, r, labels, &why) == -1) {
		flight_refuse(req, 400, why.text);
		return;
	}
	flight_auth_user(f, req, &role);
	r->decided = 1;
	r->decided_us = flight_us();
	r->resource_version++;
	r->by = xstrdup(flight_role_user(role));
	flight_pairs_read(&pairs, labels);
	flight_pairs_write(&o, &pairs);
	flight_pairs_clear(&pairs);
	r->labels = out_take(&o);
	flight_event(f->events, FLIGHT_BY_USER, "EnrollmentRequest", r->name,
	    "EnrollmentRequestApproved", 0,
	    "EnrollmentRequest was approved successfully.", NULL);
	write_approval(&o, r);
	flight_answer(req, 200, &o);
}

void
flight_enrol_approve(struct web_req *req, void *arg)
{
	const char *name = web_capture(req, "name");
	struct flight *f = arg;
	struct json_object *body;
	struct request *r;

	if (!flight_may(f, req, "enrollmentrequests/approval", "update") ||
	    (body = flight_body(req, FLIGHT_SCHEMA_APPROVAL)) == NULL)
		return;
	if ((r = find(f, name)) == NULL)
		flight_not_found(req, "EnrollmentRequest", name);
	else if (r->decided)
		flight_refuse(req, 400,
		    "Enrollment request is already approved");
	else
		decide(f, req, r, body);
	json_object_put(body);
}
