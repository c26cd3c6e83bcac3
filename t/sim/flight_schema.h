/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_SCHEMA_H
#define T_SIM_FLIGHT_SCHEMA_H

/*
 * The part of the service's OpenAPI document that bodies are checked with
 * before any handler sees them, with the texts of its validator.
 */

struct json_object;
struct web_req;

enum flight_schema {
	FLIGHT_SCHEMA_DEVICE,
	FLIGHT_SCHEMA_AGENT_DEVICE,
	FLIGHT_SCHEMA_PATCH,
	FLIGHT_SCHEMA_DECOMMISSION,
	FLIGHT_SCHEMA_ENROLMENT,
	FLIGHT_SCHEMA_APPROVAL,
	FLIGHT_SCHEMA_RESUME,
	FLIGHT_SCHEMA_SIGNING,
	FLIGHT_SCHEMA_FLEET,
};

/* NULL, or "API Error: ...", the caller's. */
char *flight_schema_check(enum flight_schema, struct json_object *);

/* The body of a request, the caller's; NULL: refused and answered. */
struct json_object *flight_body(struct web_req *, enum flight_schema);

#endif
