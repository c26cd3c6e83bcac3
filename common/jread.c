/* SPDX-License-Identifier: ISC */
/*
 * jread.c: JSON in, by field tables over json-c.
 *
 * Owns the bounds on what json-c is given: bytes, depth and number of values,
 * since one small array element costs json-c a thousand times its bytes.
 * Never guesses: a member of another type is an error that names its path.
 */
#include "common/jread.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "common/limits.h"
#include "common/xmem.h"

/*
 * json-c's own: it gives a field's name to strlen() without a look whether
 * there was memory for it (0.16, json_tokener_parse_ex).
 */
char *
strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(xmalloc(size), s, size);
}

/*
 * Values in the text, counted without parsing: too many, never too few.  0:
 * no JSON from *at on, though json-c would take it ('text', NaN, Infinity, a
 * control byte, of which it takes NUL for the end).
 */
static size_t
nodes(struct span s, size_t *at)
{
	size_t i, n = 1;
	bool quoted = false;

	for (i = 0; i < s.len; i++) {
		*at = i;
		if ((unsigned char)s.p[i] < ' ' &&
		    (quoted || memchr("\t\n\r", s.p[i], 3) == NULL))
			return 0;
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted) /* what is no escape either is looked at */
			i += s.p[i] == '\\' && i + 1 < s.len &&
			    (unsigned char)s.p[i + 1] >= ' ';
		else if (strchr(",[{", s.p[i]) != NULL)
			n++;
		else if (strchr("'NI", s.p[i]) != NULL)
			return 0;
	}
	return n;
}

/*
 * The bytes to the end of the next number, or to the end.  A digit in a string
 * may pass for one: a cut does no harm.
 */
static size_t
to_number_end(struct span s)
{
	static const char ends[] = ",]} \t\r\n";
	size_t i;

	for (i = 1; i < s.len; i++)
		if (isdigit((unsigned char)s.p[i - 1]) &&
		    memchr(ends, s.p[i], sizeof(ends) - 1) != NULL)
			return i;
	return s.len;
}

/*
 * A text is not to blame for a want of memory, and what is in it not to be
 * forgotten: json-c leaves out a member or part of a string without a word.
 * errno tells, but json-c clears it at each number's end, so no step has two.
 */
static struct json_object *
step(struct json_tokener *tok, const char *p, size_t len)
{
	struct json_object *j;

	errno = 0;
	j = json_tokener_parse_ex(tok, p, (int)len);
	if (errno == ENOMEM)
		xmem_none();
	return j;
}

/* *end: how far it came. */
static struct json_object *
parse(struct json_tokener *tok, struct span s, size_t *end)
{
	struct json_object *j;
	size_t n, done = 0;

	do {
		n = to_number_end((struct span){ s.p + done, s.len - done });
		j = step(tok, s.p + done, n);
		*end = done + json_tokener_get_parse_end(tok);
		done += n;
	} while (done < s.len &&
	    json_tokener_get_error(tok) == json_tokener_continue);
	/* A number at the end of the text ends with a byte after it. */
	if (json_tokener_get_error(tok) == json_tokener_continue && s.len > 0)
		j = step(tok, "", 1);
	return j;
}

struct json_object *
jread_parse(struct span s, struct why *why)
{
	struct json_tokener *tok;
	struct json_object *j;
	enum json_tokener_error err;
	size_t end, n, at = 0;

	if (s.len > MAX_ITEM) {
		fail(why, ERR_LIMIT, "%zu bytes of JSON, %d at most", s.len,
		    MAX_ITEM);
		return NULL;
	}
	if ((n = nodes(s, &at)) == 0) {
		fail(why, ERR_FORMAT, "JSON: no such value near byte %zu", at);
		return NULL;
	}
	if (n > MAX_JSON_NODES) {
		fail(why, ERR_LIMIT, "more than %d values in one JSON text",
		    MAX_JSON_NODES);
		return NULL;
	}
	if ((tok = json_tokener_new_ex(MAX_JSON_DEPTH)) == NULL)
		xmem_none();
	json_tokener_set_flags(tok,
	    JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	j = parse(tok, s, &end);
	err = json_tokener_get_error(tok);
	json_tokener_free(tok);
	if (err != json_tokener_success || j == NULL) {
		json_object_put(j);
		fail(why, ERR_FORMAT, "JSON: %s near byte %zu",
		    err == json_tokener_continue ? "it ends early" :
			err == json_tokener_success ?
						   "nothing but null" :
						   json_tokener_error_desc(err),
		    end);
		return NULL;
	}
	return j;
}

const char *
jread_type(struct json_object *j)
{
	switch (json_object_get_type(j)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "a boolean";
	case json_type_double:
		return "a fraction";
	case json_type_int:
		return "a number";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		return "a string";
	}
	return "nothing known";
}

struct json_object *
jread_member(struct json_object *j, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(j, json_type_object) ||
	    !json_object_object_get_ex(j, key, &v))
		return NULL;
	return v;
}

const char *
jread_string(struct json_object *j)
{
	const char *s;

	if (!json_object_is_type(j, json_type_string))
		return NULL;
	s = json_object_get_string(j);
	if (strlen(s) != (size_t)json_object_get_string_len(j))
		return NULL;
	return s;
}

size_t
jread_word(const char *const *words, size_t n, const char *word, size_t other)
{
	size_t i;

	for (i = 0; word != NULL && i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return other;
}

size_t
jread_members(struct json_object *j)
{
	if (!json_object_is_type(j, json_type_object))
		return 0;
	return (size_t)json_object_object_length(j);
}

size_t
jread_count(struct json_object *j)
{
	if (!json_object_is_type(j, json_type_array))
		return 0;
	return json_object_array_length(j);
}

struct json_object *
jread_item(struct json_object *j, size_t i)
{
	return json_object_array_get_idx(j, i);
}

struct json_object *
jread_find(struct json_object *list, const char *key, const char *value)
{
	struct json_object *j;
	const char *has;
	size_t i;

	for (i = 0; value != NULL && i < jread_count(list); i++) {
		j = jread_item(list, i);
		has = jread_string(jread_member(j, key));
		if (has != NULL && strcmp(has, value) == 0)
			return j;
	}
	return NULL;
}

int
jread_next(struct json_object *j, struct lh_entry **at, const char **key,
    struct json_object **value)
{
	struct lh_entry *e;

	if (!json_object_is_type(j, json_type_object))
		return 0;
	e = *at == NULL ? lh_table_head(json_object_get_object(j)) :
			  lh_entry_next(*at);
	if (e == NULL)
		return 0;
	*at = e;
	*key = lh_entry_k(e);
	*value = lh_entry_v(e);
	return 1;
}

/*
 * Walks the path.  1: *v is there, 0: a member on the way is absent, -1: a
 * value on the way is no object.
 */
static int
walk(struct json_object *j, const char *at, const char *path,
    struct json_object **v, struct why *why)
{
	char name[64];
	size_t len;
	const char *p;

	for (p = path;; p += len + 1) {
		if (!json_object_is_type(j, json_type_object))
			return fail(why, ERR_FORMAT,
			    "%s%s%.*s: %s, not an object", at,
			    *at != '\0' && p != path ? "." : "",
			    p == path ? 0 : (int)(p - path - 1), path,
			    jread_type(j));
		len = strcspn(p, ".");
		assert(len < sizeof(name)); /* paths are words of ours */
		memcpy(name, p, len);
		name[len] = '\0';
		if ((j = jread_member(j, name)) == NULL)
			return 0;
		if (p[len] == '\0')
			break;
	}
	*v = j;
	return 1;
}

/* Stores v; the text that says what it should have been, NULL: stored. */
static const char *
store(const struct jread_field *f, struct json_object *v, char *to)
{
	const char *s;
	int64_t n;

	switch (f->kind) {
	case JREAD_STRING:
		if ((s = jread_string(v)) == NULL)
			return "a string";
		memcpy(to, &s, sizeof(s));
		return NULL;
	case JREAD_INT:
		if (!json_object_is_type(v, json_type_int))
			return "a number";
		n = json_object_get_int64(v);
		memcpy(to, &n, sizeof(n));
		return n < 0 ? "a positive number" : NULL;
	case JREAD_BOOL:
		if (!json_object_is_type(v, json_type_boolean))
			return "a boolean";
		*to = (char)json_object_get_boolean(v);
		return NULL;
	case JREAD_OBJECT:
		if (!json_object_is_type(v, json_type_object))
			return "an object";
		*(struct json_object **)(void *)to = v;
		return NULL;
	case JREAD_ARRAY:
		if (!json_object_is_type(v, json_type_array))
			return "an array";
		*(struct json_object **)(void *)to = v;
		return NULL;
	}
	return "of a known kind";
}

static int
over(const struct jread_field *f, struct json_object *v)
{
	switch (f->kind) {
	case JREAD_STRING:
		return json_object_get_string_len(v) > f->max;
	case JREAD_INT:
		return json_object_get_int64(v) > f->max;
	case JREAD_ARRAY:
		return (int64_t)json_object_array_length(v) > f->max;
	case JREAD_BOOL:
	case JREAD_OBJECT:
		return 0;
	}
	return 1;
}

int
jread_fields(struct json_object *j, const char *at,
    const struct jread_field *fields, size_t n, void *into, struct why *why)
{
	const struct jread_field *f;
	struct json_object *v = NULL;
	const char *dot = *at == '\0' ? "" : ".", *want;
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		f = &fields[i];
		if ((r = walk(j, at, f->path, &v, why)) == -1)
			return -1;
		if (r == 0) {
			if (f->need == OPTIONAL)
				continue;
			return fail(why, ERR_FORMAT, "%s%s%s: not there", at,
			    dot, f->path);
		}
		want = store(f, v, (char *)into + f->offset);
		if (want != NULL)
			return fail(why, ERR_FORMAT, "%s%s%s: %s, not %s", at,
			    dot, f->path, jread_type(v), want);
		if (over(f, v))
			return fail(why, ERR_LIMIT, "%s%s%s: over %lld", at,
			    dot, f->path, (long long)f->max);
	}
	return 0;
}
