/* SPDX-License-Identifier: ISC */
/*
 * js.c: trees as scenarios read them.
 *
 * Owns nothing.  Forgiving where the provider is strict: a check that reads an
 * absent member sees "" and fails with a line that says so.
 */
#include "t/it/js.h"

#include <json-c/json_pointer.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

struct json_object *
js_get(struct json_object *tree, const char *path)
{
	struct json_object *found = NULL;

	if (tree == NULL || json_pointer_get(tree, path, &found) != 0)
		return NULL;
	return found;
}

const char *
js_str(struct json_object *tree, const char *path)
{
	struct json_object *o = js_get(tree, path);

	if (o == NULL || !json_object_is_type(o, json_type_string))
		return "";
	return json_object_get_string(o);
}

int64_t
js_int(struct json_object *tree, const char *path)
{
	return json_object_get_int64(js_get(tree, path));
}

size_t
js_len(struct json_object *tree, const char *path)
{
	struct json_object *o = js_get(tree, path);

	return json_object_is_type(o, json_type_array) ?
	    json_object_array_length(o) :
	    0;
}

struct json_object *
js_item(struct json_object *tree, const char *path, size_t i)
{
	struct json_object *o = js_get(tree, path);

	return json_object_is_type(o, json_type_array) ?
	    json_object_array_get_idx(o, i) :
	    NULL;
}

struct json_object *
js_find(struct json_object *tree, const char *path, const char *key,
    const char *value)
{
	struct json_object *o;
	AUTO_FREE char *member = xasprintf("/%s", key);
	size_t i;

	for (i = 0; (o = js_item(tree, path, i)) != NULL; i++)
		if (strcmp(js_str(o, member), value) == 0)
			return o;
	return NULL;
}

int
js_next(struct json_object *tree, struct lh_entry **at, const char **name,
    struct json_object **value)
{
	struct lh_table *table = json_object_get_object(tree);

	if (table == NULL)
		return 0;
	*at = *at == NULL ? lh_table_head(table) : lh_entry_next(*at);
	if (*at == NULL)
		return 0;
	if (name != NULL)
		*name = lh_entry_k(*at);
	*value = (struct json_object *)lh_entry_v(*at);
	return 1;
}

const char *
js_condition(struct json_object *tree, const char *type)
{
	return js_str(js_find(tree, "/status/conditions", "type", type),
	    "/status");
}

const char *
js_reason(struct json_object *tree, const char *type)
{
	return js_str(js_find(tree, "/status/conditions", "type", type),
	    "/reason");
}

char *
js_text(struct json_object *tree, const char *path)
{
	struct json_object *o = *path == '\0' ? tree : js_get(tree, path);

	return xstrdup(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

struct json_object *
js_make(const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	struct json_object *tree;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	if ((tree = json_tokener_parse(text)) == NULL)
		it_die("no JSON: %s", text);
	return tree;
}
