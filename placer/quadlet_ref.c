/* SPDX-License-Identifier: ISC */
/*
 * quadlet_ref.c: what a Pod says of itself to its containers.
 *
 * Owns fieldRef and resourceFieldRef, and the parsed ConfigMaps and Secrets.
 * What the kubelet would take from its node (addresses, the room of a machine)
 * is refused: a virtual node has none.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/quantity.h"
#include "common/xmem.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
quadlet_map(struct app *app, const char *name, int secret,
    struct json_object **map)
{
	const struct quadlet_object *o;
	struct why inner;
	size_t i;

	*map = NULL;
	for (i = 0; i < app->in->nobjects; i++) {
		o = &app->in->objects[i];
		if (o->secret != secret || strcmp(o->name, name) != 0)
			continue;
		if (o->object.len == 0)
			return 0;
		if (app->maps == NULL)
			app->maps =
			    xcalloc(app->in->nobjects, sizeof(*app->maps));
		if (app->maps[i] == NULL &&
		    (app->maps[i] = jread_parse(o->object, &inner)) == NULL)
			return fail(app->why, inner.kind, "%s \"%.200s\": %s",
			    secret ? "Secret" : "ConfigMap", name, inner.text);
		*map = app->maps[i];
		return 0;
	}
	return 0;
}

void
quadlet_maps_free(struct app *app)
{
	size_t i;

	for (i = 0; app->maps != NULL && i < app->in->nobjects; i++)
		json_object_put(app->maps[i]);
	free(app->maps);
	app->maps = NULL;
}

/* -- fieldRef -- */

static const struct {
	const char *field;
	const char *parent, *member;
} fields[] = {
	{ "metadata.name", "metadata", "name" },
	{ "metadata.namespace", "metadata", "namespace" },
	{ "metadata.uid", "metadata", "uid" },
	{ "spec.nodeName", "spec", "nodeName" },
	{ "spec.serviceAccountName", "spec", "serviceAccountName" },
};

static const char *const maps[] = { "labels", "annotations" };

static int
by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As Go's %q, which the kubelet writes: quotes, and no control byte. */
static void
put_quoted(struct bytes *b, const char *s)
{
	static const char bytes[] = "\a\b\f\n\r\t\v\"\\",
			  signs[] = "abfnrtv\"\\";
	const char *special;
	char one[8];

	bytes_add_text(b, "\"");
	for (; *s != '\0'; s++) {
		if ((special = strchr(bytes, *s)) != NULL)
			(void)snprintf(one, sizeof(one), "\\%c",
			    signs[special - bytes]);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			(void)snprintf(one, sizeof(one), "\\x%02x",
			    (unsigned char)*s);
		else
			(void)snprintf(one, sizeof(one), "%c", *s);
		bytes_add_text(b, one);
	}
	bytes_add_text(b, "\"");
}

/* KEY="value" lines by key, without a newline at the end. */
static char *
whole_map(struct json_object *map)
{
	size_t n = jread_members(map), i;
	AUTO_FREE const char **keys = xcalloc(n + 1, sizeof(*keys));
	struct bytes b = { NULL, 0, 0 };
	struct json_object *value;
	struct lh_entry *e = NULL;

	for (i = 0; i < n && jread_next(map, &e, &keys[i], &value); i++)
		;
	qsort(keys, n, sizeof(*keys), by_key);
	for (i = 0; i < n; i++) {
		bytes_add_text(&b, i > 0 ? "\n" : "");
		bytes_add_text(&b, keys[i]);
		bytes_add_text(&b, "=");
		put_quoted(&b,
		    json_object_get_string(jread_member(map, keys[i])));
	}
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

/* "labels['KEY']": its value, or "" as the kubelet says of what is absent. */
static char *
map_value(struct json_object *map, const char *rest)
{
	size_t len = strlen(rest);
	AUTO_FREE char *key = NULL;
	const char *value;

	if (len < 5 || strncmp(rest, "['", 2) != 0 ||
	    strcmp(rest + len - 2, "']") != 0)
		return NULL;
	key = xstrndup(rest + 2, len - 4);
	value = jread_string(jread_member(map, key));
	return xstrdup(value == NULL ? "" : value);
}

static char *
of_metadata(const struct app *app, const char *path, int whole)
{
	struct json_object *metadata = jread_member(app->pod, "metadata");
	size_t i, len;

	if (strncmp(path, "metadata.", 9) != 0)
		return NULL;
	path += 9;
	for (i = 0; i < COUNT(maps); i++) {
		len = strlen(maps[i]);
		if (strncmp(path, maps[i], len) != 0)
			continue;
		if (path[len] == '\0')
			return whole ?
			    whole_map(jread_member(metadata, maps[i])) :
			    NULL;
		return map_value(jread_member(metadata, maps[i]), path + len);
	}
	return NULL;
}

char *
quadlet_field(const struct app *app, struct json_object *ref, int whole,
    struct why *why)
{
	const char *path = jread_string(jread_member(ref, "fieldPath"));
	const char *value;
	char *text;
	size_t i;

	for (i = 0; path != NULL && i < COUNT(fields); i++) {
		if (strcmp(path, fields[i].field) != 0)
			continue;
		value = jread_string(
		    jread_member(jread_member(app->pod, fields[i].parent),
			fields[i].member));
		return xstrdup(value == NULL ? "" : value);
	}
	if (path != NULL && (text = of_metadata(app, path, whole)) != NULL)
		return text;
	fail(why, ERR_DENIED, "fieldPath \"%.100s\" is not supported",
	    path == NULL ? "" : path);
	return NULL;
}

/* -- resourceFieldRef -- */

static const struct {
	const char *resource;
	const char *part, *name;
	int (*parse)(struct span, int64_t *);
	int64_t unit; /* of what parse gives in a whole one */
	bool needed;  /* the kubelet would take the node's room */
} resources[] = {
	{ "limits.cpu", "limits", "cpu", quantity_milli, 1000, true },
	{ "limits.memory", "limits", "memory", quantity_value, 1, true },
	{ "requests.cpu", "requests", "cpu", quantity_milli, 1000, false },
	{ "requests.memory", "requests", "memory", quantity_value, 1, false },
};

static struct json_object *
named(const struct app *app, const char *name)
{
	struct json_object *c = NULL;
	size_t list;

	for (list = 0; c == NULL && list < QUADLET_LISTS; list++)
		c = jread_find(app->lists[list], "name", name);
	return c;
}

/* A quantity may come as a number. */
static int
amount(struct json_object *j, int (*parse)(struct span, int64_t *), int64_t *n)
{
	*n = 0;
	return j == NULL ? 0 : parse(span_of(json_object_get_string(j)), n);
}

/* value / divisor, rounded up, as the kubelet does. */
static char *
divided(struct json_object *value, struct json_object *divisor, size_t row,
    struct why *why)
{
	int64_t n, by;

	if (amount(value, resources[row].parse, &n) == -1 ||
	    amount(divisor, resources[row].parse, &by) == -1 || n < 0 ||
	    by < 0) {
		fail(why, ERR_FORMAT, "%s or its divisor is no quantity",
		    resources[row].resource);
		return NULL;
	}
	if (by == 0) /* absent: whole ones */
		by = resources[row].unit;
	return xasprintf("%" PRId64, n / by + (n % by > 0));
}

char *
quadlet_resource(const struct app *app, struct json_object *ref,
    struct json_object *own, struct why *why)
{
	const char *name = jread_string(jread_member(ref, "containerName"));
	const char *what = jread_string(jread_member(ref, "resource"));
	struct json_object *c = own, *value;
	size_t i;

	if (name != NULL && *name != '\0')
		c = named(app, name);
	for (i = 0; what != NULL && i < COUNT(resources); i++)
		if (strcmp(what, resources[i].resource) == 0)
			break;
	if (c == NULL || what == NULL || i == COUNT(resources)) {
		fail(why, ERR_DENIED,
		    "there is no resource \"%.40s\" of container \"%.63s\"",
		    what == NULL ? "" : what, name == NULL ? "" : name);
		return NULL;
	}
	value = jread_member(jread_member(jread_member(c, "resources"),
				 resources[i].part),
	    resources[i].name);
	if (value == NULL && resources[i].needed) {
		fail(why, ERR_DENIED, "%s of container \"%.63s\" is not set",
		    what, jread_string(jread_member(c, "name")));
		return NULL;
	}
	return divided(value, jread_member(ref, "divisor"), i, why);
}
