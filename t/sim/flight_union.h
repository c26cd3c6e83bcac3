/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_UNION_H
#define T_SIM_FLIGHT_UNION_H

/*
 * Applications against their schema: a union by appType, whose errors the
 * service reports in a form of their own.
 */

struct json_object;

/* NULL, or the error, the caller's; *whole: it is the complete text. */
char *flight_union_check(struct json_object *app, const char *path, int *whole);

#endif
