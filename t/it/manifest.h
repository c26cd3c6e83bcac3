/* SPDX-License-Identifier: ISC */
#ifndef T_IT_MANIFEST_H
#define T_IT_MANIFEST_H

/*
 * A file of YAML documents as the trees that js.h reads.  Each scalar is a
 * string.
 */

struct json_object;
struct why;

/* An array of them, the caller's; NULL: it cannot be read, or is no YAML. */
struct json_object *manifest_read(const char *path, struct why *);

#endif
