/* SPDX-License-Identifier: ISC */
/*
 * fields.c: walks a Pod's spec along the table of fields.
 *
 * Owns the refusal of what is not translated, by its path: nothing that a
 * person asked for is dropped without a word.  Never translates.
 */
#include "placer/fields.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"

static const struct field table[] = {
#define FIELD(path, verdict, values, text) { path, verdict, values, text },
#include "placer/fields.def"
#undef FIELD
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Where the walk is, as the table says it and as people read it. */
struct place {
	char pattern[160];
	char path[MAX_TEXT];
};

const struct field *
fields_table(size_t *n)
{
	*n = COUNT(table);
	return table;
}

/*
 * The row of this very path; *inside: some row is below it.
 */
static const struct field *
find(const char *pattern, bool *inside)
{
	size_t i, len = strlen(pattern);

	*inside = false;
	for (i = 0; i < COUNT(table); i++) {
		if (strncmp(table[i].path, pattern, len) != 0)
			continue;
		if (table[i].path[len] == '\0')
			return &table[i];
		*inside |=
		    table[i].path[len] == '.' || table[i].path[len] == '[';
	}
	return NULL;
}

static bool
is_absent(struct json_object *j)
{
	return json_object_get_type(j) == json_type_null ||
	    (json_object_is_type(j, json_type_object) &&
		json_object_object_length(j) == 0) ||
	    (json_object_is_type(j, json_type_array) && jread_count(j) == 0) ||
	    (json_object_is_type(j, json_type_string) &&
		json_object_get_string_len(j) == 0);
}

/* "a|b" */
static bool
is_among(const char *values, const char *value)
{
	size_t len = strlen(value), n;

	for (;; values += n + 1) {
		n = strcspn(values, "|");
		if (n == len && memcmp(values, value, n) == 0)
			return true;
		if (values[n] == '\0')
			return false;
	}
}

static int
judge(const struct field *f, const char *path, struct json_object *j,
    struct why *why)
{
	const char *value;

	if (f->verdict == REFUSED)
		return fail(why, ERR_DENIED, "%s: not supported%s%s", path,
		    *f->text != '\0' ? ": " : "", f->text);
	if (f->values == NULL)
		return 0;
	value = json_object_get_string(j);
	if (is_among(f->values, value))
		return 0;
	return fail(why, ERR_DENIED, "%s: \"%.64s\" is not supported, only %s",
	    path, value, f->values);
}

static int
below(const struct place *at, struct place *to, const char *pattern,
    const char *path, struct why *why)
{
	if (snprintf(to->pattern, sizeof(to->pattern), "%s%s", at->pattern,
		pattern) >= (int)sizeof(to->pattern) ||
	    snprintf(to->path, sizeof(to->path), "%s%s", at->path, path) >=
		(int)sizeof(to->path))
		return fail(why, ERR_DENIED, "%s: not known", at->path);
	return 0;
}

static int walk(const struct place *, struct json_object *, struct why *);

static int
walk_object(const struct place *at, struct json_object *j, struct why *why)
{
	struct json_object *v;
	struct lh_entry *e = NULL;
	struct place to;
	const char *key;
	char name[128];

	while (jread_next(j, &e, &key, &v)) {
		(void)snprintf(name, sizeof(name), ".%.120s", key);
		if (below(at, &to, name, name, why) == -1 ||
		    walk(&to, v, why) == -1)
			return -1;
	}
	return 0;
}

static int
walk_array(const struct place *at, struct json_object *j, struct why *why)
{
	struct place to;
	char index[32];
	size_t i;

	for (i = 0; i < jread_count(j); i++) {
		if (fields_is_token_volume(jread_item(j, i)))
			continue;
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		if (below(at, &to, "[]", index, why) == -1 ||
		    walk(&to, jread_item(j, i), why) == -1)
			return -1;
	}
	return 0;
}

/* Depth is bounded: below() refuses what is deeper than the table. */
static int
walk(const struct place *at, struct json_object *j, struct why *why)
{
	const struct field *f;
	bool inside;

	if (is_absent(j))
		return 0;
	if ((f = find(at->pattern, &inside)) != NULL)
		return judge(f, at->path, j, why);
	if (inside && json_object_is_type(j, json_type_object))
		return walk_object(at, j, why);
	if (inside && json_object_is_type(j, json_type_array))
		return walk_array(at, j, why);
	return fail(why, ERR_DENIED, "%s: not known", at->path);
}

int
fields_check(struct json_object *spec, struct why *why)
{
	const struct place root = { "spec", "spec" };

	return walk(&root, spec, why);
}

int
fields_is_token_volume(struct json_object *j)
{
	const char *name = jread_string(jread_member(j, "name"));
	const char *path = jread_string(jread_member(j, "mountPath"));

	if (name == NULL || strncmp(name, "kube-api-access-", 16) != 0)
		return 0;
	if (path != NULL)
		return strcmp(path,
			   "/var/run/secrets/kubernetes.io/"
			   "serviceaccount") == 0;
	return jread_member(j, "projected") != NULL;
}
