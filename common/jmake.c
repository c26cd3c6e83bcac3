/* SPDX-License-Identifier: ISC */
/*
 * jmake.c: JSON out, a builder over json-c.
 *
 * Owns the one form in which we write JSON: no blanks, members in the order
 * of the calls, slashes as they are.  Never parses and never prints by hand.
 */
#include "common/jmake.h"

#include <errno.h>
#include <stdlib.h>

#include "common/xmem.h"

#define FORM (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static struct json_object *
must(struct json_object *j)
{
	if (j == NULL)
		xmem_none();
	return j;
}

static struct json_object *
put(struct json_object *o, const char *key, struct json_object *v)
{
	if (json_object_object_add(o, key, v) != 0)
		xmem_none();
	return v;
}

struct json_object *
jmake_object(void)
{
	return must(json_object_new_object());
}

struct json_object *
jmake_array(void)
{
	return must(json_object_new_array());
}

void
jmake_str(struct json_object *o, const char *key, const char *s)
{
	if (s != NULL)
		put(o, key, must(json_object_new_string(s)));
}

void
jmake_bytes(struct json_object *o, const char *key, struct span s)
{
	put(o, key, must(json_object_new_string_len(s.p, (int)s.len)));
}

void
jmake_int(struct json_object *o, const char *key, int64_t n)
{
	put(o, key, must(json_object_new_int64(n)));
}

void
jmake_bool(struct json_object *o, const char *key, int b)
{
	put(o, key, must(json_object_new_boolean(b)));
}

void
jmake_null(struct json_object *o, const char *key)
{
	put(o, key, NULL);
}

struct json_object *
jmake_in(struct json_object *o, const char *key)
{
	return put(o, key, jmake_object());
}

struct json_object *
jmake_list(struct json_object *o, const char *key)
{
	return put(o, key, jmake_array());
}

void
jmake_put(struct json_object *o, const char *key, struct json_object **v)
{
	put(o, key, *v);
	*v = NULL;
}

static struct json_object *
append(struct json_object *a, struct json_object *v)
{
	if (json_object_array_add(a, v) != 0)
		xmem_none();
	return v;
}

struct json_object *
jmake_item(struct json_object *a)
{
	return append(a, jmake_object());
}

void
jmake_add(struct json_object *a, const char *s)
{
	append(a, must(json_object_new_string(s)));
}

char *
jmake_copy(struct json_object *j)
{
	const char *s;
	size_t len;

	/* json-c does not say that it left out part of a text. */
	errno = 0;
	s = json_object_to_json_string_length(j, FORM, &len);
	if (s == NULL || errno == ENOMEM)
		xmem_none();
	return xstrndup(s, len);
}

char *
jmake_text(struct json_object **j)
{
	char *s;

	s = jmake_copy(*j);
	json_object_put(*j);
	*j = NULL;
	return s;
}
