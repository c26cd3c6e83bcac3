/* SPDX-License-Identifier: ISC */
/*
 * flight_http.c: answers in the service's forms.
 *
 * Owns headers and Status objects; never decides what is answered.
 */
#include "t/sim/flight_http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"
#include "t/sim/web.h"

#define JSON "application/json"

static const struct {
	int code;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 406, "Not Acceptable" },
	{ 409, "Conflict" },
	{ 414, "Request URI Too Long" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

const char *
flight_reason(int code)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].reason;
	return "";
}

void
flight_headers(struct web_req *req)
{
	static unsigned long count;
	const char *id = web_header(req, "X-Request-Id");
	char own[40];

	snprintf(own, sizeof(own), "sim/flight-%06lu", ++count);
	web_add_header(req, "Content-Security-Policy",
	    "default-src 'none'; frame-ancestors 'none'");
	web_add_header(req, "Strict-Transport-Security",
	    "max-age=31536000; includeSubDomains");
	web_add_header(req, "X-Content-Type-Options", "nosniff");
	web_add_header(req, "X-Frame-Options", "DENY");
	web_add_header(req, "X-Request-Id", id != NULL ? id : own);
}

void
flight_headers_in(struct web_req *req)
{
	web_add_header(req, "Flightctl-Api-Version", "v1beta1");
	web_add_header(req, "Vary", "Flightctl-API-Version");
}

/* One middleware of the service says more than the others. */
static const char *
type_of(int code)
{
	return code == 406 ? JSON "; charset=utf-8" : JSON;
}

void
flight_answer(struct web_req *req, int code, struct out *o)
{
	if (o == NULL) {
		web_bytes(req, code, NULL, "", 0);
		return;
	}
	out_text(o, "\n");
	web_bytes(req, code, type_of(code), o->p, o->len);
	out_free(o);
}

static void
status(struct web_req *req, int code, const char *kind, const char *word,
    const char *reason, const char *message)
{
	struct out o = { 0 };

	out_open(&o, '{');
	out_member(&o, "apiVersion",
	    kind[0] == '\0' ? "" : "flightctl.io/v1beta1");
	out_key(&o, "code");
	out_int(&o, code);
	out_member(&o, "kind", kind);
	out_member(&o, "message", message);
	out_member(&o, "reason", reason);
	out_member(&o, "status", word);
	out_close(&o, '}');
	flight_answer(req, code, &o);
}

void
flight_refuse(struct web_req *req, int code, const char *message)
{
	status(req, code, "Status", code < 400 ? "Success" : "Failure",
	    flight_reason(code), message);
}

void
flight_refusef(struct web_req *req, int code, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	flight_refuse(req, code, text);
	free(text);
}

void
flight_not_found(struct web_req *req, const char *kind, const char *name)
{
	flight_refusef(req, 404, "%s of name \"%s\" not found", kind, name);
}

void
flight_refuse_bare(struct web_req *req, int code, const char *reason,
    const char *message)
{
	status(req, code, "", "", reason, message);
}

void
flight_answer_device(struct web_req *req, int code,
    const struct flight_device *d)
{
	struct out o = { 0 };

	flight_device_write(&o, d);
	flight_answer(req, code, &o);
}
