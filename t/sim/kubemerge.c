/* SPDX-License-Identifier: ISC */
/*
 * kubemerge.c: JSON merge patch and strategic merge patch (pure).
 *
 * Owns the order of merged lists, which clients see: new elements of a list
 * with a merge key stand before the old ones unless $setElementOrder says
 * otherwise.  Which lists have keys is kubetype.def's.
 */

#include "t/sim/kubemerge.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/kubetype.h"

void
kmerge_json(struct json_object *into, struct json_object *patch)
{
	struct json_object_iter it;
	struct json_object *have;

	json_object_object_foreachC(patch, it)
	{
		if (it.val == NULL) {
			json_object_object_del(into, it.key);
			continue;
		}
		if (!json_object_is_type(it.val, json_type_object)) {
			json_object_object_add(into, it.key,
			    json_object_get(it.val));
			continue;
		}
		if (!json_object_object_get_ex(into, it.key, &have) ||
		    !json_object_is_type(have, json_type_object)) {
			have = json_object_new_object();
			json_object_object_add(into, it.key, have);
		}
		kmerge_json(have, it.val);
	}
}

static const char *
directive(struct json_object *o)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, "$patch", &v))
		return "";
	return json_object_get_string(v);
}

/* Merge keys are strings or numbers; both compare as text. */
static int
same_key(struct json_object *a, struct json_object *b, const char *key)
{
	struct json_object *x, *y;

	return json_object_object_get_ex(a, key, &x) && x != NULL &&
	    json_object_object_get_ex(b, key, &y) && y != NULL &&
	    strcmp(json_object_get_string(x), json_object_get_string(y)) == 0;
}

/* Index of the element with o's key; the length when there is none. */
static size_t
find(struct json_object *list, struct json_object *o, const char *key)
{
	size_t i, n = json_object_array_length(list);

	for (i = 0; i < n; i++)
		if (same_key(json_object_array_get_idx(list, i), o, key))
			break;
	return i;
}

/* Order: those named, as named; the others keep their places before. */
static struct json_object *
reorder(struct json_object *list, struct json_object *order, const char *key)
{
	struct json_object *out = json_object_new_array(), *o;
	size_t i, at, n = json_object_array_length(list);

	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(list, i);
		if (find(order, o, key) == json_object_array_length(order))
			json_object_array_add(out, json_object_get(o));
	}
	for (i = 0; i < json_object_array_length(order); i++) {
		at = find(list, json_object_array_get_idx(order, i), key);
		if (at < n)
			json_object_array_add(out,
			    json_object_get(
				json_object_array_get_idx(list, at)));
	}
	return out;
}

static int
replaces_list(struct json_object *patch)
{
	size_t i;

	for (i = 0; i < json_object_array_length(patch); i++)
		if (strcmp(directive(json_object_array_get_idx(patch, i)),
			"replace") == 0)
			return 1;
	return 0;
}

/* One element of a patch list, into the old list or before it. */
static int
merge_element(const struct kfield *f, struct json_object *old,
    struct json_object *fresh, struct json_object *p, struct why *why)
{
	struct json_object *o, *key;
	size_t at;

	if (!json_object_object_get_ex(p, f->key, &key) || key == NULL)
		return fail(why, ERR_FORMAT,
		    "map: %s does not contain declared merge key: %s",
		    json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN),
		    f->key);
	at = find(old, p, f->key);
	if (strcmp(directive(p), "delete") == 0) {
		if (at < json_object_array_length(old))
			json_object_array_del_idx(old, at, 1);
		return 0;
	}
	if (at < json_object_array_length(old)) {
		o = json_object_array_get_idx(old, at);
		return kmerge_strategic(f->type, o, p, why);
	}
	at = find(fresh, p, f->key);
	if (at < json_object_array_length(fresh)) {
		o = json_object_array_get_idx(fresh, at);
		return kmerge_strategic(f->type, o, p, why);
	}
	o = json_object_new_object();
	json_object_array_add(fresh, o);
	return kmerge_strategic(f->type, o, p, why);
}

static void
append(struct json_object *to, struct json_object *from, int skip_directives)
{
	size_t i;
	struct json_object *o;

	for (i = 0; i < json_object_array_length(from); i++) {
		o = json_object_array_get_idx(from, i);
		if (!skip_directives || directive(o)[0] == '\0')
			json_object_array_add(to, json_object_get(o));
	}
}

static int
merge_list(const struct kfield *f, struct json_object *into,
    struct json_object *patch, struct json_object *order, struct why *why)
{
	struct json_object *old, *out = json_object_new_array();
	size_t i;
	int r = 0;

	if (replaces_list(patch)) {
		append(out, patch, 1);
		json_object_object_add(into, f->name, out);
		return 0;
	}
	if (!json_object_object_get_ex(into, f->name, &old) || old == NULL) {
		old = json_object_new_array();
		json_object_object_add(into, f->name, old);
	}
	for (i = 0; i < json_object_array_length(patch) && r == 0; i++)
		r = merge_element(f, old, out,
		    json_object_array_get_idx(patch, i), why);
	append(out, old, 0);
	if (order != NULL) {
		struct json_object *sorted = reorder(out, order, f->key);

		json_object_put(out);
		out = sorted;
	}
	json_object_object_add(into, f->name, out);
	return r;
}

static int
has_string(struct json_object *list, struct json_object *s)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		if (strcmp(json_object_get_string(
			       json_object_array_get_idx(list, i)),
			json_object_get_string(s)) == 0)
			return 1;
	return 0;
}

/* Lists of strings that merge (finalizers): the union, less those named. */
static void
merge_strings(struct json_object *into, const char *name,
    struct json_object *patch, struct json_object *gone)
{
	struct json_object *old, *out = json_object_new_array(), *s;
	size_t i;

	if (json_object_object_get_ex(into, name, &old) && old != NULL)
		for (i = 0; i < json_object_array_length(old); i++) {
			s = json_object_array_get_idx(old, i);
			if (gone == NULL || !has_string(gone, s))
				json_object_array_add(out, json_object_get(s));
		}
	if (patch != NULL)
		for (i = 0; i < json_object_array_length(patch); i++) {
			s = json_object_array_get_idx(patch, i);
			if (!has_string(out, s))
				json_object_array_add(out, json_object_get(s));
		}
	json_object_object_add(into, name, out);
}

static struct json_object *
sibling(struct json_object *patch, const char *prefix, const char *name)
{
	struct json_object *v = NULL;
	char *key = xasprintf("%s/%s", prefix, name);

	json_object_object_get_ex(patch, key, &v);
	free(key);
	return v;
}

static int
merge_member(const struct kfield *f, const char *name, struct json_object *into,
    struct json_object *patch, struct json_object *value, struct why *why)
{
	struct json_object *have;
	int keyed = f != NULL && f->kind == K_LIST && f->key != NULL;
	int set = f != NULL && f->kind == K_STRINGS_SET;

	if ((keyed || set) && !json_object_is_type(value, json_type_array))
		return fail(why, ERR_FORMAT, "cannot restore slice from map");
	if (keyed)
		return merge_list(f, into, value,
		    sibling(patch, "$setElementOrder", name), why);
	if (set) {
		merge_strings(into, name, value,
		    sibling(patch, "$deleteFromPrimitiveList", name));
		return 0;
	}
	if (!json_object_is_type(value, json_type_object)) {
		json_object_object_add(into, name, json_object_get(value));
		return 0;
	}
	if (!json_object_object_get_ex(into, name, &have) ||
	    !json_object_is_type(have, json_type_object)) {
		have = json_object_new_object();
		json_object_object_add(into, name, have);
	}
	return kmerge_strategic(f != NULL ? f->type : NULL, have, value, why);
}

/* "$setElementOrder/x" or "$deleteFromPrimitiveList/x" without "x". */
static void
apply_directive(const struct ktype *type, struct json_object *into,
    struct json_object *patch, const char *key, struct json_object *value)
{
	static const char order[] = "$setElementOrder/";
	static const char gone[] = "$deleteFromPrimitiveList/";
	const struct kfield *f;
	struct json_object *old;
	const char *name = strchr(key, '/');

	if (type == NULL || name == NULL ||
	    json_object_object_get_ex(patch, name + 1, NULL) ||
	    (f = ktype_field(type, name + 1)) == NULL)
		return;
	if (strncmp(key, gone, sizeof(gone) - 1) == 0) {
		merge_strings(into, name + 1, NULL, value);
	} else if (strncmp(key, order, sizeof(order) - 1) == 0 &&
	    f->key != NULL && json_object_object_get_ex(into, name + 1, &old) &&
	    old != NULL) {
		json_object_object_add(into, name + 1,
		    reorder(old, value, f->key));
	}
}

static void
retain_keys(struct json_object *into, struct json_object *keys)
{
	struct json_object_iter it;
	struct json_object *gone = json_object_new_array(), *name;
	size_t i;

	json_object_object_foreachC(into, it)
	{
		name = json_object_new_string(it.key);
		if (has_string(keys, name))
			json_object_put(name);
		else
			json_object_array_add(gone, name);
	}
	for (i = 0; i < json_object_array_length(gone); i++)
		json_object_object_del(into,
		    json_object_get_string(json_object_array_get_idx(gone, i)));
	json_object_put(gone);
}

static void
clear(struct json_object *o)
{
	struct json_object *none = json_object_new_array();

	retain_keys(o, none);
	json_object_put(none);
}

int
kmerge_strategic(const struct ktype *type, struct json_object *into,
    struct json_object *patch, struct why *why)
{
	struct json_object_iter it;
	const char *what = directive(patch);
	struct json_object *keys;

	if (strcmp(what, "replace") == 0 || strcmp(what, "delete") == 0)
		clear(into);
	if (strcmp(what, "delete") == 0)
		return 0;
	if (json_object_object_get_ex(patch, "$retainKeys", &keys) &&
	    json_object_is_type(keys, json_type_array))
		retain_keys(into, keys);
	json_object_object_foreachC(patch, it)
	{
		if (it.key[0] == '$') {
			apply_directive(type, into, patch, it.key, it.val);
			continue;
		}
		if (it.val == NULL) {
			json_object_object_del(into, it.key);
			continue;
		}
		if (merge_member(type != NULL ? ktype_field(type, it.key) :
						NULL,
			it.key, into, patch, it.val, why) == -1)
			return -1;
	}
	return 0;
}
