/* SPDX-License-Identifier: ISC */
/*
 * fields.c: walks a Pod's spec along the table of fields.
 *
 * Owns the refusal of what is not translated, by its path: nothing that a
 * person asked for is dropped without a word.  Never translates.
 */
#include "placer/fields.h"

#include <stdarg.h>
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

/* One walk; why is that of the first refusal, with the others behind it. */
struct check {
	unsigned int leave;
	struct why *why;
	unsigned int refused;
	unsigned int unsaid; /* of those, for lack of room */
};

const struct field *
fields_table(size_t *n)
{
	*n = COUNT(table);
	return table;
}

/* The row of this very path; *inside: some row is below it. */
static const struct field *
find_row(const char *pattern, bool *inside)
{
	size_t i, len = strlen(pattern);

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

/* Init containers have few rows of their own: the others are containers'. */
static const struct field *
find(const char *pattern, bool *inside)
{
	static const char init[] = "spec.initContainers",
			  plain[] = "spec.containers";
	const struct field *f;
	char as[sizeof(((struct place *)0)->pattern)];

	*inside = false;
	f = find_row(pattern, inside);
	if (f != NULL || strncmp(pattern, init, sizeof(init) - 1) != 0)
		return f;
	(void)snprintf(as, sizeof(as), "%s%s", plain,
	    pattern + sizeof(init) - 1);
	return find_row(as, inside);
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

static void refuse(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
refuse(struct check *c, const char *fmt, ...)
{
	char text[2 * MAX_TEXT];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->refused++ == 0) {
		(void)fail(c->why, ERR_DENIED, "%s", text);
		return;
	}
	len = strlen(c->why->text);
	/* the number of the others must still fit */
	if (c->unsaid > 0 ||
	    len + strlen(text) + sizeof("; ; and 9999 others") >
		sizeof(c->why->text))
		c->unsaid++;
	else
		(void)snprintf(c->why->text + len, sizeof(c->why->text) - len,
		    "; %s", text);
}

static void
tell_unsaid(struct check *c)
{
	size_t len = strlen(c->why->text);

	if (c->unsaid > 0 && len < sizeof(c->why->text) - 20)
		(void)snprintf(c->why->text + len, sizeof(c->why->text) - len,
		    "; and %u others", c->unsaid);
}

/* What gives leave, as an operator or a user can do it. */
static const struct {
	unsigned int leave;
	const char *by;
} leaves[] = {
	[HOST] = { LEAVE_HOST, "the setting ALLOW_PRIVILEGED=yes" },
	[SECRET] = { LEAVE_SECRET, "the setting SECRETS=inline" },
	[STARTED] = { LEAVE_STARTED,
	    "the annotation " FIELDS_READINESS ": started" },
};

static void
judge(const struct field *f, const char *path, struct json_object *j,
    struct check *c)
{
	const char *value = json_object_get_string(j);

	if (f->verdict == REFUSED)
		refuse(c, "%s: not supported: %s", path, f->text);
	else if (f->verdict >= HOST) {
		if ((c->leave & leaves[f->verdict].leave) != 0 ||
		    (f->values != NULL && is_among(f->values, value)))
			return;
		if (f->values == NULL)
			refuse(c, "%s: only with %s", path,
			    leaves[f->verdict].by);
		else
			refuse(c, "%s: \"%.64s\" only with %s", path, value,
			    leaves[f->verdict].by);
	} else if (f->values != NULL && !is_among(f->values, value))
		refuse(c, "%s: \"%.64s\" is not supported, only %s", path,
		    value, f->values);
}

static int
below(const struct place *at, struct place *to, const char *pattern,
    const char *path, struct check *c)
{
	if (snprintf(to->pattern, sizeof(to->pattern), "%s%s", at->pattern,
		pattern) < (int)sizeof(to->pattern) &&
	    snprintf(to->path, sizeof(to->path), "%s%s", at->path, path) <
		(int)sizeof(to->path))
		return 1;
	refuse(c, "%s: not known", at->path);
	return 0;
}

static void walk(const struct place *, struct json_object *, struct check *);

static void
walk_object(const struct place *at, struct json_object *j, struct check *c)
{
	struct json_object *v;
	struct lh_entry *e = NULL;
	struct place to;
	const char *key;
	char name[128];

	while (jread_next(j, &e, &key, &v)) {
		(void)snprintf(name, sizeof(name), ".%.120s", key);
		if (below(at, &to, name, name, c))
			walk(&to, v, c);
	}
}

static void
walk_array(const struct place *at, struct json_object *j, struct check *c)
{
	struct place to;
	char index[32];
	size_t i;

	for (i = 0; i < jread_count(j); i++) {
		if (fields_is_token_volume(jread_item(j, i)))
			continue;
		(void)snprintf(index, sizeof(index), "[%zu]", i);
		if (below(at, &to, "[]", index, c))
			walk(&to, jread_item(j, i), c);
	}
}

/* Depth is bounded: below() refuses what is deeper than the table. */
static void
walk(const struct place *at, struct json_object *j, struct check *c)
{
	const struct field *f;
	bool inside;

	if (is_absent(j))
		return;
	if ((f = find(at->pattern, &inside)) != NULL)
		judge(f, at->path, j, c);
	else if (inside && json_object_is_type(j, json_type_object))
		walk_object(at, j, c);
	else if (inside && json_object_is_type(j, json_type_array))
		walk_array(at, j, c);
	else
		refuse(c, "%s: not known", at->path);
}

int
fields_check(struct json_object *spec, unsigned int leave, struct why *why)
{
	const struct place root = { "spec", "spec" };
	struct why local = { 0 };
	struct check c = { .leave = leave, .why = why == NULL ? &local : why };

	walk(&root, spec, &c);
	tell_unsaid(&c);
	return c.refused == 0 ? 0 : -1;
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
