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
#include "t/sim/flight_json.h"

static char *
whole_error(const char *path, int *whole, const char *text, const char *schema,
    const char *value)
{
	*whole = 1;
	return xasprintf(
	    "API Error: 1 API errors found. The most relevant is "
	    "likely:\nError at \"%s\": doesn't match schema due to: %s%s%s%s%s"
	    "\nOther errors found were:\n",
	    path, text, schema == NULL ? "" : "\nSchema:\n  ",
	    schema == NULL ? "" : schema, value == NULL ? "" : "\n\nValue:\n  ",
	    value == NULL ? "" : value);
}

#define IMAGE_SCHEMA                                                        \
	"{\n    \"properties\": {\n      \"image\": {\n        "            \
	"\"description\": \"Reference to the OCI image or artifact for "    \
	"the application package.\",\n        \"type\": \"string\"\n      " \
	"}\n    },\n    \"required\": [\n      \"image\"\n    ],\n    "     \
	"\"type\": \"object\"\n  }"

#define PORT_SCHEMA                                                        \
	"{\n    \"description\": \"Port mapping in format "                \
	"\\\"hostPort:containerPort\\\" (e.g., \\\"8080:80\\\").\",\n    " \
	"\"example\": \"8080:80\",\n    \"pattern\": \"^\\\\d+:\\\\d+$\"," \
	"\n    \"type\": \"string\"\n  }"

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static char *
no_image(struct json_object *app, const char *path, int *whole)
{
	const char *value = json_object_to_json_string_ext(app,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	return whole_error(path, whole,
	    "doesn't match schema due to: doesn't "
	    "match schema due to: Error at \"/image\": property \"image\" is "
	    "missing",
	    IMAGE_SCHEMA, value);
}

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

static char *
check_env(struct json_object *app, const char *path, int *whole)
{
	struct json_object_iter it;
	struct json_object *env = get(app, "envVars");
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
		error = whole_error(path, whole, text,
		    "{\n    \"type\": \"string\"\n  }",
		    json_object_to_json_string(it.val));
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
	char *error = NULL, *text, *value;
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
		value = xstrdup(json_object_to_json_string_ext(v,
		    JSON_C_TO_STRING_NOSLASHESCAPE));
		error = whole_error(path, whole, text, PORT_SCHEMA, value);
		free(text);
		free(value);
	}
	return error;
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
		return whole_error(path, whole,
		    "input matches more than one oneOf schemas", NULL, NULL);
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
