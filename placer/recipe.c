/* SPDX-License-Identifier: ISC */
/*
 * recipe.c: what a pod's files are made of.
 *
 * Owns which volumes may change under a running pod, and which members of the
 * Pod their content comes from.  Never renders (quadlet.c).
 */
#include "placer/recipe.h"

#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "placer/block.h"
#include "placer/fields.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const lists[] = { "initContainers", "containers" };

/* What the pod says of itself and may say otherwise later. */
static const char *const changing[] = { "labels", "annotations" };

static int
is_set(struct json_object *mount, const char *member)
{
	const char *s = jread_string(jread_member(mount, member));

	return s != NULL && *s != '\0';
}

static int
mounts_whole(struct json_object *container, const char *volume)
{
	struct json_object *mounts = jread_member(container, "volumeMounts"),
			   *m;
	const char *name;
	size_t i;

	for (i = 0; i < jread_count(mounts); i++) {
		m = jread_item(mounts, i);
		name = jread_string(jread_member(m, "name"));
		if (name != NULL && strcmp(name, volume) == 0 &&
		    !is_set(m, "subPath") && !is_set(m, "subPathExpr"))
			return 1;
	}
	return 0;
}

static int
is_mounted_whole(struct json_object *spec, struct json_object *volume)
{
	const char *name = jread_string(jread_member(volume, "name"));
	struct json_object *list;
	size_t i, k;

	for (i = 0; name != NULL && i < COUNT(lists); i++) {
		list = jread_member(spec, lists[i]);
		for (k = 0; k < jread_count(list); k++)
			if (mounts_whole(jread_item(list, k), name))
				return 1;
	}
	return 0;
}

/* Of which of changing[] a downwardAPI speaks: a bit each. */
static unsigned int
down(struct json_object *source)
{
	struct json_object *items =
	    jread_member(jread_member(source, "downwardAPI"), "items");
	const char *path;
	unsigned int bits = 0;
	size_t i, k;

	for (i = 0; i < jread_count(items); i++) {
		path = jread_string(
		    jread_member(jread_member(jread_item(items, i), "fieldRef"),
			"fieldPath"));
		if (path == NULL || strncmp(path, "metadata.", 9) != 0)
			continue;
		for (k = 0; k < COUNT(changing); k++)
			if (strncmp(path + 9, changing[k],
				strlen(changing[k])) == 0)
				bits |= 1u << k;
	}
	return bits;
}

static int
is_map(struct json_object *source)
{
	return jread_member(source, "configMap") != NULL ||
	    jread_member(source, "secret") != NULL;
}

/* 1: what is in it may change; *bits grows. */
static int
may_change(struct json_object *volume, unsigned int *bits)
{
	struct json_object *sources =
	    jread_member(jread_member(volume, "projected"), "sources");
	unsigned int of = down(volume);
	int may = is_map(volume);
	size_t i;

	for (i = 0; i < jread_count(sources); i++) {
		may |= is_map(jread_item(sources, i));
		of |= down(jread_item(sources, i));
	}
	*bits |= of;
	return may || of != 0;
}

/* A member as it is; an absent one stays so. */
static void
copy(struct json_object *to, struct json_object *from, const char *key)
{
	struct json_object *value = json_object_get(jread_member(from, key));

	if (value != NULL)
		jmake_put(to, key, &value);
}

static struct json_object *
volumes_of(struct json_object *spec, unsigned int *bits)
{
	struct json_object *all = jread_member(spec, "volumes"), *v;
	struct json_object *some = NULL;
	size_t i;

	for (i = 0; i < jread_count(all); i++) {
		v = jread_item(all, i);
		if (fields_is_token_volume(v) || !is_mounted_whole(spec, v) ||
		    !may_change(v, bits))
			continue;
		if (some == NULL)
			some = jmake_array();
		json_object_array_add(some, json_object_get(v));
	}
	return some;
}

static void
put_metadata(struct json_object *to, struct json_object *from,
    unsigned int bits)
{
	size_t i;

	copy(to, from, "namespace");
	copy(to, from, "name");
	copy(to, from, "uid");
	for (i = 0; i < COUNT(changing); i++)
		if ((bits & 1u << i) != 0)
			copy(to, from, changing[i]);
}

/* Which volumes it mounts; where is of no account here. */
static void
put_mounts(struct json_object *to, struct json_object *from)
{
	struct json_object *have = jread_member(from, "volumeMounts"), *list;
	size_t i;

	if (jread_count(have) == 0)
		return;
	list = jmake_list(to, "volumeMounts");
	for (i = 0; i < jread_count(have); i++)
		copy(jmake_item(list), jread_item(have, i), "name");
}

static void
put_containers(struct json_object *to, struct json_object *from)
{
	struct json_object *list, *have, *c;
	size_t i, k;

	for (i = 0; i < COUNT(lists); i++) {
		have = jread_member(from, lists[i]);
		list = jmake_list(to, lists[i]);
		for (k = 0; k < jread_count(have); k++) {
			c = jmake_item(list);
			copy(c, jread_item(have, k), "name");
			copy(c, jread_item(have, k), "resources");
			put_mounts(c, jread_item(have, k));
		}
	}
}

char *
recipe_of(struct block *b, struct json_object *pod)
{
	struct json_object *from = jread_member(pod, "spec"), *spec, *volumes;
	AUTO_JSON struct json_object *recipe = NULL;
	AUTO_FREE char *text = NULL;
	unsigned int bits = 0;

	if ((volumes = volumes_of(from, &bits)) == NULL)
		return NULL;
	recipe = jmake_object();
	put_metadata(jmake_in(recipe, "metadata"),
	    jread_member(pod, "metadata"), bits);
	spec = jmake_in(recipe, "spec");
	copy(spec, from, "nodeName");
	copy(spec, from, "serviceAccountName");
	copy(jmake_in(spec, "securityContext"),
	    jread_member(from, "securityContext"), "fsGroup");
	put_containers(spec, from);
	jmake_put(spec, "volumes", &volumes);
	text = jmake_text(&recipe);
	return block_str(b, text);
}

/* FNV-1a over a text with its NUL. */
static uint64_t
more(uint64_t h, const char *s)
{
	do {
		h = (h ^ (uint8_t)*s) * 0x100000001b3ULL;
	} while (*s++ != '\0');
	return h;
}

static const char *
text_of(struct json_object *file, const char *member)
{
	const char *s = jread_string(jread_member(file, member));

	return s == NULL ? "" : s;
}

uint64_t
recipe_files(struct json_object *config)
{
	struct json_object *files = jread_member(config, "inline"), *file;
	uint64_t h = 0xcbf29ce484222325ULL;
	const char *encoding;
	size_t i;

	for (i = 0; i < jread_count(files); i++) {
		file = jread_item(files, i);
		encoding = text_of(file, "contentEncoding");
		h = more(h, text_of(file, "path"));
		h = more(h, strcmp(encoding, "plain") == 0 ? "" : encoding);
		h = more(h, text_of(file, "content"));
	}
	return h == 0 ? 1 : h;
}

int64_t
recipe_bytes(struct json_object *application)
{
	struct json_object *files = jread_member(application, "inline"), *file;
	size_t i, n = 0;

	for (i = 0; i < jread_count(files); i++) {
		file = jread_item(files, i);
		n += strlen(text_of(file, "path")) +
		    strlen(text_of(file, "content"));
	}
	return (int64_t)n;
}
