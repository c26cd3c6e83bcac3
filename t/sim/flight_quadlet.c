/* SPDX-License-Identifier: ISC */
/*
 * flight_quadlet.c: inline files of a quadlet application, as the service's
 * parser sees them.
 *
 * Owns the rules about files, sections and references within one application
 * and the order in which they are told.
 */
#include "t/sim/flight_quadlet.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"

enum {
	MAX_LINE = 2047,
	MAX_PATH = 253,
	MAX_CONTENT = 1048576
};

struct type {
	const char *section, *suffix, *name_key;
	int accepted;
};

static const struct type types[] = {
	{ "Container", ".container", "ContainerName", 1 },
	{ "Volume", ".volume", "VolumeName", 1 },
	{ "Network", ".network", "NetworkName", 1 },
	{ "Image", ".image", NULL, 1 },
	{ "Pod", ".pod", "PodName", 1 },
	{ "Kube", ".kube", NULL, 0 },
	{ "Build", ".build", NULL, 0 },
	{ "Artifact", ".artifact", NULL, 0 },
};

enum {
	NTYPES = sizeof(types) / sizeof(types[0])
};

struct file {
	const char *path;
	char *text;		 /* decoded; NULL: none */
	const struct type *type; /* by its section; NULL: not parsed */
};

void
flight_error(struct out *errors, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	out_printf(errors, "%s\n", text);
	free(text);
}

static const struct type *
type_by_suffix(const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t i;

	for (i = 0; dot != NULL && i < NTYPES; i++)
		if (strcmp(dot, types[i].suffix) == 0)
			return &types[i];
	return NULL;
}

/* --- paths and contents -------------------------------------------------- */

static int
is_clean(const char *path)
{
	const char *p = strncmp(path, "./", 2) == 0 ? path + 2 : path;
	size_t n;

	if (*p == '\0')
		return 0;
	if (*p == '/')
		p++;
	while (strncmp(p, "../", 3) == 0)
		p += 3; /* leading ones are clean, and refused otherwise */
	for (; *p != '\0'; p += n + (p[n] == '/')) {
		n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.') ||
		    (p[n] == '/' && p[n + 1] == '\0'))
			return 0;
	}
	return 1;
}

static void
check_path(struct out *errors, const char *path, size_t i)
{
	const char *at = "spec.applications[].inline[%zu].path: Invalid value: "
			 "\"%s\": %s";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (path[0] == '/')
		flight_error(errors, at, i, path, "must be a relative path");
	if (strlen(path) > MAX_PATH)
		flight_error(errors, at, i, path,
		    "must be less than max characters: 253");
	if (strncmp(path, "../", 3) == 0 || strstr(path, "/../") != NULL)
		flight_error(errors, at, i, path,
		    "must not contain '..' (parent directory references)");
	if (!is_clean(path))
		flight_error(errors, at, i, path,
		    "must be a clean path "
		    "without redundant separators or internal '..'");
#pragma GCC diagnostic pop
}

static void
check_content(struct out *errors, struct file *file, struct json_object *v,
    size_t i)
{
	const char *text = flight_get(v, "content");
	const char *how = flight_get(v, "contentEncoding");
	size_t len;

	if (text == NULL)
		return;
	len = strlen(text);
	if (how != NULL && strcmp(how, "base64") == 0) {
		file->text = flight_unbase64(text, len, &len);
		if (file->text == NULL) {
			flight_error(errors,
			    "decode base64 content: illegal "
			    "base64 data at input byte 0");
			return;
		}
	} else {
		file->text = xstrdup(text);
	}
	if (len > MAX_CONTENT)
		flight_error(errors,
		    "spec.applications[].inline[%zu].content: "
		    "Too long: may not be more than 1048576 bytes",
		    i);
}

/* --- units --------------------------------------------------------------- */

static const struct type *
type_by_section(const char *line, size_t n)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (strlen(types[i].section) == n &&
		    memcmp(types[i].section, line, n) == 0)
			return &types[i];
	return NULL;
}

/* What the parser of unit files says to a line, or NULL. */
static const char *
line_error(const char *line, size_t n, int in_section, int goes_on)
{
	if (n > MAX_LINE)
		return "deserializing sections :line too long (max 2048 "
		       "bytes)";
	if (!in_section || goes_on || n == 0 || line[0] == '[' ||
	    line[0] == '#' || line[0] == ';' || line[0] == '\r' ||
	    memchr(line, '=', n) != NULL)
		return NULL;
	return "deserializing sections :unexpected newline encountered while "
	       "parsing option name";
}

/* A section's head; what is wrong with it, or NULL. */
static const char *
take_section(const struct type **found, const char *line)
{
	const struct type *t =
	    type_by_section(line + 1, strcspn(line + 1, "]\n"));

	if (t == NULL)
		return NULL;
	if (!t->accepted)
		return t->section;
	if (*found != NULL)
		return "";
	*found = t;
	return NULL;
}

/* The file's type by its section; NULL with a line of errors. */
static const struct type *
parse(struct out *errors, const struct file *file)
{
	const struct type *found = NULL;
	const char *line = file->text, *end, *error;
	int in_section = 0, goes_on = 0;
	size_t n;

	for (; *line != '\0'; line = end + (*end != '\0')) {
		end = line + strcspn(line, "\n");
		n = (size_t)(end - line);
		error = line_error(line, n, in_section, goes_on);
		if (error != NULL) {
			flight_error(errors, "parse quadlet spec \"%s\": %s",
			    file->path, error);
			return NULL;
		}
		goes_on = n > 0 && line[n - 1] == '\\';
		if (n < 2 || line[0] != '[')
			continue;
		in_section = 1;
		if ((error = take_section(&found, line)) == NULL)
			continue;
		flight_error(errors, "parse quadlet spec \"%s\": %s%s",
		    file->path,
		    *error == '\0' ? "multiple quadlet type sections found" :
				     "unsupported quadlet type: type: ",
		    error);
		return NULL;
	}
	if (found == NULL)
		flight_error(errors,
		    "parse quadlet spec \"%s\": non quadlet type", file->path);
	return found;
}

/* Calls fn for each "KEY=value" of the type section. */
static void
each_key(const struct file *file,
    void (*fn)(void *, const char *key, const char *value), void *arg)
{
	const char *line = file->text, *end, *eq;
	char *key, *value;
	int inside = 0;
	size_t n;

	for (; *line != '\0'; line = end + (*end != '\0')) {
		end = line + strcspn(line, "\n");
		n = strcspn(line, "\r\n");
		if (line[0] == '[')
			inside = type_by_section(line + 1,
				     strcspn(line + 1, "]\n")) == file->type;
		eq = memchr(line, '=', n);
		if (!inside || eq == NULL || line[0] == '#' || line[0] == ';')
			continue;
		key = xstrndup(line, (size_t)(eq - line));
		value = xstrndup(eq + 1, n - (size_t)(eq + 1 - line));
		fn(arg, key, value);
		free(key);
		free(value);
	}
}

struct check {
	struct out *errors;
	const struct file *files, *file;
	size_t n;
	int images;
	char *name; /* ContainerName and so on */
};

static int
has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

static void
check_reference(struct check *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->files[i].path != NULL &&
		    strcmp(c->files[i].path, name) == 0)
			return;
	flight_error(c->errors,
	    "quadlet file \"%s\" references \"%s\" which "
	    "is not defined in the application",
	    c->file->path, name);
}

static void
check_image(struct check *c, const char *value)
{
	char *where = xstrdup(c->file->type->suffix + 1);

	c->images++;
	if (has_suffix(value, ".build")) {
		flight_error(c->errors,
		    ".build quadlet types are "
		    "unsupported: %s",
		    value);
	} else if (has_suffix(value, ".image")) {
		check_reference(c, value);
	} else if (!flight_is_image(value)) {
		if (value[0] == '\0')
			flight_error(c->errors, "%s.image: Required value",
			    where);
		flight_error(c->errors,
		    "%s.image: Invalid value: \"%s\": "
		    "Invalidpattern (e.g. 'quay.io/flightctl/flightctl:latest',"
		    " regex used for validation is '" FLIGHT_IMAGE_RULE "')",
		    where, value);
	}
	free(where);
}

/* "x.volume:/path" and the like: the part before the colon. */
static void
check_source(struct check *c, const char *value, const char *suffix)
{
	char *name = xstrndup(value, strcspn(value, ":"));

	if (has_suffix(name, suffix))
		check_reference(c, name);
	free(name);
}

static void
check_mount(struct check *c, const char *value)
{
	const char *p = strstr(value, "source=");
	char *name;

	if (p == NULL)
		p = strstr(value, "src=");
	if (p == NULL)
		return;
	p = strchr(p, '=') + 1;
	name = xstrndup(p, strcspn(p, ","));
	if (has_suffix(name, ".volume") || has_suffix(name, ".image"))
		check_reference(c, name);
	free(name);
}

static void
check_key(void *arg, const char *key, const char *value)
{
	struct check *c = arg;
	const char *name_key = c->file->type->name_key;

	if (strcmp(key, "Image") == 0)
		check_image(c, value);
	else if (strcmp(key, "Volume") == 0)
		check_source(c, value, ".volume");
	else if (strcmp(key, "Network") == 0)
		check_source(c, value, ".network");
	else if (strcmp(key, "Pod") == 0)
		check_source(c, value, ".pod");
	else if (strcmp(key, "Mount") == 0)
		check_mount(c, value);
	else if (name_key != NULL && strcmp(key, name_key) == 0) {
		free(c->name);
		c->name = xstrdup(value);
	}
}

static char *
check_unit(struct out *errors, const struct file *files, size_t n, size_t i)
{
	struct check c = { errors, files, &files[i], n, 0, NULL };
	const struct type *want = type_by_suffix(files[i].path);

	if (files[i].type != want) {
		flight_error(errors,
		    "quadlet type \"%s\" does not match file "
		    "extension \"%s\" (expected \"%s\")",
		    files[i].type->suffix + 1, want->suffix,
		    files[i].type->suffix);
		return NULL;
	}
	each_key(&files[i], check_key, &c);
	if (c.images == 0 &&
	    (strcmp(want->suffix, ".container") == 0 ||
		strcmp(want->suffix, ".image") == 0))
		flight_error(errors, "%s quadlet must have an Image key",
		    want->suffix);
	return c.name;
}

/* --- the application ----------------------------------------------------- */

static void
check_units(struct out *errors, struct file *files, size_t n)
{
	char **names = xcalloc(n, sizeof(*names));
	size_t i, j;

	for (i = 0; i < n; i++)
		if (files[i].type != NULL)
			names[i] = check_unit(errors, files, n, i);
	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++)
			if (names[i] != NULL && names[j] != NULL &&
			    files[i].type == files[j].type &&
			    strcmp(names[i], names[j]) == 0)
				flight_error(errors,
				    "duplicate %s \"%s\" "
				    "found in %s and %s",
				    files[i].type->name_key, names[i],
				    files[j].path, files[i].path);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void
check_places(struct out *errors, const struct file *files, size_t n)
{
	size_t i, units = 0, workloads = 0;

	for (i = 0; i < n; i++) {
		if (files[i].type == NULL)
			continue;
		units++;
		workloads += has_suffix(files[i].path, ".container");
		if (strchr(files[i].path, '/') != NULL)
			flight_error(errors,
			    "spec.applications[].inline[]."
			    "path: quadlet file must be at root level: \"%s\"",
			    files[i].path);
	}
	if (units == 0)
		flight_error(errors,
		    "spec.applications[].inline[].path: no "
		    "paths provided");
	else if (workloads == 0)
		flight_error(errors,
		    "spec.applications[].inline[].path: at "
		    "least one quadlet workload must be supplied");
}

static int
is_duplicate(struct out *errors, const struct file *files, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(files[i].path, files[n].path) == 0) {
			flight_error(errors, "duplicate inline path: %s",
			    files[n].path);
			return 1;
		}
	return 0;
}

void
flight_check_files(struct out *errors, struct json_object *list)
{
	size_t i, n = json_object_array_length(list);
	struct file *files = xcalloc(n, sizeof(*files));
	struct json_object *v;
	const struct type *t;

	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		files[i].path = flight_get(v, "path");
		check_path(errors, files[i].path, i);
		is_duplicate(errors, files, i);
		check_content(errors, &files[i], v, i);
		t = type_by_suffix(files[i].path);
		if (t != NULL && files[i].text != NULL &&
		    files[i].text[0] != '\0')
			files[i].type = parse(errors, &files[i]);
	}
	check_units(errors, files, n);
	check_places(errors, files, n);
	for (i = 0; i < n; i++)
		free(files[i].text);
	free(files);
}
