/* SPDX-License-Identifier: ISC */
/*
 * flight_check.c: what the handlers refuse although it fits the schema.
 *
 * Owns the rules about names, labels, applications and config entries.  Every
 * error of a spec is told, a line each.
 */
#include "t/sim/flight_check.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_quadlet.h"

enum {
	MAX_APP_NAME = 253,
	MAX_ENV = 253
};

#define APP_RULE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define LABEL_VALUE_RULE                                                    \
	"a valid label must be an empty string or consist of alphanumeric " \
	"characters, '-', '_' or '.', and must start and end with an "      \
	"alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "      \
	"'12345', regex used for validation is "                            \
	"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define LABEL_KEY_RULE                                                       \
	"name part must consist of alphanumeric characters, '-', '_' or "    \
	"'.', and must start and end with an alphanumeric character (e.g. "  \
	"'MyName',  or 'my.name',  or '123-abc', regex used for validation " \
	"is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define NAME_RULE                                                           \
	"a lowercase RFC 1123 subdomain must consist of lower case "        \
	"alphanumeric characters, '-' or '.', and must start and end with " \
	"an alphanumeric character (e.g. 'example.com', regex used for "    \
	"validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]"          \
	"([-a-z0-9]*[a-z0-9])?)*')"

static int
is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* APP_RULE for the n bytes. */
static int
is_label(const char *s, size_t n)
{
	size_t i;

	if (n == 0 || !is_lower(s[0]) || !is_lower(s[n - 1]))
		return 0;
	for (i = 0; i < n; i++)
		if (!is_lower(s[i]) && s[i] != '-')
			return 0;
	return 1;
}

char *
flight_check_name(const char *name)
{
	const char *p = name;
	size_t n;

	if (name == NULL || name[0] == '\0')
		return xstrdup("metadata.name: Required value");
	if (strlen(name) > MAX_APP_NAME)
		return xstrdup("metadata.name: Too long: may not be more than "
			       "253 bytes");
	for (;;) {
		n = strcspn(p, ".");
		if (!is_label(p, n))
			return xasprintf("metadata.name: Invalid value: "
					 "\"%s\": " NAME_RULE,
			    name);
		if (p[n] == '\0')
			return NULL;
		p += n + 1;
	}
}

/* What a qualified name's last part, or a value that is not empty, is. */
static int
is_value(const char *s)
{
	size_t n = strlen(s), i;

	if (!isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
		return 0;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    strchr("-_.", s[i]) == NULL)
			return 0;
	return 1;
}

char *
flight_check_labels(struct json_object *labels)
{
	struct json_object_iter it;
	char *error = NULL;
	const char *s, *part;

	if (!json_object_is_type(labels, json_type_object))
		return NULL;
	json_object_object_foreachC(labels, it)
	{
		if (error != NULL)
			break;
		part = strchr(it.key, '/') == NULL ? it.key :
						     strchr(it.key, '/') + 1;
		s = json_object_get_string(it.val);
		if (part[0] == '\0' || !is_value(part))
			error = xasprintf("metadata.labels: Invalid value: "
					  "\"%s\": " LABEL_KEY_RULE,
			    it.key);
		else if (strlen(s) > 63)
			error = xasprintf(
			    "metadata.labels: Invalid value: "
			    "\"%s\": must be no more than 63 characters",
			    s);
		else if (s[0] != '\0' && !is_value(s))
			error = xasprintf("metadata.labels: Invalid value: "
					  "\"%s\": " LABEL_VALUE_RULE,
			    s);
	}
	return error;
}

/* --- applications -------------------------------------------------------- */

static struct json_object *
get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

static int
is_env_key(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return 0;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return 0;
	return 1;
}

static void
check_env(struct out *e, const char *app, struct json_object *env)
{
	struct json_object_iter it;
	const char *s;

	if (!json_object_is_type(env, json_type_object))
		return;
	json_object_object_foreachC(env, it)
	{
		s = json_object_get_string(it.val);
		if (!is_env_key(it.key))
			flight_error(e,
			    "spec.applications[%s].envVars: "
			    "Invalid value: \"%s\": Invalidpattern (regex "
			    "used for validation is '')",
			    app, it.key);
		if (s[0] == '\0')
			flight_error(e,
			    "spec.applications[%s].envVars: "
			    "Required value",
			    app);
		if (strlen(s) > MAX_ENV)
			flight_error(e,
			    "spec.applications[%s].envVars: Too "
			    "long: may not be more than 253 bytes",
			    app);
	}
}

static void
check_volumes(struct out *e, const char *app, const char *type,
    struct json_object *list)
{
	struct json_object *v;
	const char *name;
	size_t i, n;

	if (!json_object_is_type(list, json_type_array))
		return;
	n = json_object_array_length(list);
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		name = flight_get(v, "name");
		if (name == NULL || !is_label(name, strlen(name)))
			flight_error(e,
			    "spec.applications[%s].volumes[%zu]."
			    "name: Invalid value: \"%s\": Invalidpattern "
			    "(regex used for validation is '')",
			    app, i, name == NULL ? "" : name);
		if (strcmp(type, "container") != 0 && get(v, "mount") != NULL)
			flight_error(e,
			    "mount application volume provider "
			    "invalid for app type: %s",
			    type);
	}
}

static void
check_ports(struct out *e, const char *app, struct json_object *list)
{
	size_t i, n;

	if (!json_object_is_type(list, json_type_array))
		return;
	n = json_object_array_length(list);
	for (i = 0; i < n; i++) {
		const char *s =
		    json_object_get_string(json_object_array_get_idx(list, i));
		const char *colon = strchr(s, ':');
		unsigned long host = strtoul(s, NULL, 10);
		unsigned long port = strtoul(colon + 1, NULL, 10);

		if (host < 1 || host > 65535)
			flight_error(e,
			    "spec.applications[%s].ports[%zu]: "
			    "must be a number in the valid port range of [1, "
			    "65535], got: \"%.*s\"",
			    app, i, (int)(colon - s), s);
		if (port < 1 || port > 65535)
			flight_error(e,
			    "spec.applications[%s].ports[%zu]: "
			    "must be a number in the valid port range of [1, "
			    "65535], got: \"%s\"",
			    app, i, colon + 1);
	}
}

static void
check_limits(struct out *e, const char *app, struct json_object *limits)
{
	const char *cpu = flight_get(limits, "cpu");
	const char *memory = flight_get(limits, "memory");
	char *end;
	size_t n;

	if (cpu != NULL &&
	    (strtod(cpu, &end) < 0 || end == cpu || *end != '\0'))
		flight_error(e,
		    "spec.applications[%s].resources.limits.cpu: "
		    "must be a valid number, got \"%s\"",
		    app, cpu);
	if (memory == NULL)
		return;
	n = strspn(memory, "0123456789");
	if (n == 0 ||
	    (memory[n] != '\0' &&
		(strchr("bkmg", memory[n]) == NULL || memory[n + 1] != '\0')))
		flight_error(e,
		    "spec.applications[%s].resources.limits."
		    "memory: must be in format 'number[unit]' where unit is b, "
		    "k, m, or g, got \"%s\"",
		    app, memory);
}

static int
is_compose_name(const char *path)
{
	static const char *const names[] = { "docker-compose.yaml",
		"docker-compose.yml", "podman-compose.yaml",
		"podman-compose.yml" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(path, names[i]) == 0)
			return 1;
	return strstr(path, "-compose.") != NULL &&
	    strstr(path, "override.y") != NULL;
}

/* Names only: there is no YAML parser here. */
static void
check_compose(struct out *e, struct json_object *list)
{
	const char *path;
	size_t i, n = json_object_array_length(list);

	for (i = 0; i < n; i++) {
		path = flight_get(json_object_array_get_idx(list, i), "path");
		if (strstr(path, ".yaml") == NULL &&
		    strstr(path, ".yml") == NULL)
			flight_error(e,
			    "spec.applications[].inline[].path: "
			    "compose path must have .yaml or .yml extension: "
			    "\"%s\"",
			    path);
		else if (!is_compose_name(path))
			flight_error(e,
			    "spec.applications[].inline[].path: "
			    "invalid compose path: \"%s\", supported paths: "
			    "docker-compose.yaml, docker-compose.yml, "
			    "podman-compose.yaml, podman-compose.yml",
			    path);
	}
}

static void
check_app(struct out *e, struct json_object *app, struct flight_pairs *names)
{
	const char *type = flight_get(app, "appType");
	const char *name = flight_get(app, "name");
	const char *image = flight_get(app, "image");
	struct json_object *files = get(app, "inline");

	if (files != NULL && (name == NULL || name[0] == '\0')) {
		flight_error(e, "inline %s application name cannot be empty",
		    type);
		return;
	}
	if (name == NULL)
		name = image;
	if (flight_pairs_get(names, name) != NULL) {
		flight_error(e, "duplicate application name: %s", name);
		return;
	}
	flight_pairs_set(names, name, "");
	if (name != image && strlen(name) > MAX_APP_NAME)
		flight_error(e,
		    "spec.applications[].name: Too long: may not "
		    "be more than 253 bytes");
	else if (name != image && !is_label(name, strlen(name)))
		flight_error(e,
		    "spec.applications[].name: Invalid value: "
		    "\"%s\": Invalidpattern (regex used for validation is "
		    "'" APP_RULE "')",
		    name);
	check_env(e, name, get(app, "envVars"));
	if (files != NULL && strcmp(type, "quadlet") == 0)
		flight_check_files(e, files);
	else if (files != NULL)
		check_compose(e, files);
	check_volumes(e, name, type, get(app, "volumes"));
	check_ports(e, name, get(app, "ports"));
	check_limits(e, name, get(get(app, "resources"), "limits"));
}

#define ALNUM "abcdefghijklmnopqrstuvwxyz0123456789"

static void
check_config_name(struct out *e, const char *name)
{
	size_t n;

	if (name == NULL)
		return;
	n = strlen(name);
	if (n > 0 && strspn(name, ALNUM "-.") == n &&
	    strchr(ALNUM, *name) != NULL && strchr(ALNUM, name[n - 1]) != NULL)
		return;
	flight_error(e,
	    "spec.config[].name: Invalid value: \"%s\": Invalidpattern (e.g. "
	    "'example.json',  or 'my-config', regex used for validation is "
	    "'[a-z0-9]([-a-z0-9.]*[a-z0-9])?')",
	    name);
}

static void
check_config(struct out *e, struct json_object *entry)
{
	static const char *const forbidden[] = { "/var/lib/flightctl",
		"/usr/lib/flightctl", "/etc/flightctl/certs",
		"/etc/flightctl/config.yaml" };
	struct json_object *files = get(entry, "inline");
	const char *path;
	size_t i, j, n;

	check_config_name(e, flight_get(entry, "name"));
	if (!json_object_is_type(files, json_type_array))
		return;
	n = json_object_array_length(files);
	for (i = 0; i < n; i++) {
		path = flight_get(json_object_array_get_idx(files, i), "path");
		for (j = 0; path != NULL &&
		     j < sizeof(forbidden) / sizeof(forbidden[0]);
		     j++)
			if (strncmp(path, forbidden[j], strlen(forbidden[j])) ==
			    0)
				flight_error(e,
				    "spec.config[].inline[%zu]."
				    "path: forbidden device path: writing "
				    "under \"%s\" is not allowed: \"%s\"",
				    i, forbidden[j], path);
	}
}

/* A NUL in any string is found by the database. */
static int
has_nul(struct json_object *v)
{
	struct json_object_iter it;
	size_t i, n;
	int found = 0;

	if (json_object_is_type(v, json_type_string))
		return strlen(json_object_get_string(v)) !=
		    (size_t)json_object_get_string_len(v);
	if (json_object_is_type(v, json_type_array)) {
		n = json_object_array_length(v);
		for (i = 0; i < n && !found; i++)
			found = has_nul(json_object_array_get_idx(v, i));
	} else if (json_object_is_type(v, json_type_object)) {
		json_object_object_foreachC(v, it)
		{
			found |= has_nul(it.val);
		}
	}
	return found;
}

char *
flight_check_spec(struct json_object *spec)
{
	struct json_object *apps = get(spec, "applications");
	struct json_object *config = get(spec, "config");
	struct flight_pairs names = { 0 };
	struct out e = { 0 };
	size_t i, n;

	if (get(spec, "decommissioning") != NULL)
		return xstrdup("decommissioned device cannot be created or "
			       "updated");
	if (get(spec, "consoles") != NULL)
		return xstrdup("consoles are not supported through this api");
	n = apps == NULL ? 0 : json_object_array_length(apps);
	for (i = 0; i < n; i++)
		check_app(&e, json_object_array_get_idx(apps, i), &names);
	n = config == NULL ? 0 : json_object_array_length(config);
	for (i = 0; i < n; i++)
		check_config(&e, json_object_array_get_idx(config, i));
	flight_pairs_clear(&names);
	if (e.len == 0 && has_nul(spec))
		flight_error(&e, "unsupported Unicode escape sequence");
	if (e.len == 0) {
		out_free(&e);
		return NULL;
	}
	e.p[e.len - 1] = '\0'; /* the last line's end */
	return out_take(&e);
}
