/* SPDX-License-Identifier: ISC */
#ifndef COMMON_JREAD_H
#define COMMON_JREAD_H

/*
 * The one way in which JSON is read: bounded parsing, then tables that say
 * which members are wanted, of what type and how large.  Members that no table
 * names are ignored; a null is an absent member.  Pure.
 */

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdint.h>

#include "common/span.h"
#include "common/why.h"

enum jread_kind {
	JREAD_STRING,
	JREAD_INT,
	JREAD_BOOL,
	JREAD_OBJECT,
	JREAD_ARRAY,
};

enum jread_need {
	OPTIONAL,
	REQUIRED,
};

struct jread_field {
	const char *path; /* member names with dots between */
	enum jread_kind kind;
	enum jread_need need;
	size_t offset;
	int64_t max; /* bytes, elements, or the highest value */
};

/* For the compiler: the member that a table fills has the type it fills. */
#define JREAD_AT(t, m, as)                                                     \
	(offsetof(t, m) +                                                      \
	    0 *                                                                \
		sizeof(                                                        \
		    char[__builtin_types_compatible_p(__typeof__(((t *)0)->m), \
			     as) ?                                             \
			    1 :                                                \
			    -1]))

/* const char *: borrowed from the tree, never with a NUL inside */
#define JSTR(t, m, path, max, need)                                         \
	{                                                                   \
		path, JREAD_STRING, need, JREAD_AT(t, m, const char *), max \
	}
/* int64_t, 0..max */
#define JINT(t, m, path, max, need)                                 \
	{                                                           \
		path, JREAD_INT, need, JREAD_AT(t, m, int64_t), max \
	}
/* uint8_t: 0, 1 */
#define JBOOL(t, m, path, need)                                    \
	{                                                          \
		path, JREAD_BOOL, need, JREAD_AT(t, m, uint8_t), 0 \
	}
/* struct json_object *, borrowed */
#define JOBJ(t, m, path, need)                              \
	{                                                   \
		path, JREAD_OBJECT, need,                   \
		    JREAD_AT(t, m, struct json_object *), 0 \
	}
#define JARR(t, m, path, max, need)                                            \
	{                                                                      \
		path, JREAD_ARRAY, need, JREAD_AT(t, m, struct json_object *), \
		    max                                                        \
	}

/*
 * Exactly one JSON value, at most MAX_ITEM bytes, MAX_JSON_DEPTH levels and
 * MAX_JSON_NODES values.  NULL: ERR_FORMAT or ERR_LIMIT.
 */
struct json_object *jread_parse(struct span, struct why *);

/*
 * Fills *into, which the caller has zeroed; absent members leave it as it is.
 * at ("spec.containers[0]", "" for the root) starts the path in texts.
 * ERR_FORMAT: wrong type or a required member is absent; ERR_LIMIT: max.
 */
int jread_fields(struct json_object *, const char *at,
    const struct jread_field *, size_t, void *into, struct why *);

/* "kind" of a value as people say it: "a string", "null", ... */
const char *jread_type(struct json_object *);

/* A member of an object, or NULL: absent, null, or no object. */
struct json_object *jread_member(struct json_object *, const char *key);

/* A string without NUL inside; NULL when it is none.  Borrowed. */
const char *jread_string(struct json_object *);

/* The index of a word in a list; other: it is none of them, or NULL. */
size_t jread_word(const char *const *words, size_t n, const char *word,
    size_t other);

/* Members of an object, 0 for what is none. */
size_t jread_members(struct json_object *);

/* Length of an array, 0 for what is none; its elements. */
size_t jread_count(struct json_object *);
struct json_object *jread_item(struct json_object *, size_t);

/*
 * The first element of an array whose member key is that string; NULL: none,
 * no array, or no value.
 */
struct json_object *jread_find(struct json_object *, const char *key,
    const char *value);

/*
 * The members of an object in their order: start with *at NULL.  0: no more
 * (at once for what is no object).  A null's value is NULL.
 */
struct lh_entry;
int jread_next(struct json_object *, struct lh_entry **at, const char **key,
    struct json_object **value);

static inline void
jread_free_(struct json_object **p)
{
	json_object_put(*p);
}

#define AUTO_JSON __attribute__((cleanup(jread_free_)))

#endif
