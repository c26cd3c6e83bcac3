/* SPDX-License-Identifier: ISC */
#ifndef T_IT_JS_H
#define T_IT_JS_H

/*
 * Reading of trees by path: "/status/phase", "/spec/containers/0/image".
 * A NULL tree and an absent member read as NULL, "", 0.
 */

#include <json-c/json_object.h>
#include <stdint.h>

struct json_object *js_get(struct json_object *, const char *path);
const char *js_str(struct json_object *, const char *path);
int64_t js_int(struct json_object *, const char *path);
size_t js_len(struct json_object *, const char *path); /* of an array */

/* An element of an array; NULL: it has no more. */
struct json_object *js_item(struct json_object *, const char *path, size_t);

/* The element of an array whose member key has that value, or NULL. */
struct json_object *js_find(struct json_object *, const char *path,
    const char *key, const char *value);

/*
 * The members of an object in their order: start with *at NULL; 0: no more.
 * The value is borrowed, the name (NULL allowed) too.
 */
struct lh_entry;
int js_next(struct json_object *, struct lh_entry **at, const char **name,
    struct json_object **value);

/* Status of a condition: "True", "False", "Unknown"; "": none. */
const char *js_condition(struct json_object *, const char *type);
const char *js_reason(struct json_object *, const char *type);

/* The text of a member as the tree writes it; caller frees. */
char *js_text(struct json_object *, const char *path);

/* A tree from text made by printf; dies when it is none. */
struct json_object *js_make(const char *, ...)
    __attribute__((format(printf, 1, 2)));

#endif
