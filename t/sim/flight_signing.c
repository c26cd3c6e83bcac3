/* SPDX-License-Identifier: ISC */
/*
 * flight_signing.c: certificates for enrolment, and what a device must know
 * to enrol.
 *
 * Owns nothing: a request is signed at once and forgotten by the next of its
 * name, as the enrolment signer approves by itself.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/cert.h"
#include "t/sim/flight_enrol.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_schema.h"
#include "t/sim/web.h"

enum {
	DAYS = 7
};

static char *
read_text(const char *path)
{
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

void
flight_enrol_config(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	char *path = xasprintf("%s/ca.crt", f->conf.dir), *pem, *data;
	struct out o = { 0 };

	pem = read_text(path);
	free(path);
	if (!flight_may(f, req, "enrollmentconfig", "get")) {
		free(pem);
		return;
	}
	data = flight_base64(pem == NULL ? "" : pem,
	    pem == NULL ? 0 : strlen(pem));
	out_raw(&o,
	    "{\"enrollment-service\":{\"authentication\":{"
	    "\"client-certificate-data\":\"\",\"client-key-data\":\"\"},"
	    "\"enrollment-ui-endpoint\":\"\",\"service\":{");
	o.comma = 0;
	out_member(&o, "certificate-authority-data", data);
	out_key(&o, "server");
	out_printf(&o, "\"https://127.0.0.1:%u\"}}}", web_port(f->agent));
	free(data);
	free(pem);
	flight_answer(req, 200, &o);
}

static void
answer_signed(struct web_req *req, const char *name, struct json_object *spec,
    const char *pem)
{
	struct out o = { 0 };
	char *data = flight_base64(pem, strlen(pem));

	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_member(&o, "kind", "CertificateSigningRequest");
	out_key(&o, "metadata");
	out_open(&o, '{');
	out_key(&o, "annotations");
	out_raw(&o, "{}");
	out_key(&o, "creationTimestamp");
	out_time(&o, flight_us());
	out_key(&o, "labels");
	out_raw(&o, "{}");
	out_member(&o, "name", name);
	out_member(&o, "resourceVersion", "3");
	out_close(&o, '}');
	out_key(&o, "spec");
	out_jsonb(&o, spec);
	out_key(&o, "status");
	out_open(&o, '{');
	out_member(&o, "certificate", data);
	out_key(&o, "conditions");
	out_open(&o, '[');
	out_open(&o, '{');
	out_key(&o, "lastTransitionTime");
	out_time(&o, flight_us());
	out_raw(&o,
	    "\"message\":\"Approved by auto-approver\",\"reason\":"
	    "\"Approved\",\"status\":\"True\",\"type\":\"Approved\"");
	out_close(&o, '}');
	out_close(&o, ']');
	out_close(&o, '}');
	out_close(&o, '}');
	free(data);
	flight_answer(req, 201, &o);
}

void
flight_signing_post(struct web_req *req, void *arg)
{
	struct flight *f = arg;
	struct json_object *body, *meta, *spec;
	char *csr = NULL, *pem = NULL;
	const char *name, *text;
	struct why why = { 0 };
	size_t len = 0;

	if (!flight_may(f, req, "certificatesigningrequests", "create") ||
	    (body = flight_body(req, FLIGHT_SCHEMA_SIGNING)) == NULL)
		return;
	json_object_object_get_ex(body, "metadata", &meta);
	json_object_object_get_ex(body, "spec", &spec);
	name = flight_get(meta, "name");
	text = flight_get(spec, "request");
	csr = flight_unbase64(text, strlen(text), &len);
	if (csr != NULL)
		pem = cert_sign(f->client_ca, csr, len, NULL, DAYS, &why);
	if (name == NULL)
		flight_refuse(req, 400, "metadata.name: Required value");
	else if (pem == NULL)
		flight_refuse(req, 400,
		    csr == NULL ? "spec.request: not base64" : why.text);
	else
		answer_signed(req, name, spec, pem);
	free(pem);
	free(csr);
	json_object_put(body);
}
