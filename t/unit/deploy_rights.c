/* SPDX-License-Identifier: ISC */
/*
 * The rights of deploy/kubernetes, and all that repeats them: what kubesim
 * grants the provider, and the table of the manual.  (Whether these are the
 * calls that are made: t/it/rights.c, on a real apiserver.)
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/it/rbac.h"

#define MANUAL "man/vk-flightctl-provider.8"

enum {
	PROVIDER,
	AGENT
};

/* Of the namespace where scenarios run. */
static struct rights
of_manifests(void)
{
	static const char *const files[] = { "deploy/kubernetes/rbac.yaml",
		"deploy/kubernetes/configmaps.yaml",
		"deploy/kubernetes/secrets.yaml" };
	struct rights r = { 0 };
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		cr_assert(rbac_read(&r, files[i], "default", &why) == 0, "%s",
		    why.text);
	cr_assert(r.n > 0);
	return r;
}

/* One right for each verb, whose words stay until the end of the test. */
static void
add_verbs(struct rights *r, struct right one, const char *verbs)
{
	char *rest = xstrdup(verbs);

	while ((one.verb = strsep(&rest, " ")) != NULL)
		rbac_add(r, one);
}

static struct rights
of_simulator(void)
{
	static const struct {
		int role;
		struct right right; /* without the verb */
		const char *verbs;
	} rules[] = {
#define KUSER(...)
#define KRULE(role, group, resource, ns, name, verbs) \
	{ role, { group, resource, ns, name, "" }, verbs },
#include "t/sim/kuberole.def"
#undef KUSER
#undef KRULE
	};
	struct rights r = { 0 };
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].role == PROVIDER)
			add_verbs(&r, rules[i].right, rules[i].verbs);
	return r;
}

/* What --check asks about: each row as the manifest would say it. */
static struct rights
of_check(void)
{
#define NS_ALL ""
#define NS_BEATS "kube-node-lease"
#define NS_OURS "vk-flightctl"
#define NS_PODS "default"
#define NAME_ANY ""
#define NAME_NODE ""
#define NAME_SYSTEM "kube-system"
	static const struct {
		struct right right;
		const char *verbs;
	} rules[] = {
#define RIGHT(resource, group, where, name, when, verbs) \
	{ { group, resource, NS_##where, NAME_##name, "" }, verbs },
#include "kubeside/rights.def"
#undef RIGHT
	};
	struct rights r = { 0 };
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		add_verbs(&r, rules[i].right, rules[i].verbs);
	return r;
}

static int
has_text(const struct rights *r, const char *text)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		AUTO_FREE char *one = rbac_text(&r->v[i]);

		if (strcmp(one, text) == 0)
			return 1;
	}
	return 0;
}

/* What one has beyond the other. */
static void
has_no_more(const char *who, const struct rights *a, const struct rights *b)
{
	size_t i;

	cr_expect(a->n == b->n, "%s: %zu rights, not %zu", who, a->n, b->n);
	for (i = 0; i < a->n; i++) {
		AUTO_FREE char *text = rbac_text(&a->v[i]);

		cr_expect(has_text(b, text), "%s alone: %s", who, text);
	}
}

Test(deploy_rights, the_simulator_grants_the_same)
{
	struct rights manifest = of_manifests(), sim = of_simulator();

	has_no_more("manifest", &manifest, &sim);
	has_no_more("kuberole.def", &sim, &manifest);
	rbac_clear(&manifest);
	rbac_clear(&sim);
}

Test(deploy_rights, a_check_asks_for_the_same)
{
	struct rights manifest = of_manifests(), check = of_check();

	has_no_more("manifest", &manifest, &check);
	has_no_more("rights.def", &check, &manifest);
	rbac_clear(&manifest);
	rbac_clear(&check);
}

/* The third column of the manual, and what rbac_text() says. */
static const char *
limit_of(const char *where)
{
	static const char *const words[][2] = {
		{ "all", "" },
		{ "kube-system only", " kube-system" },
		{ "in kube-node-lease", " in kube-node-lease" },
		{ "in vk-flightctl", " in vk-flightctl" },
		{ "with configmaps.yaml", " in default" },
		{ "with secrets.yaml", " in default" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], where) == 0)
			return words[i][1];
	return where; /* which no right has */
}

/* A row of the manual; how many rights it names. */
static size_t
row_is_true(const struct rights *manifest, const char *line)
{
	char resource[64], verbs[64], where[64], *rest = verbs, *verb;
	size_t n = 0;

	cr_assert(sscanf(line, ".It %63s Ta %63[a-z ]Ta %63[^\n]", resource,
		      verbs, where) == 3,
	    "%s", line);
	while ((verb = strsep(&rest, " ")) != NULL && *verb != '\0') {
		AUTO_FREE char *text =
		    xasprintf("%s %s%s", verb, resource, limit_of(where));

		cr_expect(has_text(manifest, text), "manual alone: %s", text);
		n++;
	}
	return n;
}

Test(deploy_rights, the_manual_says_the_same)
{
	struct rights manifest = of_manifests();
	FILE *f = fopen(MANUAL, "re");
	char line[256];
	int within = 0;
	size_t n = 0;

	cr_assert(f != NULL, "run from the root of the tree");
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, ".It Sy Resource", 15) == 0)
			within = 1;
		else if (strncmp(line, ".El", 3) == 0)
			within = 0;
		else if (within)
			n += row_is_true(&manifest, line);
	}
	(void)fclose(f);
	cr_expect(n == manifest.n, "the manual has %zu rights, not %zu", n,
	    manifest.n);
	rbac_clear(&manifest);
}
