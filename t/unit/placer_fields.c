/* SPDX-License-Identifier: ISC */
/*
 * The table of fields holds for every pod: each row is what the walk does, no
 * field is dropped without a word, and the manual page has the same rows.
 */
#include "placer/fields.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/xmem.h"

#define PAGE "man/vk-flightctl-pod.7"

/*
 * {"a":{"b":[{"c":LEAF}]}} of "a.b[].c", from its end; the path as people
 * read it is in *path.
 */
static char *
nest(const char *pattern, const char *leaf, char **path)
{
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *below = NULL;
	const char *dot = strchr(pattern, '.');
	size_t n = dot == NULL ? strlen(pattern) : (size_t)(dot - pattern);
	int array = n > 2 && pattern[n - 1] == ']';
	char *rest = NULL, *text;

	name = xstrndup(pattern, array ? n - 2 : n);
	below = dot == NULL ? xstrdup(leaf) : nest(dot + 1, leaf, &rest);
	*path = xasprintf("%s%s%s%s", name, array ? "[0]" : "",
	    rest == NULL ? "" : ".", rest == NULL ? "" : rest);
	text = xasprintf("{\"%s\":%s%s%s}", name, array ? "[" : "", below,
	    array ? "]" : "");
	free(rest);
	return text;
}

/* What fields_check says of a spec with nothing but this field. */
static int
check(const char *pattern, const char *leaf, char **path, struct why *why)
{
	AUTO_FREE char *text = nest(pattern, leaf, path);
	AUTO_JSON struct json_object *root = jread_parse(span_of(text), why);

	cr_assert_not_null(root, "%s: %s", text, why->text);
	return fields_check(jread_member(root, "spec"), why);
}

static void
refused(const char *pattern, const char *leaf)
{
	AUTO_FREE char *path = NULL;
	struct why why = { 0 };

	cr_expect_eq(check(pattern, leaf, &path, &why), -1, "%s", pattern);
	cr_expect_eq(why.kind, ERR_DENIED, "%s", pattern);
	cr_expect_eq(strncmp(why.text, path, strlen(path)), 0,
	    "%s: not said by its path: %s", path, why.text);
	cr_expect_eq(why.text[strlen(path)], ':', "%s", why.text);
}

static void
taken(const char *pattern, const char *leaf)
{
	AUTO_FREE char *path = NULL;
	struct why why = { 0 };

	cr_expect_eq(check(pattern, leaf, &path, &why), 0, "%s: %s", pattern,
	    why.text);
}

static void
try_values(const struct field *f)
{
	AUTO_FREE char *all = xstrdup(f->values);
	AUTO_FREE char *leaf = NULL;
	char *next = all, *value;

	while ((value = strsep(&next, "|")) != NULL) {
		int bare =
		    strcmp(value, "true") == 0 || strcmp(value, "false") == 0;

		free(leaf);
		leaf = xasprintf(bare ? "%s" : "\"%s\"", value);
		taken(f->path, leaf);
	}
	refused(f->path, "\"something else\"");
	if (strcmp(f->values, "false") == 0)
		refused(f->path, "true");
}

Test(fields, each_row_is_what_happens)
{
	const struct field *rows;
	size_t i, n;

	rows = fields_table(&n);
	cr_assert_gt(n, 90);
	for (i = 0; i < n; i++) {
		if (rows[i].verdict == REFUSED) {
			refused(rows[i].path, "{\"x\":1}");
			refused(rows[i].path, "7");
			cr_expect_neq(*rows[i].text, '\0', "%s: no reason",
			    rows[i].path);
		} else if (rows[i].values != NULL) {
			try_values(&rows[i]);
		} else {
			taken(rows[i].path, "7");
		}
		/* What is empty was not asked for. */
		taken(rows[i].path, "null");
		taken(rows[i].path, "[]");
		taken(rows[i].path, "{}");
	}
}

Test(fields, a_field_below_or_beside_the_table_is_refused)
{
	static const char *const unknown[] = {
		"spec.frobnicate",
		"spec.container",
		"spec.containers[].frobnicate",
		"spec.containers[].resources.limits.ephemeral-storage",
		"spec.containers[].ports[].hostname",
		"spec.volumes[].configMap.frobnicate",
		"spec.os.version",
		"spec.affinity.frobnicate",
	};
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		refused(unknown[i], "7");
		refused(unknown[i], "{\"a\":{\"b\":[1]}}");
	}
}

Test(fields, rows_are_in_order_and_none_hides_another)
{
	const struct field *rows;
	size_t i, k, n;

	rows = fields_table(&n);
	for (i = 1; i < n; i++)
		cr_expect_lt(strcmp(rows[i - 1].path, rows[i].path), 0,
		    "%s is out of order", rows[i].path);
	for (i = 0; i < n; i++)
		for (k = 0; k < n; k++)
			cr_expect(i == k ||
				strncmp(rows[k].path, rows[i].path,
				    strlen(rows[i].path)) != 0 ||
				strchr(".[",
				    rows[k].path[strlen(rows[i].path)]) == NULL,
			    "%s is below %s", rows[k].path, rows[i].path);
}

Test(fields, a_service_accounts_token_is_left_out_and_nothing_like_it)
{
	static const struct {
		const char *spec;
		int verdict;
	} cases[] = {
		{ "{\"volumes\":[{\"name\":\"kube-api-access-x\",\"projected\":"
		  "{\"sources\":[{}]}}]}",
		    0 },
		{ "{\"volumes\":[{\"name\":\"kube-api-access-x\",\"hostPath\":"
		  "{\"path\":\"/\"}}]}",
		    -1 },
		{ "{\"volumes\":[{\"name\":\"mine\",\"projected\":"
		  "{\"sources\":[{}]}}]}",
		    -1 },
		{ "{\"containers\":[{\"volumeMounts\":[{\"name\":"
		  "\"kube-api-access-x\",\"mountPath\":\"/var/run/secrets/"
		  "kubernetes.io/serviceaccount\",\"subPath\":\"x\"}]}]}",
		    0 },
		{ "{\"containers\":[{\"volumeMounts\":[{\"name\":"
		  "\"kube-api-access-x\",\"mountPath\":\"/\",\"subPath\":"
		  "\"x\"}]}]}",
		    -1 },
	};
	struct json_object *spec;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spec = jread_parse(span_of(cases[i].spec), NULL);
		cr_assert_not_null(spec);
		cr_expect_eq(fields_check(spec, NULL), cases[i].verdict, "%s",
		    cases[i].spec);
		json_object_put(spec);
	}
}

/* One row as the page has it. */
static char *
printed(const struct field *f)
{
	static const char *const words[] = { [HONOURED] = "honoured",
		[HONOURED_SO] = "honoured so",
		[IGNORED] = "ignored",
		[REFUSED] = "refused" };
	AUTO_FREE char *only = NULL;

	if (f->values != NULL)
		only = xasprintf("; only %s", f->values);
	return xasprintf(".It Li %s\n%s%s%s%s.\n", f->path, words[f->verdict],
	    only == NULL ? "" : only, *f->text == '\0' ? "" : ": ", f->text);
}

Test(fields, the_manual_page_has_the_same_rows)
{
	AUTO_FREE char *page = xcalloc(1, 1 << 20);
	const struct field *rows;
	FILE *f = fopen(PAGE, "r");
	char *at, *row;
	size_t i, n;

	cr_assert_not_null(f, PAGE);
	cr_assert_lt(fread(page, 1, (1 << 20) - 1, f), (1 << 20) - 1);
	fclose(f);
	rows = fields_table(&n);
	at = strstr(page, ".\\\" fields.def\n");
	cr_assert_not_null(at);
	at = strchr(at, '\n') + 1;
	for (i = 0; i < n; i++) {
		row = printed(&rows[i]);
		cr_assert_eq(strncmp(at, row, strlen(row)), 0,
		    PAGE " has not, where it should be:\n%s", row);
		at += strlen(row);
		free(row);
	}
	cr_assert_eq(strncmp(at, ".El\n", 4), 0, "rows too many: %.80s", at);
}
