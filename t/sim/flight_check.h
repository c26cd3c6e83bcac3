/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_CHECK_H
#define T_SIM_FLIGHT_CHECK_H

/*
 * What the service refuses in an object that fits its schema: names, labels,
 * specs.  Each returns the text of the refusal, the caller's, or NULL.  Pure.
 */

struct json_object;

char *flight_check_name(const char *name);
char *flight_check_labels(struct json_object *labels);
char *flight_check_spec(struct json_object *spec);

#endif
