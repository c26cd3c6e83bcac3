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

static int
need(struct quadlet_needs *needs, const char *name, uint8_t secret,
    bool optional, struct why *why)
{
	struct quadlet_need *n;
	size_t i;

	for (i = 0; i < needs->n; i++) {
		n = &needs->list[i];
		if (n->secret == secret && strcmp(n->name, name) == 0) {
			n->optional &= optional;
			return 0;
		}
	}
	if (needs->n == MAX_NEEDS)
		return fail(why, ERR_LIMIT,
		    "spec: more than %d ConfigMaps and Secrets", MAX_NEEDS);
	needs->list =
	    xreallocarray(needs->list, needs->n + 1, sizeof(*needs->list));
	needs->list[needs->n++] =
	    (struct quadlet_need){ xstrdup(name), secret, optional };
	return 0;
}

static int
look(struct quadlet_needs *needs, struct json_object *j, struct why *why)
{
	struct json_object *ref;
	const char *name;
	size_t i;

	for (i = 0; i < COUNT(places); i++) {
		ref = jread_member(j, places[i].member);
		name = jread_string(jread_member(ref, places[i].name));
		if (name != NULL &&
		    need(needs, name, places[i].secret,
			json_object_get_boolean(jread_member(ref, "optional")),
			why) == -1)
			return -1;
	}
	return 0;
}

static int
look_each(struct quadlet_needs *needs, struct json_object *list,
    const char *below, struct why *why)
{
	struct json_object *j;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		j = jread_item(list, i);
		if (below != NULL)
			j = jread_member(j, below);
		if (look(needs, j, why) == -1)
			return -1;
	}
	return 0;
}

/* Of those that are mounted, as the kubelet. */
static int
look_volumes(struct quadlet_needs *needs, struct json_object *spec,
    struct why *why)
{
	struct json_object *volumes = jread_member(spec, "volumes"), *v;
	size_t i;

	for (i = 0; i < jread_count(volumes); i++) {
		v = jread_item(volumes, i);
		if (fields_is_token_volume(v) || !quadlet_is_mounted(spec, v))
			continue;
		if (look(needs, v, why) == -1 ||
		    look_each(needs,
			jread_member(jread_member(v, "projected"), "sources"),
			NULL, why) == -1)
			return -1;
	}
	return 0;
}

static int
look_containers(struct quadlet_needs *needs, struct json_object *list,
    struct why *why)
{
	struct json_object *c;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		c = jread_item(list, i);
		if (look_each(needs, jread_member(c, "envFrom"), NULL, why) ==
			-1 ||
		    look_each(needs, jread_member(c, "env"), "valueFrom",
			why) == -1)
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
	while (needs->n > 0)
		free(needs->list[--needs->n].name);
	free(needs->list);
	needs->list = NULL;
}
