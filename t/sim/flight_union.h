/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_UNION_H
#define T_SIM_FLIGHT_UNION_H

/*
 * Applications and config entries against their schemas: unions, whose errors
 * the service reports in a form of their own.  It appends schemas and values
 * of several tries; here are those that were recorded.
 */

struct json_object;

/* NULL, or the error, the caller's; *whole: it is the complete text. */
char *flight_union_check(struct json_object *app, const char *path, int *whole);

/* The same for an entry of spec.config. */
char *flight_union_config(struct json_object *entry, const char *path,
    int *whole);

#endif
