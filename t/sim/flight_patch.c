/* SPDX-License-Identifier: ISC */
/*
 * flight_patch.c: add, replace, remove and test.
 *
 * Owns paths into a document and the texts of failures; knows nothing of
 * devices.
 */
#include "t/sim/flight_patch.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"

struct place {
	struct json_object *parent; /* NULL: not there */
	char *key;		    /* last segment, unescaped */
	const char *path;
};

static char *
unescape(const char *s, size_t n)
{
	char *out = xmalloc(n + 1);
	size_t i, j = 0;

	for (i = 0; i < n; i++) {
		if (s[i] == '~' && i + 1 < n) {
			i++;
			out[j++] = s[i] == '1' ? '/' : '~';
		} else {
			out[j++] = s[i];
		}
	}
	out[j] = '\0';
	return out;
}

static int
index_of(const char *key, size_t *i)
{
	char *end;

	if (key[0] < '0' || key[0] > '9')
		return -1;
	*i = strtoul(key, &end, 10);
	return *end == '\0' ? 0 : -1;
}

static struct json_object *
child(struct json_object *v, const char *key)
{
	struct json_object *c = NULL;
	size_t i;

	if (json_object_is_type(v, json_type_array))
		return index_of(key, &i) == 0 ?
		    json_object_array_get_idx(v, i) :
		    NULL;
	if (json_object_is_type(v, json_type_object))
		json_object_object_get_ex(v, key, &c);
	return c;
}

static void
find(struct place *at, struct json_object *doc, const char *path)
{
	const char *p = path, *end;
	struct json_object *v = doc;

	*at = (struct place){ .path = path };
	if (*p != '/')
		return;
	for (;;) {
		end = p + 1 + strcspn(p + 1, "/");
		free(at->key);
		at->key = unescape(p + 1, (size_t)(end - p - 1));
		if (*end == '\0')
			break;
		if ((v = child(v, at->key)) == NULL)
			return;
		p = end;
	}
	if (json_object_is_type(v, json_type_object) ||
	    json_object_is_type(v, json_type_array))
		at->parent = v;
}

static char *
bad_index(const char *op, const struct place *at)
{
	return xasprintf("error in %s for path: '%s': Unable to access invalid "
			 "index: %s: invalid index referenced",
	    op, at->path, at->key);
}

/* --- operations ---------------------------------------------------------- */

static char *
insert(struct place *at, struct json_object *value)
{
	size_t n = json_object_array_length(at->parent), i, j;

	if (strcmp(at->key, "-") == 0) {
		json_object_array_add(at->parent, json_object_get(value));
		return NULL;
	}
	if (index_of(at->key, &i) == -1 || i > n)
		return bad_index("add", at);
	json_object_array_add(at->parent, NULL);
	for (j = n; j > i; j--)
		json_object_array_put_idx(at->parent, j,
		    json_object_get(
			json_object_array_get_idx(at->parent, j - 1)));
	json_object_array_put_idx(at->parent, i, json_object_get(value));
	return NULL;
}

static char *
add(struct place *at, struct json_object *value)
{
	if (at->parent == NULL)
		return xasprintf("add operation does not apply: doc is missing "
				 "path: \"%s\": missing value",
		    at->path);
	if (json_object_is_type(at->parent, json_type_array))
		return insert(at, value);
	json_object_object_add(at->parent, at->key, json_object_get(value));
	return NULL;
}

static int
exists(const struct place *at)
{
	size_t i;

	if (json_object_is_type(at->parent, json_type_array))
		return index_of(at->key, &i) == 0 &&
		    i < json_object_array_length(at->parent);
	return json_object_object_get_ex(at->parent, at->key, NULL);
}

static char *
replace(struct place *at, struct json_object *value)
{
	size_t i;

	if (at->parent == NULL)
		return xasprintf("replace operation does not apply: doc is "
				 "missing path: %s: missing value",
		    at->path);
	if (!exists(at))
		return xasprintf("replace operation does not apply: doc is "
				 "missing key: %s: missing value",
		    at->path);
	if (json_object_is_type(at->parent, json_type_object)) {
		json_object_object_add(at->parent, at->key,
		    json_object_get(value));
	} else if (index_of(at->key, &i) == 0) {
		json_object_array_put_idx(at->parent, i,
		    json_object_get(value));
	}
	return NULL;
}

static char *
take_away(struct place *at)
{
	size_t i;

	if (at->parent == NULL)
		return xasprintf("remove operation does not apply: doc is "
				 "missing path: \"%s\": missing value",
		    at->path);
	if (json_object_is_type(at->parent, json_type_array)) {
		if (!exists(at) || index_of(at->key, &i) == -1)
			return bad_index("remove", at);
		json_object_array_del_idx(at->parent, i, 1);
		return NULL;
	}
	if (!exists(at))
		return xasprintf("error in remove for path: '%s': Unable to "
				 "remove nonexistent key: %s: missing value",
		    at->path, at->key);
	json_object_object_del(at->parent, at->key);
	return NULL;
}

static char *
test(struct place *at, struct json_object *value)
{
	struct json_object *now =
	    at->parent == NULL ? NULL : child(at->parent, at->key);

	if (now != NULL && json_object_equal(now, value))
		return NULL;
	return xasprintf("testing value %s failed: test failed", at->path);
}

static char *
apply(struct json_object *doc, struct json_object *operation)
{
	const char *op = flight_get(operation, "op");
	struct json_object *value = NULL, *empty = json_object_new_string("");
	struct place at;
	char *error;

	find(&at, doc, flight_get(operation, "path"));
	/* Without a value the service's decoder leaves an empty one. */
	if (!json_object_object_get_ex(operation, "value", &value))
		value = empty;
	if (strcmp(op, "add") == 0)
		error = add(&at, value);
	else if (strcmp(op, "replace") == 0)
		error = replace(&at, value);
	else if (strcmp(op, "remove") == 0)
		error = take_away(&at);
	else
		error = test(&at, value);
	free(at.key);
	json_object_put(empty);
	return error;
}

char *
flight_patch_apply(struct json_object **doc, struct json_object *list)
{
	char *error = NULL, *full;
	size_t i, n = json_object_array_length(list);

	for (i = 0; i < n && error == NULL; i++)
		error = apply(*doc, json_object_array_get_idx(list, i));
	if (error == NULL)
		return NULL;
	full = xasprintf("failed to apply JSON patch: %s", error);
	free(error);
	return full;
}
