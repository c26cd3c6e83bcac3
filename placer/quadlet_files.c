/* SPDX-License-Identifier: ISC */
/*
 * quadlet_files.c: volumes of files: configMap, secret, downwardAPI and
 * projected.
 *
 * Owns which files there are, with their modes and owners, as one entry of
 * spec.config.  They are mounted as a directory, so that new content reaches
 * the container without a restart.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/base64.h"
#include "common/jmake.h"
#include "common/xmem.h"
#include "placer/identity.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MODE_DEFAULT = 0644,
	MODE_MAX = 0777,
	MODE_GROUP = 0440, /* what fsGroup adds, as under a kubelet */
};

/* An entry of spec.config under construction. */
struct entry {
	struct app *app;
	const char *volume, *at;
	struct json_object *files;
};

static const struct {
	const char *member, *name, *kind;
	int secret;
} maps[] = {
	{ "configMap", "name", "ConfigMap", 0 },
	{ "secret", "secretName", "Secret", 1 },
	{ "secret", "name", "Secret", 1 },
};

/* One file of a source. */
struct item {
	const char *key, *path;
	struct json_object *field, *resource;
	int64_t mode;
};

static const struct jread_field item_fields[] = {
	JSTR(struct item, key, "key", MAX_NAME, OPTIONAL),
	JSTR(struct item, path, "path", MAX_NAME, REQUIRED),
	JINT(struct item, mode, "mode", MODE_MAX, OPTIONAL),
	JOBJ(struct item, field, "fieldRef", OPTIONAL),
	JOBJ(struct item, resource, "resourceFieldRef", OPTIONAL),
};

int
quadlet_is_files(struct json_object *v)
{
	return jread_member(v, "configMap") != NULL ||
	    jread_member(v, "secret") != NULL ||
	    jread_member(v, "downwardAPI") != NULL ||
	    jread_member(v, "projected") != NULL;
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

/* A later source's file takes the place of one with the same path. */
static void
drop_file(struct entry *e, const char *full)
{
	const char *path;
	size_t i;

	for (i = 0; i < jread_count(e->files); i++) {
		path =
		    jread_string(jread_member(jread_item(e->files, i), "path"));
		if (strcmp(path, full) != 0)
			continue;
		json_object_array_del_idx(e->files, i, 1);
		return;
	}
}

static int
add_file(struct entry *e, const char *path, const char *content,
    const char *encoding, int64_t mode)
{
	AUTO_FREE char *full = NULL, *group = NULL;
	struct app *app = e->app;
	struct json_object *file;

	if (!is_clean_path(path))
		return fail(app->why, ERR_DENIED,
		    "%s: path \"%.100s\": not relative, or with \"..\", a "
		    "quote, a backslash or a control byte",
		    e->at, path);
	full = xasprintf(QUADLET_STATE_DIR "/%s/%s/%s", app->in->app, e->volume,
	    path);
	app->bytes += strlen(full) + strlen(content);
	if (app->bytes > MAX_APPLICATION)
		return fail(app->why, ERR_LIMIT,
		    "%s: over %d bytes with all of the pod", e->at,
		    MAX_APPLICATION);
	drop_file(e, full);
	file = jmake_item(e->files);
	jmake_str(file, "path", full);
	jmake_str(file, "content", content);
	jmake_str(file, "contentEncoding", encoding);
	jmake_int(file, "mode", app->fs_group < 0 ? mode : mode | MODE_GROUP);
	if (app->fs_group >= 0) {
		group = xasprintf("%" PRId64, app->fs_group);
		jmake_str(file, "group", group);
	}
	return 0;
}

/* -- ConfigMaps and Secrets -- */

/*
 * Flightctl v1.2.0 sends base64 to the device with its signs + / = escaped for
 * a URL, and the agent does not take that back: the version fails.  So what is
 * text goes as text, and what is not must do without those signs.
 */
static int
add_encoded(struct entry *e, const char *key, const char *content,
    const struct item *item)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if ((text = base64_decode(content, &len)) == NULL)
		return fail(e->app->why, ERR_DENIED,
		    "%s: key \"%.100s\" is no base64", e->at, key);
	if (base64_is_text(text, len))
		return add_file(e, item->path, text, NULL, item->mode);
	if (strpbrk(content, "+/=") == NULL)
		return add_file(e, item->path, content, "base64", item->mode);
	return fail(e->app->why, ERR_DENIED,
	    "%s: key \"%.100s\" is binary, which Flightctl does not bring to a "
	    "device whole",
	    e->at, key);
}

/* 1: added, 0: there is no such key. */
static int
add_key(struct entry *e, struct json_object *map, int secret, const char *key,
    const struct item *item)
{
	struct json_object *text = jread_member(jread_member(map, "data"), key);
	struct json_object *binary =
	    jread_member(jread_member(map, "binaryData"), key);
	const char *content = jread_string(text != NULL ? text : binary);
	int r;

	if (text == NULL && binary == NULL)
		return 0;
	if (content == NULL)
		return fail(e->app->why, ERR_DENIED,
		    "%s: key \"%.100s\" is no text", e->at, key);
	r = secret || text == NULL ?
	    add_encoded(e, key, content, item) :
	    add_file(e, item->path, content, NULL, item->mode);
	return r == -1 ? -1 : 1;
}

static int
read_item(struct entry *e, struct json_object *j, int64_t mode,
    struct item *item)
{
	char at[80];

	(void)snprintf(at, sizeof(at), "%s.items", e->at);
	*item = (struct item){ .key = "", .mode = mode };
	return jread_fields(j, at, item_fields, COUNT(item_fields), item,
	    e->app->why);
}

/* What the pod waits for; the caller says what. */
static int
lacks(const struct entry *e)
{
	(void)snprintf(e->app->out->lacking, sizeof(e->app->out->lacking), "%s",
	    e->volume);
	return -1;
}

static int
add_items(struct entry *e, struct json_object *source, struct json_object *map,
    size_t kind, int64_t mode)
{
	struct json_object *items = jread_member(source, "items");
	struct item item;
	size_t i;
	int r;

	for (i = 0; i < jread_count(items); i++) {
		if (read_item(e, jread_item(items, i), mode, &item) == -1 ||
		    (r = add_key(e, map, maps[kind].secret, item.key, &item)) ==
			-1)
			return -1;
		if (r == 1 ||
		    json_object_get_boolean(jread_member(source, "optional")))
			continue;
		fail(e->app->why, ERR_AGAIN,
		    "%s: %s \"%.200s\" has no key \"%.100s\"", e->at,
		    maps[kind].kind,
		    jread_string(jread_member(source, maps[kind].name)),
		    item.key);
		return lacks(e);
	}
	return 0;
}

static int
add_all(struct entry *e, struct json_object *map, const char *member,
    int secret, int64_t mode)
{
	struct json_object *part = jread_member(map, member), *value;
	struct lh_entry *at = NULL;
	struct item item = { .mode = mode };

	while (jread_next(part, &at, &item.key, &value)) {
		item.path = item.key;
		if (add_key(e, map, secret, item.key, &item) == -1)
			return -1;
	}
	return 0;
}

static int
add_map(struct entry *e, struct json_object *source, size_t kind,
    const char *name, int64_t mode)
{
	struct json_object *map;
	int secret = maps[kind].secret;

	if (e->app->dry)
		return 0;
	if (quadlet_map(e->app, name, secret, &map) == -1)
		return -1;
	if (map == NULL) {
		if (json_object_get_boolean(jread_member(source, "optional")))
			return 0;
		fail(e->app->why, ERR_AGAIN, "%s: %s \"%.200s\" is not there",
		    e->at, maps[kind].kind, name);
		return lacks(e);
	}
	if (jread_count(jread_member(source, "items")) > 0)
		return add_items(e, source, map, kind, mode);
	if (add_all(e, map, "data", secret, mode) == -1)
		return -1;
	return add_all(e, map, "binaryData", 0, mode);
}

/* -- the downward API -- */

static int
add_down(struct entry *e, struct json_object *source, int64_t mode)
{
	struct json_object *items = jread_member(source, "items");
	struct item item;
	struct why inner;
	size_t i;

	for (i = 0; i < jread_count(items); i++) {
		AUTO_FREE char *text = NULL;

		if (read_item(e, jread_item(items, i), mode, &item) == -1)
			return -1;
		text = item.field != NULL ?
		    quadlet_field(e->app, item.field, 1, &inner) :
		    quadlet_resource(e->app, item.resource, NULL, &inner);
		if (text == NULL)
			return fail(e->app->why, inner.kind,
			    "%s.items[%zu]: %s", e->at, i, inner.text);
		if (add_file(e, item.path, text, NULL, item.mode) == -1)
			return -1;
	}
	return 0;
}

/* -- a volume -- */

struct source {
	int64_t mode;
};

static const struct jread_field source_fields[] = {
	JINT(struct source, mode, "defaultMode", MODE_MAX, OPTIONAL),
};

static int
read_mode(struct entry *e, struct json_object *v, const char *member,
    int64_t *mode)
{
	struct source s = { .mode = *mode };
	char at[80];

	(void)snprintf(at, sizeof(at), "%s.%s", e->at, member);
	if (jread_fields(jread_member(v, member), at, source_fields, 1, &s,
		e->app->why) == -1)
		return -1;
	*mode = s.mode;
	return 0;
}

/* What one source says; of projected: with the mode of all. */
static int
add_source(struct entry *e, struct json_object *source, const int64_t *all)
{
	struct json_object *j;
	const char *name;
	int64_t mode = MODE_DEFAULT;
	size_t i;

	if (all != NULL)
		mode = *all;
	for (i = 0; i < COUNT(maps); i++) {
		j = jread_member(source, maps[i].member);
		name = jread_string(jread_member(j, maps[i].name));
		if (name == NULL)
			continue;
		if (all == NULL &&
		    read_mode(e, source, maps[i].member, &mode) == -1)
			return -1;
		if (add_map(e, j, i, name, mode) == -1)
			return -1;
	}
	if ((j = jread_member(source, "downwardAPI")) == NULL)
		return 0;
	if (all == NULL && read_mode(e, source, "downwardAPI", &mode) == -1)
		return -1;
	return add_down(e, j, mode);
}

static int
add_sources(struct entry *e, struct json_object *v)
{
	struct json_object *projected = jread_member(v, "projected"), *list;
	int64_t mode = MODE_DEFAULT;
	size_t i;

	if (projected == NULL)
		return add_source(e, v, NULL);
	if (read_mode(e, v, "projected", &mode) == -1)
		return -1;
	list = jread_member(projected, "sources");
	for (i = 0; i < jread_count(list); i++)
		if (add_source(e, jread_item(list, i), &mode) == -1)
			return -1;
	return 0;
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

int
quadlet_files(struct app *app, struct json_object *v, const char *name,
    const char *at)
{
	AUTO_JSON struct json_object *json = jmake_object();
	AUTO_FREE char *full = xasprintf("%s.%s", app->in->app, name);
	struct entry e = { .app = app, .volume = name, .at = at };

	jmake_str(json, "name", full);
	e.files = jmake_list(json, "inline");
	if (add_sources(&e, v) == -1)
		return -1;
	/* A directory that podman can mount needs at least one file in it. */
	if (jread_count(e.files) == 0 &&
	    add_file(&e, ".empty", "", NULL, MODE_DEFAULT) == -1)
		return -1;
	if (!app->dry)
		keep(app->out, steal(&full), jmake_text(&json));
	return 0;
}
