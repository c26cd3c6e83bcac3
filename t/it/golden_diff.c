/* SPDX-License-Identifier: ISC */
/*
 * golden_diff.c: the comparison of recorded and live answers.
 *
 * Owns the knowledge of which members vary from server to server.  Never
 * decides whether a difference matters: it tells each.
 */
#include "t/it/golden_diff.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

struct name {
	char *recorded, *live;
	int number; /* a resourceVersion */
	int firm;   /* of an object, not of a list */
};

struct golden_names {
	struct name *v;
	size_t n;
};

struct golden_names *
golden_names_new(void)
{
	return xcalloc(1, sizeof(struct golden_names));
}

void
golden_names_free(struct golden_names *names)
{
	size_t i;

	if (names == NULL)
		return;
	for (i = 0; i < names->n; i++) {
		free(names->v[i].recorded);
		free(names->v[i].live);
	}
	free(names->v);
	free(names);
}

static struct name *
find(const struct golden_names *names, const char *recorded)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (strcmp(names->v[i].recorded, recorded) == 0)
			return &names->v[i];
	return NULL;
}

static int
is_number(const char *s)
{
	return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0';
}

/* 1: live is what recorded is known as, from now on or since before. */
static int
learn(struct golden_names *names, const char *recorded, const char *live,
    int firm)
{
	struct name *known = find(names, recorded);

	if (known != NULL && (known->firm || !firm))
		return !known->firm || strcmp(known->live, live) == 0;
	if (known == NULL) {
		names->v =
		    xreallocarray(names->v, names->n + 1, sizeof(*names->v));
		known = &names->v[names->n++];
		*known = (struct name){ .recorded = xstrdup(recorded),
			.number = is_number(recorded) };
	}
	free(known->live);
	known->live = xstrdup(live);
	known->firm = firm;
	return 1;
}

/* --- translation --- */

static char *
translate_version(const struct golden_names *names, const char *text)
{
	const struct name *best = find(names, text);
	unsigned long v = strtoul(text, NULL, 10), r, most = 0;
	size_t i;

	if (best != NULL)
		return xstrdup(best->live);
	/* 0 and 1 mean something; so do versions of the far future. */
	if (v <= 1 || v > 1000000)
		return xstrdup(text);
	for (i = 0; i < names->n; i++) {
		r = strtoul(names->v[i].recorded, NULL, 10);
		if (names->v[i].number && r < v && r >= most) {
			most = r;
			best = &names->v[i];
		}
	}
	return xstrdup(best != NULL ? best->live : "1");
}

char *
golden_translate(const struct golden_names *names, const char *name,
    const char *text)
{
	const struct name *known;

	if (strcmp(name, "resourceVersion") == 0 && is_number(text))
		return translate_version(names, text);
	known = find(names, text);
	if (known == NULL || known->number)
		return xstrdup(text);
	return xstrdup(known->live);
}

static struct json_object *
translate(const struct golden_names *names, const char *name,
    struct json_object *o)
{
	struct json_object_iter it;
	struct json_object *out;
	size_t i;

	if (json_object_is_type(o, json_type_string)) {
		AUTO_FREE char *text =
		    golden_translate(names, name, json_object_get_string(o));

		return json_object_new_string(text);
	}
	if (json_object_is_type(o, json_type_array)) {
		out = json_object_new_array();
		for (i = 0; i < json_object_array_length(o); i++)
			json_object_array_add(out,
			    translate(names, name,
				json_object_array_get_idx(o, i)));
		return out;
	}
	if (!json_object_is_type(o, json_type_object))
		return json_object_get(o);
	out = json_object_new_object();
	json_object_object_foreachC(o, it) json_object_object_add(out, it.key,
	    translate(names, it.key, it.val));
	return out;
}

struct json_object *
golden_translate_tree(const struct golden_names *names, struct json_object *o)
{
	return translate(names, "", o);
}

/* --- comparison --- */

struct differ {
	struct golden_names *names;
	golden_found *found;
	void *arg;
};

static int
is_moment(const char *s)
{
	static const char shape[] = "0000-00-00T00:00:00";
	size_t i;

	for (i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)s[i]) :
				      s[i] != shape[i])
			return 0;
	return 1;
}

/* Members in which the server writes its own clock. */
static int
has_own_clock(const char *name)
{
	static const char *const names[] = { "creationTimestamp",
		"deletionTimestamp", "lastTransitionTime", "timeAdded" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return 0;
}

/*
 * A message as it can be compared: objects quoted in it left out, names
 * translated, numbers (versions) all alike.
 */
static char *
plain_message(const struct golden_names *names, const char *text)
{
	char *s = xstrdup(text), *p, *end, *to;
	size_t i;

	if ((p = strstr(s, "Invalid value: \"{")) != NULL &&
	    (end = strstr(p, "}\": ")) != NULL)
		memmove(p, end + 4, strlen(end + 4) + 1);
	for (i = 0; names != NULL && i < names->n; i++) {
		const struct name *n = &names->v[i];

		p = n->number || strlen(n->recorded) != strlen(n->live) ?
		    NULL :
		    strstr(s, n->recorded);
		for (; p != NULL; p = strstr(p + 1, n->recorded))
			memcpy(p, n->live, strlen(n->live));
	}
	for (p = to = s; *p != '\0'; p++)
		if (!isdigit((unsigned char)*p) || to == s || to[-1] != '#')
			*to++ = isdigit((unsigned char)*p) &&
				(p == s || !isalpha((unsigned char)p[-1])) ?
			    '#' :
			    *p;
	*to = '\0';
	return s;
}

static int
same_message(const struct differ *d, const char *recorded, const char *live)
{
	AUTO_FREE char *a = plain_message(d->names, recorded);
	AUTO_FREE char *b = plain_message(NULL, live);

	return strcmp(a, b) == 0;
}

static int
same_string(struct differ *d, const char *where, const char *name,
    const char *recorded, const char *live)
{
	const struct name *known;
	int of_list = strcmp(where, "/body/metadata/resourceVersion") == 0 ||
	    strstr(where, "/bookmark/") != NULL;

	if (strcmp(name, "resourceVersion") == 0 && is_number(recorded))
		return is_number(live) &&
		    learn(d->names, recorded, live, !of_list);
	if (strcmp(name, "continue") == 0)
		return learn(d->names, recorded, live, 1);
	if (strcmp(name, "uid") == 0)
		return strlen(live) == strlen(recorded) &&
		    learn(d->names, recorded, live, 1);
	if (strcmp(recorded, live) == 0)
		return 1;
	if (is_moment(recorded) && is_moment(live) && has_own_clock(name))
		return 1;
	if (strcmp(name, "message") == 0)
		return same_message(d, recorded, live);
	known = find(d->names, recorded);
	return known != NULL && strcmp(known->live, live) == 0;
}

static void diff(struct differ *, const char *where, const char *name,
    struct json_object *recorded, struct json_object *live);

static void
diff_arrays(struct differ *d, const char *where, const char *name,
    struct json_object *recorded, struct json_object *live)
{
	size_t n = json_object_array_length(recorded);
	size_t m = json_object_array_length(live), i;

	for (i = 0; i < n || i < m; i++) {
		AUTO_FREE char *at = xasprintf("%s/%zu", where, i);

		if (i >= m)
			d->found(at, "missing",
			    json_object_array_get_idx(recorded, i), NULL,
			    d->arg);
		else if (i >= n)
			d->found(at, "extra", NULL,
			    json_object_array_get_idx(live, i), d->arg);
		else
			diff(d, at, name,
			    json_object_array_get_idx(recorded, i),
			    json_object_array_get_idx(live, i));
	}
}

static void
diff_objects(struct differ *d, const char *where, struct json_object *recorded,
    struct json_object *live)
{
	struct json_object_iter it;
	struct json_object *other, *name;

	/* A name that the server made. */
	if (json_object_object_get_ex(recorded, "generateName", NULL) &&
	    json_object_object_get_ex(recorded, "name", &name) &&
	    json_object_object_get_ex(live, "name", &other))
		learn(d->names, json_object_get_string(name),
		    json_object_get_string(other), 1);
	json_object_object_foreachC(recorded, it)
	{
		AUTO_FREE char *at = xasprintf("%s/%s", where, it.key);

		if (json_object_object_get_ex(live, it.key, &other))
			diff(d, at, it.key, it.val, other);
		else
			d->found(at, "missing", it.val, NULL, d->arg);
	}
	json_object_object_foreachC(live, it)
	{
		AUTO_FREE char *at = xasprintf("%s/%s", where, it.key);

		if (!json_object_object_get_ex(recorded, it.key, NULL))
			d->found(at, "extra", NULL, it.val, d->arg);
	}
}

static void
diff(struct differ *d, const char *where, const char *name,
    struct json_object *recorded, struct json_object *live)
{
	enum json_type type = json_object_get_type(recorded);

	if (type != json_object_get_type(live))
		d->found(where, "type", recorded, live, d->arg);
	else if (type == json_type_array)
		diff_arrays(d, where, name, recorded, live);
	else if (type == json_type_object)
		diff_objects(d, where, recorded, live);
	else if (type == json_type_string ?
		!same_string(d, where, name, json_object_get_string(recorded),
		    json_object_get_string(live)) :
		!json_object_equal(recorded, live))
		d->found(where, "value", recorded, live, d->arg);
}

void
golden_diff(struct golden_names *names, struct json_object *recorded,
    struct json_object *live, golden_found *found, void *arg)
{
	struct differ d = { names, found, arg };

	diff(&d, "", "", recorded, live);
}
