/* SPDX-License-Identifier: ISC */
/*
 * edge_enrol.c: from a new key to a device certificate.
 *
 * Owns the four steps (request, approval, certificate, file), each of which
 * may find that an earlier run has done it.  Never tries again by itself.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/https.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/cert.h"
#include "t/sim/edge_client.h"
#include "t/sim/flight_json.h"

struct edge_enrolment {
	const struct edge_site *site;
	char *name;
	struct https_call *call;
	void (*done)(int, const char *, void *);
	void *arg;
};

static void
finish(struct edge_enrolment *e, int rc, const char *text)
{
	e->call = NULL;
	e->done(rc, text, e->arg);
}

static void
refused(struct edge_enrolment *e, const char *what,
    const struct https_answer *a)
{
	char *text = xasprintf("%s: %u %.*s %s", what, a->status,
	    (int)(a->body.len < 300 ? a->body.len : 300),
	    a->body.len > 0 ? a->body.p : "", a->why.text);

	finish(e, -1, text);
	free(text);
}

static void
call(struct edge_enrolment *e, struct https *to, enum https_method method,
    const char *path, struct span body,
    void (*done)(const struct https_answer *, void *))
{
	const struct https_req req = { .method = method,
		.path = path,
		.body = body,
		.deadline_ms = 30000,
		.done = done,
		.arg = e };

	e->call = https_send(to, &req);
}

/* --- the certificate ----------------------------------------------------- */

/* Written beside and renamed: all of it or nothing. */
static int
save(const struct edge_enrolment *e, const char *suffix, const char *pem)
{
	AUTO_FREE char *path =
	    xasprintf("%s/%s.%s", e->site->dir, e->name, suffix);
	AUTO_FREE char *fresh = xasprintf("%s.new", path);
	FILE *fp = fopen(fresh, "we");

	if (fp == NULL)
		return -1;
	if (fputs(pem, fp) == EOF) {
		fclose(fp);
		return -1;
	}
	return fclose(fp) == EOF || rename(fresh, path) == -1 ? -1 : 0;
}

static void
on_certificate(const struct https_answer *a, void *arg)
{
	struct edge_enrolment *e = arg;
	struct json_object *o = NULL, *status = NULL;
	const char *pem = NULL;

	if (a->status != 200) {
		refused(e, "certificate", a);
		return;
	}
	o = flight_parse(a->body);
	if (json_object_object_get_ex(o, "status", &status))
		pem = flight_get(status, "certificate");
	if (pem == NULL)
		finish(e, -1, "certificate: not there yet");
	else if (save(e, "crt", pem) == -1)
		finish(e, -1, strerror(errno));
	else
		finish(e, 0, "");
	json_object_put(o);
}

static void
on_approved(const struct https_answer *a, void *arg)
{
	struct edge_enrolment *e = arg;
	AUTO_FREE char *path =
	    xasprintf("/api/v1/enrollmentrequests/%s", e->name);

	/* 400: an earlier run had it approved. */
	if (a->status != 200 && a->status != 400) {
		refused(e, "approval", a);
		return;
	}
	call(e, e->site->enrol, HTTPS_GET, path, (struct span){ NULL, 0 },
	    on_certificate);
}

static void
on_requested(const struct https_answer *a, void *arg)
{
	struct edge_enrolment *e = arg;
	AUTO_FREE char *path =
	    xasprintf("/api/v1/enrollmentrequests/%s/approval", e->name);
	struct out o = { 0 };

	if (a->status != 201 && a->status != 409) {
		refused(e, "enrolment request", a);
		return;
	}
	out_open(&o, '{');
	out_key(&o, "approved");
	out_bool(&o, 1);
	out_key(&o, "labels");
	out_raw(&o, e->site->labels);
	out_close(&o, '}');
	call(e, e->site->admin, HTTPS_PUT, path, (struct span){ o.p, o.len },
	    on_approved);
	out_free(&o);
}

/* --- the request --------------------------------------------------------- */

static void
write_request(struct out *o, const struct edge_enrolment *e, const char *csr)
{
	struct now now = now_read();
	struct edge *edge = edge_new(e->name, &e->site->conf, now);
	struct edge_report r;

	edge_report(edge, &r);
	out_open(o, '{');
	out_member(o, "apiVersion", "flightctl.io/v1beta1");
	out_member(o, "kind", "EnrollmentRequest");
	out_key(o, "metadata");
	out_open(o, '{');
	out_member(o, "name", e->name);
	out_close(o, '}');
	out_key(o, "spec");
	out_open(o, '{');
	out_member(o, "csr", csr);
	out_key(o, "deviceStatus");
	edge_write_status(o, &r);
	out_key(o, "labels");
	out_raw(o, e->site->labels);
	out_close(o, '}');
	out_close(o, '}');
	edge_free(edge);
}

/* The request of an earlier try fits the key that is there. */
static char *
old_request(const struct edge_enrolment *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s.csr", e->site->dir, e->name);
	FILE *fp = fopen(path, "re");
	struct out o = { 0 };
	char buf[4096];
	size_t n;

	if (fp == NULL)
		return NULL;
	while ((n = fread(buf, 1, sizeof(buf), fp)) > 0)
		out_textn(&o, buf, n);
	fclose(fp);
	return out_take(&o);
}

struct edge_enrolment *
edge_enrol(const struct edge_site *site, const char *name,
    void (*done)(int, const char *, void *), void *arg)
{
	struct edge_enrolment *e = xcalloc(1, sizeof(*e));
	AUTO_FREE char *csr = NULL;
	struct out o = { 0 };
	struct why why;

	e->site = site;
	e->name = xstrdup(name);
	e->done = done;
	e->arg = arg;
	if ((csr = old_request(e)) == NULL) {
		csr = cert_request(site->dir, name, name, &why);
		if (csr == NULL || save(e, "csr", csr) == -1) {
			finish(e, -1, csr == NULL ? why.text : strerror(errno));
			return e;
		}
	}
	write_request(&o, e, csr);
	call(e, site->enrol, HTTPS_POST, "/api/v1/enrollmentrequests",
	    (struct span){ o.p, o.len }, on_requested);
	out_free(&o);
	return e;
}

void
edge_enrolment_free(struct edge_enrolment *e)
{
	if (e == NULL)
		return;
	if (e->call != NULL)
		https_cancel(e->call);
	free(e->name);
	free(e);
}
