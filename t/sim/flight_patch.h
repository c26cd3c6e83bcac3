/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_PATCH_H
#define T_SIM_FLIGHT_PATCH_H

/* JSON Patch (RFC 6902) as the service's library applies it.  Pure. */

struct json_object;

/*
 * The list of operations on *doc, which may be replaced.  NULL, or the text
 * of the failure, the caller's (then *doc is half done).
 */
char *flight_patch_apply(struct json_object **doc, struct json_object *list);

#endif
