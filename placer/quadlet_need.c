/* SPDX-License-Identifier: ISC */
/*
 * quadlet_need.c: which ConfigMaps and Secrets a Pod's translation wants.
 *
 * Owns the list of places where a Pod names one; kubeside has its own
 * (kubeside/refs.c) and gives no others.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/fields.h"
#include "placer/quadlet_own.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	MAX_NEEDS = 64
};

/* A member of this name, with the name of the object in it. */
static const struct {
	const char *member, *name;
	uint8_t secret;
} places[] = {
	{ "configMap", "name", 0 },	  /* volumes, projected */
	{ "secret", "secretName", 1 },	  /* volumes */
	{ "secret", "name", 1 },	  /* projected */
	{ "configMapRef", "name", 0 },	  /* envFrom */
	{ "secretRef", "name", 1 },	  /* envFrom */
	{ "configMapKeyRef", "name", 0 }, /* env */
	{ "secretKeyRef", "name", 1 },	  /* env */
};

/* One place that names an object. */
struct place {
	const char *name;
	const char *volume; /* NULL: a container's variables */
	uint8_t secret, optional;
};

static char *
copy(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

/* Who needs it says more than who would like it. */
static void
need_more(struct quadlet_need *n, const struct place *p)
{
	if (p->optional || !n->optional)
		return;
	n->optional = 0;
	free(n->volume);
	n->volume = copy(p->volume);
}

static int
need(struct quadlet_needs *needs, const struct place *p, struct why *why)
{
	struct quadlet_need *n;
	size_t i;

	for (i = 0; i < needs->n; i++) {
		n = &needs->list[i];
		if (n->secret == p->secret && strcmp(n->name, p->name) == 0) {
			need_more(n, p);
			return 0;
		}
	}
	if (needs->n == MAX_NEEDS)
		return fail(why, ERR_LIMIT,
		    "spec: more than %d ConfigMaps and Secrets", MAX_NEEDS);
	needs->list =
	    xreallocarray(needs->list, needs->n + 1, sizeof(*needs->list));
	needs->list[needs->n++] = (struct quadlet_need){ xstrdup(p->name),
		p->secret, p->optional, copy(p->volume) };
	return 0;
}

static int
look(struct quadlet_needs *needs, struct json_object *j, const char *volume,
    struct why *why)
{
	struct place p = { .volume = volume };
	struct json_object *ref;
	size_t i;

	for (i = 0; i < COUNT(places); i++) {
		ref = jread_member(j, places[i].member);
		p.name = jread_string(jread_member(ref, places[i].name));
		p.secret = places[i].secret;
		p.optional =
		    json_object_get_boolean(jread_member(ref, "optional")) != 0;
		if (p.name != NULL && need(needs, &p, why) == -1)
			return -1;
	}
	return 0;
}

static int
look_sources(struct quadlet_needs *needs, struct json_object *v,
    const char *volume, struct why *why)
{
	struct json_object *list =
	    jread_member(jread_member(v, "projected"), "sources");
	size_t i;

	for (i = 0; i < jread_count(list); i++)
		if (look(needs, jread_item(list, i), volume, why) == -1)
			return -1;
	return 0;
}

/* Of those that are mounted, as the kubelet. */
static int
look_volumes(struct quadlet_needs *needs, struct json_object *spec,
    struct why *why)
{
	struct json_object *volumes = jread_member(spec, "volumes"), *v;
	const char *name;
	size_t i;

	for (i = 0; i < jread_count(volumes); i++) {
		v = jread_item(volumes, i);
		if (fields_is_token_volume(v) || !quadlet_is_mounted(spec, v))
			continue;
		name = jread_string(jread_member(v, "name"));
		if (look(needs, v, name, why) == -1 ||
		    look_sources(needs, v, name, why) == -1)
			return -1;
	}
	return 0;
}

static int
look_containers(struct quadlet_needs *needs, struct json_object *list,
    struct why *why)
{
	struct json_object *from, *env;
	size_t i, k;

	for (i = 0; i < jread_count(list); i++) {
		from = jread_member(jread_item(list, i), "envFrom");
		for (k = 0; k < jread_count(from); k++)
			if (look(needs, jread_item(from, k), NULL, why) == -1)
				return -1;
		env = jread_member(jread_item(list, i), "env");
		for (k = 0; k < jread_count(env); k++)
			if (look(needs,
				jread_member(jread_item(env, k), "valueFrom"),
				NULL, why) == -1)
				return -1;
	}
	return 0;
}

static int
look_spec(struct quadlet_needs *needs, struct json_object *spec,
    struct why *why)
{
	if (look_volumes(needs, spec, why) == -1 ||
	    look_containers(needs, jread_member(spec, "initContainers"), why) ==
		-1)
		return -1;
	return look_containers(needs, jread_member(spec, "containers"), why);
}

int
quadlet_needs(struct span pod, struct quadlet_needs *needs, struct why *why)
{
	AUTO_JSON struct json_object *root = jread_parse(pod, why);

	*needs = (struct quadlet_needs){ 0 };
	if (root != NULL &&
	    look_spec(needs, jread_member(root, "spec"), why) == 0)
		return 0;
	quadlet_needs_clear(needs);
	return -1;
}

int
quadlet_uses_secrets(struct json_object *spec)
{
	struct quadlet_needs needs = { 0 };
	int uses = 0;
	size_t i;

	/* With too many it is refused, and has no translation. */
	(void)look_spec(&needs, spec, NULL);
	for (i = 0; i < needs.n; i++)
		uses |= needs.list[i].secret;
	quadlet_needs_clear(&needs);
	return uses;
}

void
quadlet_needs_clear(struct quadlet_needs *needs)
{
	while (needs->n > 0) {
		free(needs->list[--needs->n].volume);
		free(needs->list[needs->n].name);
	}
	free(needs->list);
	needs->list = NULL;
}
