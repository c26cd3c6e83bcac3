/* SPDX-License-Identifier: ISC */
#ifndef COMMON_JMAKE_H
#define COMMON_JMAKE_H

/*
 * The one way in which JSON is made: a tree over json-c, written out once.
 * Members keep the order in which they were put, so equal input gives equal
 * bytes.  Cannot fail but for memory (aborts).  Pure.
 */

#include <json-c/json_object.h>
#include <stdint.h>

#include "common/span.h"

/* An empty object or array, to be freed by jmake_text() or AUTO_JSON. */
struct json_object *jmake_object(void);
struct json_object *jmake_array(void);

/*
 * Put a member; a NULL string puts nothing.  jmake_in() and jmake_list()
 * return the new, empty member, borrowed.
 */
void jmake_str(struct json_object *, const char *key, const char *);
void jmake_bytes(struct json_object *, const char *key, struct span);
void jmake_int(struct json_object *, const char *key, int64_t);
void jmake_bool(struct json_object *, const char *key, int);
void jmake_null(struct json_object *, const char *key);
struct json_object *jmake_in(struct json_object *, const char *key);
struct json_object *jmake_list(struct json_object *, const char *key);
/* The tree is taken and nulled. */
void jmake_put(struct json_object *, const char *key, struct json_object **);

/* Append to an array. */
struct json_object *jmake_item(struct json_object *);
void jmake_add(struct json_object *, const char *);

/* The text, without blanks; caller frees.  The tree is taken and nulled. */
char *jmake_text(struct json_object **);
/* The text of a tree that stays. */
char *jmake_copy(struct json_object *);

#endif
