/* SPDX-License-Identifier: ISC */
/*
 * pod_fields: the list of fields that fields.def is held against
 * (t/golden/kubernetes/podspec-fields.txt) is the real apiserver's own, from
 * its OpenAPI document; GOLDEN=write writes it anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/world.h"

#define LIST "t/golden/kubernetes/podspec-fields.txt"
#define HEAD                                                                \
	"# Every field of a PodSpec, core/v1 of Kubernetes 1.36, from its " \
	"OpenAPI document.\n"

enum {
	PATHS_MAX = 4096,
	PATH_MAX_BYTES = 400,
};

static struct {
	struct json_object *schemas;
	char *list[PATHS_MAX];
	size_t n;
} paths;

/* The schema that a "$ref", also within an "allOf", names; NULL: none. */
static struct json_object *
referred(struct json_object *schema)
{
	const char *ref = js_str(schema, "/$ref"), *name;
	struct json_object *to = NULL;

	if (*ref == '\0')
		ref = js_str(schema, "/allOf/0/$ref");
	if ((name = strrchr(ref, '/')) != NULL)
		json_object_object_get_ex(paths.schemas, name + 1, &to);
	return to;
}

/* Depth is bounded by the length of a path. */
static void
walk(const char *path, struct json_object *schema)
{
	struct json_object *to = referred(schema), *members, *v;
	struct lh_entry *e = NULL;
	const char *name;
	char below[PATH_MAX_BYTES];

	if (to != NULL)
		schema = to;
	members = js_get(schema, "/properties");
	if (strcmp(js_str(schema, "/type"), "array") == 0) {
		(void)snprintf(below, sizeof(below), "%s[]", path);
		walk(below, js_get(schema, "/items"));
		return;
	}
	if (members == NULL) {
		if (paths.n == PATHS_MAX)
			it_die("over %d fields", PATHS_MAX);
		paths.list[paths.n++] = xstrdup(path);
		return;
	}
	while (js_next(members, &e, &name, &v)) {
		if (snprintf(below, sizeof(below), "%s.%s", path, name) >=
		    (int)sizeof(below))
			it_die("%s.%s: too long", path, name);
		walk(below, v);
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As the file has it; caller frees. */
static char *
listed(void)
{
	char *text = xstrdup(HEAD), *more;
	size_t i;

	qsort(paths.list, paths.n, sizeof(paths.list[0]), by_text);
	for (i = 0; i < paths.n; i++) {
		more = xasprintf("%s%s\n", text, paths.list[i]);
		free(text);
		free(paths.list[i]);
		text = more;
	}
	return text;
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *document = NULL;
	struct json_object *spec;
	AUTO_FREE char *path = child_source(LIST);
	AUTO_FREE char *want = NULL, *have = NULL;
	size_t at = 0;
	FILE *f;

	if (world_kind() == WORLD_SIM) {
		it_skip("kubesim has no OpenAPI document");
		return;
	}
	world_open(&(struct world_conf){ .devices = 1 });
	document = kube_get("/openapi/v3/api/v1");
	paths.schemas = js_get(document, "/components/schemas");
	if (!json_object_object_get_ex(paths.schemas,
		"io.k8s.api.core.v1.PodSpec", &spec))
		it_die("the document has no PodSpec");
	walk("spec", spec);
	have = listed();
	if (getenv("GOLDEN") != NULL && (f = fopen(path, "w")) != NULL) {
		fputs(have, f);
		fclose(f);
	}
	if ((want = it_file(path, NULL)) == NULL)
		it_die("%s cannot be read", LIST);
	while (want[at] != '\0' && want[at] == have[at])
		at++;
	while (at > 0 && want[at - 1] != '\n')
		at--;
	it_ok(strcmp(want, have) == 0,
	    "%zu fields of a PodSpec are those of the list (%.60s)", paths.n,
	    strcmp(want, have) == 0 ? "all" : have + at);
}

int
main(void)
{
	return it_run("pod-fields", scenario);
}
