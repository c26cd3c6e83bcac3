/* SPDX-License-Identifier: ISC */
/*
 * quadlet_env.c: the environment of one container.
 *
 * Owns env and envFrom: which variables there are, in which order one may use
 * another.  What a ConfigMap or Secret holds is resolved here, once, as the
 * kubelet does when it starts a container.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/base64.h"
#include "common/xmem.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
/* Is nowhere refused. */
#define YET_UNKNOWN "x"

static bool
is_env_name(const char *s)
{
	return *s != '\0' &&
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_.-")] == '\0';
}

/* Takes name (NULL: it is the pod's own, named) and value. */
static int
add_var(struct work *w, char *made, const char *name, char *value)
{
	size_t n = w->nvars;

	w->vars = xreallocarray(w->vars, n + 1, sizeof(*w->vars));
	w->var_names = xreallocarray(w->var_names, n + 1, sizeof(char *));
	w->vars[n].name = made != NULL ? made : name;
	w->vars[n].value = value;
	w->var_names[n] = made;
	w->nvars++;
	if (is_env_name(w->vars[n].name))
		return 0;
	return fail(w->app->why, ERR_DENIED,
	    "%s.env: \"%.64s\": not of letters, digits, _ . -", w->at,
	    w->vars[n].name);
}

/* What a value of a Secret is as text; NULL: it is none. */
static char *
decoded(const char *base64)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if ((text = base64_decode(base64, &len)) == NULL || strlen(text) != len)
		return NULL;
	return steal(&text);
}

static char *
map_text(struct json_object *value, int secret)
{
	const char *s = jread_string(value);

	if (s == NULL)
		return NULL;
	return secret ? decoded(s) : xstrdup(s);
}

/* -- envFrom -- */

static const struct {
	const char *member, *kind;
	int secret;
} sources[] = {
	{ "configMapRef", "ConfigMap", 0 },
	{ "secretRef", "Secret", 1 },
};

static int
add_all(struct work *w, struct json_object *map, size_t source,
    const char *prefix)
{
	struct json_object *value;
	struct lh_entry *e = NULL;
	const char *key;
	char *text;

	map = jread_member(map, "data");
	while (jread_next(map, &e, &key, &value)) {
		if ((text = map_text(value, sources[source].secret)) == NULL)
			return fail(w->app->why, ERR_DENIED,
			    "%s.envFrom: key \"%.100s\" of a %s is no text",
			    w->at, key, sources[source].kind);
		if (add_var(w, xasprintf("%s%s", prefix, key), NULL, text) ==
		    -1)
			return -1;
	}
	return 0;
}

static int
from_source(struct work *w, struct json_object *item, size_t source)
{
	struct json_object *ref = jread_member(item, sources[source].member);
	const char *name = jread_string(jread_member(ref, "name"));
	const char *prefix = jread_string(jread_member(item, "prefix"));
	struct json_object *map;

	if (ref == NULL || name == NULL || w->app->dry)
		return 0;
	if (quadlet_map(w->app, name, sources[source].secret, &map) == -1)
		return -1;
	if (map != NULL)
		return add_all(w, map, source, prefix == NULL ? "" : prefix);
	if (json_object_get_boolean(jread_member(ref, "optional")))
		return 0;
	return fail(w->app->why, ERR_AGAIN,
	    "%s.envFrom: %s \"%.200s\" is not there", w->at,
	    sources[source].kind, name);
}

static int
read_env_from(struct work *w)
{
	struct json_object *list = jread_member(w->json, "envFrom"), *item;
	size_t i, k;

	for (i = 0; i < jread_count(list); i++) {
		item = jread_item(list, i);
		for (k = 0; k < COUNT(sources); k++)
			if (from_source(w, item, k) == -1)
				return -1;
	}
	return 0;
}

/* -- env -- */

/* *text NULL: absent, and it may be. */
static int
value_of_key(struct work *w, struct json_object *ref, int secret, size_t i,
    char **text)
{
	const char *name = jread_string(jread_member(ref, "name"));
	const char *key = jread_string(jread_member(ref, "key"));
	const bool optional =
	    json_object_get_boolean(jread_member(ref, "optional"));
	struct json_object *map, *value;

	/* What may be absent is judged when it is there. */
	if (w->app->dry) {
		*text = optional ? NULL : xstrdup(YET_UNKNOWN);
		return 0;
	}
	if (name == NULL || key == NULL)
		return fail(w->app->why, ERR_FORMAT,
		    "%s.env[%zu].valueFrom: no name or no key", w->at, i);
	if (quadlet_map(w->app, name, secret, &map) == -1)
		return -1;
	value = jread_member(jread_member(map, "data"), key);
	if (value == NULL) {
		if (optional)
			return 0;
		return fail(w->app->why, ERR_AGAIN,
		    "%s.env[%zu]: %s \"%.200s\" has no key \"%.200s\"", w->at,
		    i, secret ? "Secret" : "ConfigMap", name, key);
	}
	if ((*text = map_text(value, secret)) == NULL)
		return fail(w->app->why, ERR_DENIED,
		    "%s.env[%zu]: key \"%.100s\" of %s \"%.200s\" is no text",
		    w->at, i, key, secret ? "Secret" : "ConfigMap", name);
	return 0;
}

static int
value_from(struct work *w, struct json_object *from, size_t i, char **text)
{
	struct json_object *ref;
	struct why inner;

	if ((ref = jread_member(from, "configMapKeyRef")) != NULL)
		return value_of_key(w, ref, 0, i, text);
	if ((ref = jread_member(from, "secretKeyRef")) != NULL)
		return value_of_key(w, ref, 1, i, text);
	if ((ref = jread_member(from, "fieldRef")) != NULL)
		*text = quadlet_field(w->app, ref, 0, &inner);
	else if ((ref = jread_member(from, "resourceFieldRef")) != NULL)
		*text = quadlet_resource(w->app, ref, w->json, &inner);
	else
		fail(&inner, ERR_FORMAT, "no source that is known");
	if (*text != NULL)
		return 0;
	return fail(w->app->why, inner.kind, "%s.env[%zu].valueFrom: %s", w->at,
	    i, inner.text);
}

static int
read_var(struct work *w, struct json_object *item, size_t i)
{
	struct json_object *value = jread_member(item, "value");
	struct json_object *from = jread_member(item, "valueFrom");
	const char *name = jread_string(jread_member(item, "name"));
	const char *text = value == NULL ? "" : jread_string(value);
	struct why inner;
	char *made = NULL;

	if (name == NULL || text == NULL)
		return fail(w->app->why, ERR_FORMAT,
		    "%s.env[%zu]: not a name and a text", w->at, i);
	if (from != NULL) {
		if (value_from(w, from, i, &made) == -1)
			return -1;
		return made == NULL ? 0 : add_var(w, NULL, name, made);
	}
	made = quadlet_expand(w, text, &inner);
	return made == NULL ? quadlet_at(w, "env", &inner) :
			      add_var(w, NULL, name, made);
}

char *
quadlet_expand(const struct work *w, const char *s, struct why *why)
{
	return expand(s, w->vars, w->nvars, w->app->dry ? YET_UNKNOWN : NULL,
	    MAX_APPLICATION, why);
}

/* The variables of envFrom come first; each value may use those before it. */
int
quadlet_env(struct work *w)
{
	struct json_object *list = jread_member(w->json, "env");
	size_t i;

	if (read_env_from(w) == -1)
		return -1;
	for (i = 0; i < jread_count(list); i++)
		if (read_var(w, jread_item(list, i), i) == -1)
			return -1;
	return 0;
}

/* Whether one of that name comes later, which is the one that counts. */
static bool
is_shadowed(const struct work *w, size_t i)
{
	size_t k;

	for (k = i + 1; k < w->nvars; k++)
		if (strcmp(w->vars[k].name, w->vars[i].name) == 0)
			return true;
	return false;
}

/* podman makes a newline of a carriage return and a newline in --env. */
static int
check_value(const struct work *w, const struct expand_var *v)
{
	if (strstr(v->value, "\r\n") == NULL)
		return 0;
	return fail(w->app->why, ERR_DENIED,
	    "%s.env: \"%.64s\": a carriage return before a newline does not "
	    "reach the container",
	    w->at, v->name);
}

int
quadlet_put_env(struct work *w)
{
	AUTO_FREE char *word = NULL;
	struct why inner;
	size_t i;

	for (i = 0; i < w->nvars; i++) {
		if (is_shadowed(w, i))
			continue;
		if (check_value(w, &w->vars[i]) == -1)
			return -1;
		free(word);
		word = xasprintf("%s=%s", w->vars[i].name, w->vars[i].value);
		if (unitfile_words(&w->f, "Environment",
			(const char *const *)&word, 1, &inner) == -1)
			return quadlet_at(w, "env", &inner);
	}
	return 0;
}
