/* SPDX-License-Identifier: ISC */
/*
 * edge_status.c: a report as the DeviceStatus of the agent endpoint.
 *
 * Owns the members the endpoint wants; the values come from edge.c.
 */
#include <inttypes.h>

#include "t/sim/edge.h"
#include "t/sim/flight_json.h"

static void
write_condition(struct out *o, const struct edge_condition *c)
{
	out_open(o, '{');
	out_key(o, "lastTransitionTime");
	out_time(o, c->since_us);
	out_member(o, "message", c->message);
	out_member(o, "reason", c->reason);
	out_member(o, "status", c->status);
	out_member(o, "type", "Updating");
	out_close(o, '}');
}

static void
write_word(struct out *o, const char *key, const char *status)
{
	out_key(o, key);
	out_open(o, '{');
	out_member(o, "status", status);
	out_close(o, '}');
}

void
edge_write_status(struct out *o, const struct edge_report *r)
{
	out_open(o, '{');
	out_key(o, "applications");
	out_raw(o, r->applications);
	out_key(o, "applicationsSummary");
	out_open(o, '{');
	if (r->summary_info != NULL)
		out_member(o, "info", r->summary_info);
	out_member(o, "status", r->summary_status);
	out_close(o, '}');
	out_key(o, "conditions");
	out_open(o, '[');
	if (r->updating->status != NULL)
		write_condition(o, r->updating);
	out_close(o, ']');
	out_key(o, "config");
	out_open(o, '{');
	out_key(o, "renderedVersion");
	out_printf(o, "\"%" PRIu64 "\"", r->version);
	out_close(o, '}');
	write_word(o, "integrity", "Unknown");
	write_word(o, "lifecycle", "Unknown");
	out_key(o, "os");
	out_raw(o, "{\"image\":\"\",\"imageDigest\":\"\"}");
	out_key(o, "resources");
	out_raw(o,
	    "{\"cpu\":\"Healthy\",\"disk\":\"Healthy\","
	    "\"memory\":\"Healthy\"}");
	write_word(o, "summary", "Online");
	out_key(o, "systemInfo");
	out_raw(o, r->system_info);
	write_word(o, "updated", "UpToDate");
	out_close(o, '}');
}
