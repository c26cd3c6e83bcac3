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
#include "golden.h"

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
check(const char *pattern, const char *leaf, unsigned int leave, char **path,
    struct why *why)
{
	AUTO_FREE char *text = nest(pattern, leaf, path);
	AUTO_JSON struct json_object *root = jread_parse(span_of(text), why);

	cr_assert_not_null(root, "%s: %s", text, why->text);
	return fields_check(jread_member(root, "spec"), leave, why);
}

static void
refused(const char *pattern, const char *leaf)
{
	AUTO_FREE char *path = NULL;
	struct why why = { 0 };

	cr_expect_eq(check(pattern, leaf, 0, &path, &why), -1, "%s", pattern);
	cr_expect_eq(why.kind, ERR_DENIED, "%s", pattern);
	cr_expect_eq(strncmp(why.text, path, strlen(path)), 0,
	    "%s: not said by its path: %s", path, why.text);
	cr_expect_eq(why.text[strlen(path)], ':', "%s", why.text);
}

static void
taken_with(const char *pattern, const char *leaf, unsigned int leave)
{
	AUTO_FREE char *path = NULL;
	struct why why = { 0 };

	cr_expect_eq(check(pattern, leaf, leave, &path, &why), 0, "%s: %s",
	    pattern, why.text);
}

static void
taken(const char *pattern, const char *leaf)
{
	taken_with(pattern, leaf, 0);
}

static const unsigned int leaves[] = { [HOST] = LEAVE_HOST,
	[SECRET] = LEAVE_SECRET,
	[STARTED] = LEAVE_STARTED };

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
	if (f->verdict >= HOST)
		taken_with(f->path, "\"something else\"", leaves[f->verdict]);
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
		} else if (rows[i].verdict >= HOST) {
			refused(rows[i].path, "7");
			taken_with(rows[i].path, "7", leaves[rows[i].verdict]);
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
		  "{\"sources\":[{\"podCertificate\":{\"x\":1}}]}}]}",
		    -1 },
		{ "{\"containers\":[{\"volumeMounts\":[{\"name\":"
		  "\"kube-api-access-x\",\"mountPath\":\"/var/run/secrets/"
		  "kubernetes.io/serviceaccount\",\"devicePath\":\"x\"}]}]}",
		    0 },
		{ "{\"containers\":[{\"volumeMounts\":[{\"name\":"
		  "\"kube-api-access-x\",\"mountPath\":\"/\",\"devicePath\":"
		  "\"x\"}]}]}",
		    -1 },
	};
	struct json_object *spec;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spec = jread_parse(span_of(cases[i].spec), NULL);
		cr_assert_not_null(spec);
		cr_expect_eq(fields_check(spec, 0, NULL), cases[i].verdict,
		    "%s", cases[i].spec);
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
		[REFUSED] = "refused",
		[HOST] = "the host's",
		[SECRET] = "a secret",
		[STARTED] = "taken as started" };
	AUTO_FREE char *only = NULL;

	if (f->values != NULL)
		only = xasprintf("; %sonly %s",
		    f->verdict >= HOST ? "without leave " : "", f->values);
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

#define FIELDS "podspec-fields.txt"

/* "spec.a" is or holds "spec.a", "spec.a.b", "spec.a[]". */
static int
holds(const char *row, const char *path)
{
	size_t len = strlen(row);

	return strncmp(row, path, len) == 0 &&
	    (path[len] == '\0' || path[len] == '.' || path[len] == '[');
}

/* A row for it or around it, or, of a map, for one of its keys. */
static int
is_covered(const char *path)
{
	const struct field *rows;
	size_t i, n;

	rows = fields_table(&n);
	for (i = 0; i < n; i++)
		if (holds(rows[i].path, path) || holds(path, rows[i].path))
			return 1;
	return 0;
}

/* The apiserver's own list (t/it/pod_fields.c compares it with a real one). */
Test(fields, no_field_of_the_server_is_forgotten_and_none_invented)
{
	static const char init[] = "spec.initContainers[]",
			  plain[] = "spec.containers[]";
	AUTO_FREE char *list = golden_read("kubernetes", FIELDS);
	AUTO_FREE char *all = NULL;
	const struct field *rows;
	char *next = list, *path;
	size_t i, n, paths = 0;

	cr_assert_not_null(list, FIELDS);
	all = xstrdup(list);
	while ((path = strsep(&next, "\n")) != NULL) {
		AUTO_FREE char *as = NULL;

		if (*path == '#' || *path == '\0')
			continue;
		paths++;
		if (strncmp(path, init, strlen(init)) == 0)
			as = xasprintf("%s%s", plain, path + strlen(init));
		cr_expect(is_covered(as != NULL ? as : path), "%s", path);
	}
	cr_expect_gt(paths, 700);
	rows = fields_table(&n);
	for (i = 0; i < n; i++) {
		AUTO_FREE char *line = xasprintf("\n%s", rows[i].path);
		char *key = strrchr(line, '.');

		if (strstr(all, line) == NULL)
			*key = '\0'; /* of a map */
		cr_expect_not_null(strstr(all, line), "%s", rows[i].path);
	}
}

Test(fields, all_that_is_refused_is_said_at_once)
{
	static const char text[] =
	    "{\"hostPID\":true,\"containers\":[{\"readinessProbe\":{\"x\":1},"
	    "\"frob\":1}],\"initContainers\":[{\"volumeDevices\":[1]}]}";
	struct json_object *spec = jread_parse(span_of(text), NULL);
	struct why why = { 0 };

	cr_assert_eq(fields_check(spec, 0, &why), -1);
	cr_expect_str_eq(why.text,
	    "spec.hostPID: \"true\" only with the setting "
	    "ALLOW_PRIVILEGED=yes; spec.containers[0].readinessProbe: only "
	    "with the annotation vk.flightctl.io/readiness: started; "
	    "spec.containers[0].frob: not known; "
	    "spec.initContainers[0].volumeDevices: not supported: no block "
	    "devices");
	cr_assert_eq(fields_check(spec, LEAVE_HOST | LEAVE_STARTED, &why), -1);
	cr_expect_str_eq(why.text,
	    "spec.containers[0].frob: not known; "
	    "spec.initContainers[0].volumeDevices: not supported: no block "
	    "devices");
	json_object_put(spec);
}

/* Of more than a message holds the number is said. */
Test(fields, what_has_no_room_is_counted)
{
	AUTO_JSON struct json_object *spec = jmake_object();
	struct why why = { 0 };
	char name[32];
	int i;

	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "unknown%d", i);
		jmake_int(spec, name, 1);
	}
	cr_assert_eq(fields_check(spec, 0, &why), -1);
	cr_expect_eq(strncmp(why.text, "spec.unknown0: not known; ", 26), 0);
	cr_expect_not_null(strstr(why.text, "; and "));
	cr_expect_str_eq(why.text + strlen(why.text) - 7, " others");
}
