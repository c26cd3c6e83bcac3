/* SPDX-License-Identifier: ISC */
/*
 * What must hold of every application we write, then examples of whole ones
 * (t/golden/quadlet: a Pod in NAME.json, its files in NAME.txt; run with
 * GOLDEN=write to write them anew and read the difference).
 */
#include "placer/quadlet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "placer/identity.h"

#define GOLDEN "t/golden/quadlet/"
#define APP "k8s-0123456789-default-web-de19433b"

static const char shop[] = "{\"kind\":\"ConfigMap\",\"data\":{\"app.conf\":"
			   "\"color = blue\\n100%\\n\",\"z\":\"\"},"
			   "\"binaryData\":{\"logo\":\"iVBORw0KGgo=\"}}";

static const struct quadlet_object objects[] = {
	{ (char[]){ "shop" }, { shop, sizeof(shop) - 1 } },
	{ (char[]){ "absent" }, { NULL, 0 } },
};

static int
render(struct span pod, uint32_t try, struct quadlet *q, struct why *why)
{
	const struct quadlet_in in = { .pod = pod, .app = APP,
		.cluster = "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11",
		.node = "vk-flightctl-a", .images = 0xff, .cpu_m = 250,
		.memory = 67108864, .try = try, .objects = objects,
		.nobjects = 2 };

	return quadlet_render(&in, q, why);
}

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	struct stat st;
	char *text;

	if (f == NULL)
		return xstrdup("");
	cr_assert_eq(fstat(fileno(f), &st), 0);
	text = xcalloc(1, (size_t)st.st_size + 1);
	cr_assert_eq(fread(text, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	return text;
}

/* The application as a person reads it. */
static void
print(FILE *out, const char *element)
{
	AUTO_JSON struct json_object *j = jread_parse(span_of(element), NULL);
	struct json_object *files = jread_member(j, "inline"), *f, *v;
	struct lh_entry *e;
	const char *key;
	size_t i;

	fprintf(out, "### %s\n", jread_string(jread_member(j, "name")));
	for (i = 0; i < jread_count(files); i++) {
		f = jread_item(files, i);
		for (e = NULL; jread_next(f, &e, &key, &v);)
			if (strcmp(key, "content") != 0)
				fprintf(out, "%s%s=%s", e == NULL ? "" : "# ",
				    key, json_object_get_string(v));
		fprintf(out, "\n%s", jread_string(jread_member(f, "content")));
	}
}

static char *
printed(const struct quadlet *q)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *out = open_memstream(&text, &len);

	print(out, q->application);
	for (i = 0; i < q->nconfigs; i++)
		print(out, q->configs[i]);
	fclose(out);
	return text;
}

static const char *const goldens[] = { "one", "all", "never", "on-failure",
	"long", "whole-configmap" };

static char *
golden_pod(size_t i)
{
	AUTO_FREE char *path = xasprintf(GOLDEN "%s.json", goldens[i]);

	return slurp(path);
}

Test(quadlet, goldens)
{
	struct quadlet q;
	struct why why;
	FILE *f;
	size_t i;

	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		AUTO_FREE char *pod = golden_pod(i);
		AUTO_FREE char *path =
		    xasprintf(GOLDEN "%s.txt", goldens[i]);
		AUTO_FREE char *want = slurp(path);
		AUTO_FREE char *have = NULL;

		cr_assert_eq(render(span_of(pod), 0, &q, &why), 0, "%s: %s",
		    goldens[i], why.text);
		have = printed(&q);
		if (getenv("GOLDEN") != NULL) {
			f = fopen(path, "w");
			cr_assert_not_null(f);
			fputs(have, f);
			fclose(f);
		} else {
			cr_expect_str_eq(have, want, "%s", path);
		}
		quadlet_clear(&q);
	}
}
