/* SPDX-License-Identifier: ISC */
/*
 * The manual, the alerts and the dashboard speak of the metrics that there
 * are, with the labels that these have.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/manifest.h"

static const struct row {
	const char *name, *type, *labels, *help;
} rows[] = {
#define METRIC(name, type, labels, writer, help) { #name, #type, labels, help },
#include "placer/metrics.def"
#undef METRIC
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static char *
file(const char *path)
{
	AUTO_FREE char *from = child_source(path);
	char *text = it_file(from, NULL);

	cr_assert(text != NULL, "%s", path);
	return text;
}

static struct json_object *
rules(struct json_object **tree)
{
	AUTO_FREE char *path = child_source("deploy/prometheus/alerts.yaml");
	struct why why;

	*tree = manifest_read(path, &why);
	cr_assert(*tree != NULL, "%s", why.text);
	return js_get(*tree, "/0/groups/0/rules");
}

/* -- the manual -- */

static void
put_item(FILE *f, const struct row *r)
{
	const char *p;

	(void)fprintf(f, ".It Li %s\n%s; ", r->name, r->type);
	for (p = r->labels; *p != '\0'; p++)
		(void)fputs(*p == ' ' ? ", " : (char[]){ *p, '\0' }, f);
	(void)fprintf(f, "%s.\n%s\n", *r->labels == '\0' ? "no labels" : "",
	    r->help);
}

Test(deploy_metrics, the_manual_has_the_table)
{
	AUTO_FREE char *man = file("man/vk-flightctl-provider.8"), *list = NULL;
	size_t i, len;
	FILE *f = open_memstream(&list, &len);

	cr_assert(f != NULL);
	for (i = 0; i < ROWS; i++)
		put_item(f, &rows[i]);
	(void)fputs(".El\n", f);
	cr_assert(fclose(f) == 0);
	cr_expect(strstr(man, list) != NULL,
	    "METRICS is to have these lines:\n%s", list);
}

Test(deploy_metrics, the_manual_has_each_alert_in_order)
{
	AUTO_FREE char *man = file("man/vk-flightctl-provider.8");
	AUTO_JSON struct json_object *tree = NULL;
	struct json_object *all = rules(&tree);
	const char *at = strstr(man, "\n.Sh ALERTS\n"), *end;
	size_t i;

	cr_assert(at != NULL);
	end = strstr(at + 1, "\n.Sh ");
	for (i = 0; i < js_len(all, ""); i++) {
		AUTO_FREE char *item = xasprintf("\n.It Sy %s\n",
		    js_str(js_item(all, "", i), "/alert"));

		at = strstr(at, item);
		cr_assert(at != NULL && at < end, "%s", item);
	}
	cr_assert(i > 0);
	at = strstr(at + 1, "\n.It Sy ");
	cr_expect(at == NULL || at > end, "%.40s: no such alert", at);
}

/* -- queries -- */

/* PromQL of ours: names, labels in braces, by (...), on (...). */
static const struct row *
metric_of(const char *p, size_t len)
{
	static const char *const parts[] = { "", "_bucket", "_sum", "_count" };
	size_t i, k;

	for (i = 0; i < ROWS; i++)
		for (k = 0; k < 4; k++)
			if (len == strlen(rows[i].name) + strlen(parts[k]) &&
			    memcmp(p, rows[i].name, strlen(rows[i].name)) ==
				0 &&
			    memcmp(p + strlen(rows[i].name), parts[k],
				strlen(parts[k])) == 0 &&
			    (k == 0) ==
				(strcmp(rows[i].type, "gauge") == 0 ||
				    strcmp(rows[i].type, "counter") == 0) &&
			    (k != 1 || strcmp(rows[i].type, "histogram") == 0))
				return &rows[i];
	return NULL;
}

static int
has_label(const struct row *r, const char *p, size_t len)
{
	AUTO_FREE char *want = xasprintf(" %.*s ", (int)len, p);
	AUTO_FREE char *has = xasprintf(" %s instance job %s ", r->labels,
	    strcmp(r->type, "histogram") == 0 ? "le" : "");

	return strstr(has, want) != NULL;
}

static size_t
word_len(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* From the brace on; returns its end. */
static const char *
check_matchers(const char *p, const struct row *r, const char *query)
{
	size_t len;

	while (*p != '}' && *p != '\0') {
		len = word_len(++p);
		cr_expect(has_label(r, p, len), "%s has no %.*s: %s", r->name,
		    (int)len, p, query);
		p = strchr(p, '"') + 1;
		p = strchr(p, '"') + 1;
	}
	return p;
}

/* Labels that a whole query groups by are of each of its metrics. */
static void
check_groups(const char *query, const struct row *const *of, size_t n)
{
	const char *p;
	size_t len, i;

	for (p = query; (p = strpbrk(p, "bo")) != NULL; p++) {
		if ((strncmp(p, "by (", 4) && strncmp(p, "on (", 4)) ||
		    (p > query && p[-1] != ' ' && p[-1] != ')'))
			continue;
		for (p += 4; *p != ')'; p += strspn(p, ", ")) {
			len = word_len(p);
			for (i = 0; i < n; i++)
				cr_expect(has_label(of[i], p, len),
				    "%s has no %.*s: %s", of[i]->name, (int)len,
				    p, query);
			p += len;
		}
	}
}

static size_t
check_query(const char *query, uint8_t *seen)
{
	const struct row *of[8];
	const char *p = query;
	size_t len, n = 0;

	while ((p = strstr(p, "vk_flightctl_")) != NULL) {
		len = word_len(p);
		cr_assert(n < 8);
		of[n] = metric_of(p, len);
		cr_assert(of[n] != NULL, "%.*s: no such metric: %s", (int)len,
		    p, query);
		seen[of[n] - rows] = 1;
		p += len;
		if (*p == '{')
			p = check_matchers(p, of[n], query);
		n++;
	}
	check_groups(query, of, n);
	return n;
}

Test(deploy_metrics, alerts_ask_for_what_there_is)
{
	AUTO_JSON struct json_object *tree = NULL;
	struct json_object *all = rules(&tree), *rule;
	uint8_t seen[ROWS] = { 0 };
	size_t i;

	for (i = 0; (rule = js_item(all, "", i)) != NULL; i++) {
		AUTO_FREE char *says =
		    xasprintf("vk-flightctl-provider(8), ALERTS, %s",
			js_str(rule, "/alert"));

		cr_expect(check_query(js_str(rule, "/expr"), seen) > 0);
		cr_expect(*js_str(rule, "/annotations/summary") != '\0');
		cr_expect_str_eq(js_str(rule, "/annotations/description"),
		    says);
	}
	cr_expect(i > 20, "%zu", i);
}

Test(deploy_metrics, the_dashboard_asks_for_what_there_is_and_shows_all_of_it)
{
	AUTO_FREE char *text = file("deploy/grafana/dashboard.json");
	AUTO_JSON struct json_object *tree = js_make("%s", text);
	struct json_object *panel, *target;
	uint8_t seen[ROWS] = { 0 };
	size_t i, k;

	for (i = 0; (panel = js_item(tree, "/panels", i)) != NULL; i++) {
		for (k = 0; (target = js_item(panel, "/targets", k)) != NULL;
		     k++)
			cr_expect(check_query(js_str(target, "/expr"), seen) >
				0,
			    "%s", js_str(panel, "/title"));
		cr_expect(k > 0 || strcmp(js_str(panel, "/type"), "row") == 0);
	}
	for (i = 0; (target = js_item(tree, "/templating/list", i)) != NULL;
	     i++)
		if (strcmp(js_str(target, "/type"), "query") == 0)
			cr_expect(check_query(js_str(target, "/query/query"),
				      seen) > 0);
	for (i = 0; i < ROWS; i++)
		cr_expect(seen[i], "%s is on no panel", rows[i].name);
}
