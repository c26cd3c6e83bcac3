/* SPDX-License-Identifier: ISC */
/*
 * flight_union.c: the union of applications.
 *
 * Owns what each appType must be made of.  The service appends the schema
 * and the value to these errors; so is done here for the ones recorded.
 */
#include "t/sim/flight_union.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

/* A value as the service's validator prints it: members by name. */
static void
write_value(struct out *o, struct json_object *v, int depth)
{
	struct flight_pairs keys = { 0 };
	struct json_object_iter it;
	size_t i, n;

	if (json_object_is_type(v, json_type_array)) {
		n = json_object_array_length(v);
		out_text(o, n == 0 ? "[" : "[\n");
		for (i = 0; i < n; i++) {
			out_printf(o, "%*s", 2 * depth + 2, "");
			write_value(o, json_object_array_get_idx(v, i),
			    depth + 1);
			out_text(o, i + 1 < n ? ",\n" : "\n");
		}
		out_printf(o, n == 0 ? "]" : "%*s]", 2 * depth, "");
		return;
	}
	if (!json_object_is_type(v, json_type_object)) {
		out_text(o,
		    json_object_to_json_string_ext(v,
			JSON_C_TO_STRING_NOSLASHESCAPE));
		return;
	}
	json_object_object_foreachC(v, it)
	{
		flight_pairs_set(&keys, it.key, "");
	}
	out_text(o, "{\n");
	for (i = 0; i < keys.n; i++) {
		out_printf(o, "%*s\"%s\": ", 2 * depth + 2, "", keys.v[i].key);
		write_value(o, get(v, keys.v[i].key), depth + 1);
		out_text(o, i + 1 < keys.n ? ",\n" : "\n");
	}
	out_printf(o, "%*s}", 2 * depth, "");
	flight_pairs_clear(&keys);
}

/* One try at the union; schema NULL: it says no more. */
static void
write_try(struct out *o, const char *text, const char *schema,
    struct json_object *value)
{
	out_text(o, text);
	if (schema == NULL)
		return;
	out_printf(o, "\nSchema:\n  %s\n\nValue:\n  ", schema);
	write_value(o, value, 1);
	out_text(o, "\n");
}

/* All of them, which is the caller's. */
static char *
whole_error(const char *path, int *whole, struct out *tries)
{
	char *text;

	*whole = 1;
	text = xasprintf(
	    "API Error: 1 API errors found. The most relevant is "
	    "likely:\nError at \"%s\": doesn't match schema due to: %s\n"
	    "Other errors found were:\n",
	    path, tries->p);
	out_free(tries);
	return text;
}

#define IMAGE_SCHEMA                                                        \
	"{\n    \"properties\": {\n      \"image\": {\n        "            \
	"\"description\": \"Reference to the OCI image or artifact for "    \
	"the application package.\",\n        \"type\": \"string\"\n      " \
	"}\n    },\n    \"required\": [\n      \"image\"\n    ],\n    "     \
	"\"type\": \"object\"\n  }"

#define INLINE_SCHEMA                                                       \
	"{\n    \"properties\": {\n      \"inline\": {\n        "           \
	"\"description\": \"A list of application content.\",\n        "    \
	"\"items\": {\n          \"$ref\": "                                \
	"\"#/components/schemas/ApplicationContent\"\n        },\n        " \
	"\"type\": \"array\"\n      }\n    },\n    \"required\": [\n      " \
	"\"inline\"\n    ],\n    \"type\": \"object\"\n  }"

#define ENCODING_SCHEMA                                                      \
	"{\n    \"description\": \"Specifies the encoding type used for "    \
	"data representation.\",\n    \"enum\": [\n      \"plain\",\n      " \
	"\"base64\"\n    ],\n    \"type\": \"string\",\n    "                \
	"\"x-enum-varnames\": [\n      \"EncodingPlain\",\n      "           \
	"\"EncodingBase64\"\n    ]\n  }"

#define PATH_SCHEMA "{\n    \"type\": \"string\"\n  }"

#define PORT_SCHEMA                                                        \
	"{\n    \"description\": \"Port mapping in format "                \
	"\\\"hostPort:containerPort\\\" (e.g., \\\"8080:80\\\").\",\n    " \
	"\"example\": \"8080:80\",\n    \"pattern\": \"^\\\\d+:\\\\d+$\"," \
	"\n    \"type\": \"string\"\n  }"

static int
encoding_is_known(struct json_object *file)
{
	const char *s = flight_get(file, "contentEncoding");

	return get(file, "contentEncoding") == NULL ||
	    (s != NULL &&
		(strcmp(s, "plain") == 0 || strcmp(s, "base64") == 0));
}

static int
files_fit(struct json_object *list)
{
	struct json_object *file;
	size_t i, n;

	if (!json_object_is_type(list, json_type_array))
		return 0;
	n = json_object_array_length(list);
	for (i = 0; i < n; i++) {
		file = json_object_array_get_idx(list, i);
		if (flight_get(file, "path") == NULL ||
		    !encoding_is_known(file) ||
		    (get(file, "content") != NULL &&
			flight_get(file, "content") == NULL))
			return 0;
	}
	return 1;
}

/* The second try: what is wrong with the inline files. */
static void
try_inline(struct out *o, struct json_object *app)
{
	struct json_object *list = get(app, "inline"), *file;
	char *text;
	size_t i, n;

	if (!json_object_is_type(list, json_type_array)) {
		write_try(o,
		    "Error at \"/inline\": property \"inline\" is "
		    "missing",
		    INLINE_SCHEMA, app);
		return;
	}
	n = json_object_array_length(list);
	for (i = 0; i < n; i++) {
		file = json_object_array_get_idx(list, i);
		if (encoding_is_known(file))
			continue;
		text = xasprintf(
		    "Error at \"/inline/%zu\": doesn't match "
		    "schema due to: Error at \"/contentEncoding\": value is "
		    "not one of the allowed values [\"plain\",\"base64\"]",
		    i);
		write_try(o, text, ENCODING_SCHEMA,
		    get(file, "contentEncoding"));
		free(text);
		return;
	}
	write_try(o, "Error at \"/inline\": doesn't match schema", PATH_SCHEMA,
	    list);
}

static char *
no_image(struct json_object *app, const char *path, int *whole)
{
	struct out o = { 0 };

	write_try(&o,
	    "doesn't match schema due to: doesn't match schema due "
	    "to: Error at \"/image\": property \"image\" is missing",
	    IMAGE_SCHEMA, app);
	if (strcmp(flight_get(app, "appType"), "quadlet") == 0 ||
	    strcmp(flight_get(app, "appType"), "compose") == 0) {
		out_text(&o, " Or doesn't match schema due to: ");
		try_inline(&o, app);
	}
	return whole_error(path, whole, &o);
}

static char *
check_env(struct json_object *app, const char *path, int *whole)
{
	struct json_object_iter it;
	struct json_object *env = get(app, "envVars");
	struct out o = { 0 };
	char *error = NULL, *text;

	if (!json_object_is_type(env, json_type_object))
		return NULL;
	json_object_object_foreachC(env, it)
	{
		if (error != NULL ||
		    json_object_is_type(it.val, json_type_string))
			continue;
		text = xasprintf("Error at \"/envVars/%s\": value must be a "
				 "string",
		    it.key);
		write_try(&o, text, PATH_SCHEMA, it.val);
		error = whole_error(path, whole, &o);
		free(text);
	}
	return error;
}

/* "digits:digits" */
static int
is_port(const char *s)
{
	size_t n = strspn(s, "0123456789"), m;

	if (n == 0 || s[n] != ':')
		return 0;
	m = strspn(s + n + 1, "0123456789");
	return m > 0 && s[n + 1 + m] == '\0';
}

static char *
check_ports(struct json_object *app, const char *path, int *whole)
{
	struct json_object *ports = get(app, "ports"), *v;
	struct out o = { 0 };
	char *error = NULL, *text;
	size_t i, n;

	if (!json_object_is_type(ports, json_type_array))
		return NULL;
	n = json_object_array_length(ports);
	for (i = 0; i < n && error == NULL; i++) {
		v = json_object_array_get_idx(ports, i);
		if (json_object_is_type(v, json_type_string) &&
		    is_port(json_object_get_string(v)))
			continue;
		text = xasprintf("Error at \"/ports/%zu\": string doesn't "
				 "match the regular expression \"^\\d+:\\d+$\"",
		    i);
		write_try(&o, text, PORT_SCHEMA, v);
		error = whole_error(path, whole, &o);
		free(text);
	}
	return error;
}

static char *
both(const char *path, int *whole)
{
	struct out o = { 0 };

	write_try(&o, "input matches more than one oneOf schemas", NULL, NULL);
	return whole_error(path, whole, &o);
}

char *
flight_union_check(struct json_object *app, const char *path, int *whole)
{
	const char *type = flight_get(app, "appType");
	int image, files;
	char *error;

	if (!json_object_is_type(app, json_type_object)) {
		*whole = 1;
		return xasprintf("API Error: 4 API errors found. The most "
				 "relevant is likely:\nError at \"%s\": "
				 "doesn't match schema due to: %s",
		    path,
		    app == NULL ? "Value is not nullable" :
				  "value must be an object");
	}
	if (type == NULL)
		return xasprintf("Error at \"%s\": input does not contain the "
				 "discriminator property \"appType\"",
		    path);
	if (strcmp(type, "compose") != 0 && strcmp(type, "quadlet") != 0 &&
	    strcmp(type, "container") != 0 && strcmp(type, "helm") != 0)
		return xasprintf("Error at \"%s\": discriminator property "
				 "\"appType\" has invalid value",
		    path);
	if ((error = check_env(app, path, whole)) != NULL)
		return error;
	image = flight_get(app, "image") != NULL;
	if (strcmp(type, "container") == 0 || strcmp(type, "helm") == 0) {
		if (!image)
			return no_image(app, path, whole);
		return check_ports(app, path, whole);
	}
	files = files_fit(get(app, "inline"));
	if (image && files)
		return both(path, whole);
	return image || files ? NULL : no_image(app, path, whole);
}

char *
flight_union_config(struct json_object *entry, const char *path, int *whole)
{
	static const char *const kinds[] = { "gitRef", "httpRef", "inline",
		"secretRef" };
	const char *missing = NULL;
	size_t i, n = 0;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		n += json_object_object_get_ex(entry, kinds[i], NULL) != 0;
	if (n == 0)
		missing = "gitRef";
	else if (flight_get(entry, "name") == NULL)
		missing = "name";
	if (missing == NULL)
		return NULL;
	*whole = 1;
	return xasprintf("API Error: 4 API errors found. The most relevant is "
			 "likely:\nError at \"%s/%s\": property \"%s\" is "
			 "missing",
	    path, missing, missing);
}
