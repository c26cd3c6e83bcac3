/* SPDX-License-Identifier: ISC */
/*
 * quadlet_volume.c: the volumes of a Pod.
 *
 * Owns what each kind of volume becomes: an emptyDir a podman volume that goes
 * when its unit stops, a ConfigMap files that Flightctl writes below
 * /var/lib/vk-flightctl/APP/V, mounted as a directory so that new content
 * reaches the container without a restart.  A volume that nothing mounts
 * becomes nothing: the agent fails a version over a unit that nothing starts.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/quantity.h"
#include "common/xmem.h"
#include "placer/fields.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MODE_DEFAULT = 0644,
	MODE_MAX = 0777,
};

struct volume {
	const char *name, *config_map, *medium, *size;
	struct json_object *source, *items;
	int64_t mode;
	uint8_t optional;
};

static const struct jread_field volume_fields[] = {
	JSTR(struct volume, name, "name", MAX_LABEL_VALUE, REQUIRED),
	JOBJ(struct volume, source, "configMap", OPTIONAL),
	JSTR(struct volume, config_map, "configMap.name", MAX_NAME, OPTIONAL),
	JARR(struct volume, items, "configMap.items", MAX_LIST, OPTIONAL),
	JINT(struct volume, mode, "configMap.defaultMode", MODE_MAX, OPTIONAL),
	JBOOL(struct volume, optional, "configMap.optional", OPTIONAL),
	JSTR(struct volume, medium, "emptyDir.medium", 16, OPTIONAL),
	JSTR(struct volume, size, "emptyDir.sizeLimit", 64, OPTIONAL),
};

/* One file of a ConfigMap volume. */
struct item {
	const char *key, *path;
	int64_t mode;
};

static const struct jread_field item_fields[] = {
	JSTR(struct item, key, "key", MAX_NAME, REQUIRED),
	JSTR(struct item, path, "path", MAX_NAME, REQUIRED),
	JINT(struct item, mode, "mode", MODE_MAX, OPTIONAL),
};

/* A config entry under construction. */
struct entry {
	struct app *app;
	const struct volume *v;
	struct json_object *files, *data, *binary;
};

static int
read_volume(struct app *app, size_t i, struct volume *v)
{
	char at[48];

	*v = (struct volume){ .mode = MODE_DEFAULT,
		.config_map = "",
		.medium = "" };
	(void)snprintf(at, sizeof(at), "spec.volumes[%zu]", i);
	if (jread_fields(jread_item(app->volumes, i), at, volume_fields,
		COUNT(volume_fields), v, app->why) == -1)
		return -1;
	if (!identity_is_plain(v->name))
		return fail(app->why, ERR_FORMAT, "%s.name: \"%s\"", at,
		    v->name);
	if (v->source != NULL && !identity_is_plain(v->config_map))
		return fail(app->why, ERR_FORMAT, "%s.configMap.name: \"%s\"",
		    at, v->config_map);
	if (v->size != NULL && *v->medium == '\0')
		return fail(app->why, ERR_DENIED,
		    "%s.emptyDir.sizeLimit: not "
		    "supported: a disk has no limit, only medium Memory",
		    at);
	return 0;
}

char *
quadlet_volume_source(struct app *app, const char *name, int *read_only)
{
	struct volume v;
	size_t i;

	for (i = 0; i < jread_count(app->volumes); i++) {
		if (read_volume(app, i, &v) == -1)
			return NULL;
		if (strcmp(v.name, name) != 0)
			continue;
		*read_only = v.source != NULL;
		if (v.source == NULL)
			return xasprintf("vol_%s.volume", name);
		return xasprintf(QUADLET_STATE_DIR "/%s/%s", app->in->app,
		    name);
	}
	fail(app->why, ERR_FORMAT, "spec.volumes: no \"%.63s\"", name);
	return NULL;
}

static bool
is_mounted(const struct app *app, const char *volume)
{
	struct json_object *mounts;
	const char *name;
	size_t i, k;

	for (i = 0; i < jread_count(app->containers); i++) {
		mounts = jread_member(jread_item(app->containers, i),
		    "volumeMounts");
		for (k = 0; k < jread_count(mounts); k++) {
			name = jread_string(
			    jread_member(jread_item(mounts, k), "name"));
			if (name != NULL && strcmp(name, volume) == 0)
				return true;
		}
	}
	return false;
}

static int
empty_dir(struct app *app, const struct volume *v)
{
	AUTO_FREE char *path = xasprintf("vol_%s.volume", v->name);
	struct unitfile f = { 0 };
	int64_t size;

	unitfile_section(&f, "Volume");
	unitfile_line(&f, "VolumeName", "%s", v->name);
	if (*v->medium == '\0') {
		unitfile_line(&f, "Copy", "false");
	} else {
		unitfile_line(&f, "Device", "tmpfs");
		unitfile_line(&f, "Type", "tmpfs");
		if (v->size == NULL)
			unitfile_line(&f, "Options", "mode=1777");
		else if (quantity_value(span_of(v->size), &size) == 0 &&
		    size > 0)
			unitfile_line(&f, "Options",
			    "size=%" PRId64 ",mode=1777", size);
		else {
			unitfile_clear(&f);
			return fail(app->why, ERR_FORMAT,
			    "spec.volumes: %s: sizeLimit \"%s\"", v->name,
			    v->size);
		}
	}
	unitfile_section(&f, "Service");
	unitfile_line(&f, "ExecStop", "/usr/bin/podman volume rm -f %s-%s",
	    app->id, v->name);
	return quadlet_file(app, path, &f);
}

/* Relative, no "..", nothing that a path on the device may not hold. */
static bool
is_clean_path(const char *path)
{
	size_t i, n;

	for (i = 0; path[i] != '\0'; i++)
		if ((unsigned char)path[i] < 0x20 ||
		    strchr("\\\"'\x7f", path[i]) != NULL)
			return false;
	for (;; path += n + 1) {
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && *path == '.') ||
		    strncmp(path, "..", 2) == 0)
			return false;
		if (path[n] == '\0')
			return true;
	}
}

static int
add_file(struct entry *e, const char *path, const char *content,
    const char *encoding, int64_t mode)
{
	AUTO_FREE char *full = NULL;
	struct json_object *file;

	full = xasprintf(QUADLET_STATE_DIR "/%s/%s/%s", e->app->in->app,
	    e->v->name, path);
	e->app->bytes += strlen(full) + strlen(content);
	if (e->app->bytes > MAX_APPLICATION)
		return fail(e->app->why, ERR_LIMIT,
		    "spec.volumes: %s: over %d bytes with all of the pod",
		    e->v->name, MAX_APPLICATION);
	file = jmake_item(e->files);
	jmake_str(file, "path", full);
	jmake_str(file, "content", content);
	jmake_str(file, "contentEncoding", encoding);
	jmake_int(file, "mode", mode);
	return 0;
}

/* 1: added, 0: the ConfigMap has no such key. */
static int
add_key(struct entry *e, const char *key, const char *path, int64_t mode)
{
	struct json_object *text = jread_member(e->data, key);
	struct json_object *base64 = jread_member(e->binary, key);
	const char *content = jread_string(text != NULL ? text : base64);

	if (text == NULL && base64 == NULL)
		return 0;
	if (content == NULL)
		return fail(e->app->why, ERR_DENIED,
		    "spec.volumes: %s: \"%.100s\" is no text", e->v->name, key);
	if (!is_clean_path(path))
		return fail(e->app->why, ERR_DENIED,
		    "spec.volumes: %s: path \"%.100s\"", e->v->name, path);
	if (add_file(e, path, content, text != NULL ? NULL : "base64", mode) ==
	    -1)
		return -1;
	return 1;
}

static int
add_items(struct entry *e)
{
	struct item item;
	size_t i;
	int r;

	for (i = 0; i < jread_count(e->v->items); i++) {
		item = (struct item){ .mode = e->v->mode };
		if (jread_fields(jread_item(e->v->items, i),
			"spec.volumes.configMap.items", item_fields,
			COUNT(item_fields), &item, e->app->why) == -1 ||
		    (r = add_key(e, item.key, item.path, item.mode)) == -1)
			return -1;
		if (r == 0 && !e->v->optional)
			return fail(e->app->why, ERR_AGAIN,
			    "spec.volumes: "
			    "%s: ConfigMap %s has no key \"%.100s\"",
			    e->v->name, e->v->config_map, item.key);
	}
	return 0;
}

static int
add_all(struct entry *e, struct json_object *map)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;

	while (jread_next(map, &at, &key, &value))
		if (add_key(e, key, key, e->v->mode) == -1)
			return -1;
	return 0;
}

static const struct quadlet_object *
find_object(const struct app *app, const char *name)
{
	size_t i;

	for (i = 0; i < app->in->nobjects; i++)
		if (strcmp(app->in->objects[i].name, name) == 0)
			return &app->in->objects[i];
	return NULL;
}

/* A directory that podman can mount needs at least one file in it. */
static int
fill(struct entry *e)
{
	int r;

	if (jread_count(e->v->items) > 0)
		r = add_items(e);
	else if ((r = add_all(e, e->data)) == 0)
		r = add_all(e, e->binary);
	if (r == 0 && jread_count(e->files) == 0)
		r = add_file(e, ".empty", "", NULL, MODE_DEFAULT);
	return r;
}

static void
keep(struct quadlet *out, char *name, char *text)
{
	out->configs =
	    xreallocarray(out->configs, out->nconfigs + 1, sizeof(char *));
	out->config_names =
	    xreallocarray(out->config_names, out->nconfigs + 1, sizeof(char *));
	out->configs[out->nconfigs] = text;
	out->config_names[out->nconfigs++] = name;
}

static int
config_map(struct app *app, const struct volume *v)
{
	AUTO_JSON struct json_object *map = NULL, *json = NULL;
	AUTO_FREE char *name = NULL;
	const struct quadlet_object *object = find_object(app, v->config_map);
	struct entry e = { .app = app, .v = v };

	if (object == NULL || (object->object.len == 0 && !v->optional))
		return fail(app->why, ERR_AGAIN,
		    "spec.volumes: %s: ConfigMap %s is not there", v->name,
		    v->config_map);
	if (object->object.len > 0 &&
	    (map = jread_parse(object->object, app->why)) == NULL)
		return -1;
	e.data = jread_member(map, "data");
	e.binary = jread_member(map, "binaryData");
	name = xasprintf("%s.%s", app->in->app, v->name);
	json = jmake_object();
	jmake_str(json, "name", name);
	e.files = jmake_list(json, "inline");
	if (fill(&e) == -1)
		return -1;
	keep(app->out, steal(&name), jmake_text(&json));
	return 0;
}

int
quadlet_volumes(struct app *app)
{
	struct volume v;
	size_t i;
	int r;

	for (i = 0; i < jread_count(app->volumes); i++) {
		if (fields_is_token_volume(jread_item(app->volumes, i)))
			continue;
		if (read_volume(app, i, &v) == -1)
			return -1;
		if (!is_mounted(app, v.name))
			continue;
		if (v.source == NULL)
			r = empty_dir(app, &v);
		else
			r = app->dry ? 0 : config_map(app, &v);
		if (r == -1)
			return -1;
	}
	return 0;
}

static size_t
index_of(char **names, const char *name)
{
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			break;
	return i;
}

static int
needs(struct app *app, char **names, uint64_t *optional)
{
	struct volume v;
	size_t i, k, n = 0;

	for (i = 0; i < jread_count(app->volumes); i++) {
		if (fields_is_token_volume(jread_item(app->volumes, i)))
			continue;
		if (read_volume(app, i, &v) == -1)
			return -1;
		if (v.source == NULL || !is_mounted(app, v.name))
			continue;
		if ((k = index_of(names, v.config_map)) == 64)
			return fail(app->why, ERR_LIMIT,
			    "spec.volumes: more than 64 ConfigMaps");
		if (k == n) {
			names[n++] = xstrdup(v.config_map);
			*optional |= UINT64_C(1) << k;
		}
		if (!v.optional)
			*optional &= ~(UINT64_C(1) << k);
	}
	return 0;
}

int
quadlet_needs(struct span pod, char ***names, uint64_t *optional,
    struct why *why)
{
	AUTO_JSON struct json_object *root = NULL;
	struct app app = { .why = why };
	struct json_object *spec;
	size_t i;

	*names = xcalloc(65, sizeof(char *));
	*optional = 0;
	if ((root = jread_parse(pod, why)) != NULL) {
		spec = jread_member(root, "spec");
		app.containers = jread_member(spec, "containers");
		app.volumes = jread_member(spec, "volumes");
		if (needs(&app, *names, optional) == 0)
			return 0;
	}
	for (i = 0; (*names)[i] != NULL; i++)
		free((*names)[i]);
	free(*names);
	*names = NULL;
	return -1;
}
