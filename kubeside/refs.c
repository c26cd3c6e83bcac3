/* SPDX-License-Identifier: ISC */
/*
 * refs.c: which ConfigMaps and Secrets a pod may be given.
 *
 * Owns the list of places where a pod names one.  Pure; whether the object is
 * there is for the server to say.  Names of imagePullSecrets are not here: no
 * pod of ours is given those.
 */
#include "kubeside/refs.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/scan.h"
#include "common/xmem.h"

/* A member with that key holds a member with that name's key. */
static const struct {
	const char *key;
	const char *name;
	enum object_kind kind;
} places[] = {
	{ "configMap", "name", OBJECT_CONFIGMAP },    /* volumes, projected */
	{ "secret", "secretName", OBJECT_SECRET },    /* volumes */
	{ "secret", "name", OBJECT_SECRET },	      /* projected */
	{ "configMapRef", "name", OBJECT_CONFIGMAP }, /* envFrom */
	{ "secretRef", "name", OBJECT_SECRET },
	{ "configMapKeyRef", "name", OBJECT_CONFIGMAP }, /* env */
	{ "secretKeyRef", "name", OBJECT_SECRET },
};

static void
add(char **refs, enum object_kind kind, const char *name)
{
	size_t len = *refs == NULL ? 0 : strlen(*refs);
	size_t more = strlen(name) + sizeof("c/\n");

	if (refs_have(*refs, kind, name))
		return;
	*refs = xreallocarray(*refs, 1, len + more);
	(*refs)[len] = kind == OBJECT_CONFIGMAP ? 'c' : 's';
	(*refs)[len + 1] = '/';
	memcpy(*refs + len + 2, name, more - sizeof("c/\n"));
	memcpy(*refs + len + more - 2, "\n", 2);
}

static void
take(struct span key, struct span value, char **refs)
{
	char name[MAX_NAME + 1];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (scan_string_is(key, places[i].key) &&
		    scan_get_string(value, name, sizeof(name), places[i].name,
			NULL) == 1 &&
		    strchr(name, '\n') == NULL)
			add(refs, places[i].kind, name);
}

/* Depth is bounded by the scanner, which lets nothing deeper through. */
static void
walk(struct span value, int depth, char **refs)
{
	struct span key, inner;
	size_t at = 0;

	if (depth == MAX_JSON_DEPTH || value.len == 0)
		return;
	if (value.p[0] == '[')
		while (scan_next(value, &at, &inner) == 1)
			walk(inner, depth + 1, refs);
	if (value.p[0] == '{')
		while (scan_member(value, &at, &key, &inner) == 1) {
			take(key, inner, refs);
			walk(inner, depth + 1, refs);
		}
}

char *
refs_of(struct span pod)
{
	static const char *const parts[] = { "volumes", "containers",
		"initContainers" };
	struct span value;
	char *refs = NULL;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (scan_get(pod, &value, "spec", parts[i], NULL) == 1)
			walk(value, 0, &refs);
	return refs;
}

int
refs_have(const char *refs, enum object_kind kind, const char *name)
{
	char first = kind == OBJECT_CONFIGMAP ? 'c' : 's';
	size_t len = strlen(name);
	const char *end;

	for (; refs != NULL && *refs != '\0'; refs = end + 1) {
		if ((end = strchr(refs, '\n')) == NULL)
			return 0;
		if (refs[0] == first && (size_t)(end - refs) == len + 2 &&
		    memcmp(refs + 2, name, len) == 0)
			return 1;
	}
	return 0;
}
