/* SPDX-License-Identifier: ISC */
/* What the placer may touch: pods that were seen, objects that they name. */
#include "kubeside/pods.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum {
	NODE = 1,
	OTHER = 2,
};

#define HERE "{\"nodeName\":\"n\"}"

static struct pods *pods;

static void
set_up(void)
{
	pods = pods_new();
}

static void
tear_down(void)
{
	pods_free(pods);
}

static struct span
pod_text(const char *name, const char *uid, const char *spec)
{
	static char text[4096];
	int n = snprintf(text, sizeof(text),
	    "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":"
	    "\"%s\"},\"spec\":%s}",
	    name, uid, spec);

	cr_assert(n > 0 && (size_t)n < sizeof(text));
	return span_of(text);
}

static void
see(unsigned int node, const char *name, const char *uid)
{
	cr_assert_eq(pods_see(pods, node, "n", pod_text(name, uid, HERE), NULL),
	    0);
}

static enum why_kind
find(unsigned int node, const char *name, const char *uid)
{
	struct why why = { 0 };
	const struct pod *pod = pods_find(pods, node, "ns", name, uid, &why);

	cr_expect_eq(pod == NULL, why.kind != ERR_NONE);
	return why.kind;
}

TestSuite(pods, .init = set_up, .fini = tear_down);

Test(pods, only_what_was_seen_there)
{
	cr_expect_eq(find(NODE, "a", "1"), ERR_AGAIN, "before any list");
	pods_list_begin(pods, NODE);
	see(NODE, "a", "1");
	cr_expect_eq(find(NODE, "a", "1"), ERR_NONE, "listed is seen");
	pods_list_end(pods, NODE);
	pods_list_begin(pods, OTHER);
	pods_list_end(pods, OTHER);
	cr_expect_eq(find(NODE, "a", "1"), ERR_NONE);
	cr_expect_eq(find(NODE, "b", "1"), ERR_DENIED, "another name");
	cr_expect_eq(find(NODE, "a", "2"), ERR_DENIED, "another uid");
	cr_expect_eq(find(OTHER, "a", "1"), ERR_DENIED, "another node");
}

Test(pods, a_list_drops_what_it_lacks_on_its_node_only)
{
	see(NODE, "a", "1");
	see(NODE, "b", "2");
	see(OTHER, "c", "3");
	pods_list_begin(pods, NODE);
	see(NODE, "b", "2");
	cr_expect_eq(find(NODE, "a", "1"), ERR_NONE, "not before its end");
	pods_list_end(pods, NODE);
	cr_expect_eq(find(NODE, "a", "1"), ERR_GONE);
	cr_expect_eq(find(NODE, "b", "2"), ERR_NONE);
	cr_expect_eq(find(OTHER, "c", "3"), ERR_NONE);
	/* A list that broke off counts for nothing. */
	pods_list_begin(pods, NODE);
	pods_list_begin(pods, NODE);
	see(NODE, "b", "2");
	pods_list_end(pods, NODE);
	cr_expect_eq(find(NODE, "b", "2"), ERR_NONE);
	cr_expect_eq(pods_count(pods), 2);
}

Test(pods, a_name_used_again_is_another_pod)
{
	see(NODE, "a", "1");
	see(NODE, "a", "2");
	pods_forget(pods, pod_text("a", "1", "{}"));
	cr_expect_eq(find(NODE, "a", "1"), ERR_GONE);
	cr_expect_eq(find(NODE, "a", "2"), ERR_NONE);
}

Test(pods, one_that_a_request_is_on_its_way_for_stays_until_its_end)
{
	struct pod *pod;

	see(NODE, "a", "1");
	pod = pods_by_uid(pods, "1");
	pod->writes = 2;
	pods_forget(pods, pod_text("a", "1", "{}"));
	cr_expect_eq(find(NODE, "a", "1"), ERR_GONE, "but no new ones");
	pods_settle(pods, pod);
	cr_expect_eq(pods_count(pods), 1);
	pods_settle(pods, pod);
	cr_expect_eq(pods_count(pods), 0);
}

/* The wall does not trust a selector that the server should have kept to. */
Test(pods, bound_to_another_node_is_not_seen)
{
	static const char *const specs[] = { "{}", "{\"nodeName\":\"m\"}",
		"{\"nodeName\":\"\"}", "{\"nodeName\":7}",
		"{\"nodeName\":\"nn\"}" };
	struct why why;
	size_t i;

	pods_list_begin(pods, NODE);
	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		cr_expect_eq(pods_see(pods, NODE, "n",
				 pod_text("a", "1", specs[i]), &why),
		    -1, "%s", specs[i]);
		cr_expect_eq(why.kind, ERR_DENIED);
	}
	pods_list_end(pods, NODE);
	cr_expect_eq(find(NODE, "a", "1"), ERR_DENIED);
	cr_expect_eq(pods_count(pods), 0);
}

Test(pods, bounded)
{
	char name[32];
	struct why why;
	int i;

	for (i = 0; i < MAX_PODS; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		see(NODE, name, name);
	}
	cr_expect_eq(pods_see(pods, NODE, "n", pod_text("x", "x", HERE), &why),
	    -1);
	cr_expect_eq(why.kind, ERR_LIMIT);
	see(NODE, "p1", "p1");
	cr_expect_eq(pods_see(pods, NODE, "n",
			 span_of("{\"metadata\":{\"name\":\"x\"}}"), &why),
	    -1);
	cr_expect_eq(why.kind, ERR_FORMAT);
}

Test(pods, objects_that_the_spec_names)
{
	static const char spec[] =
	    "{\"nodeName\":\"n\",\"volumes\":["
	    "{\"name\":\"v\",\"configMap\":{\"name\":\"cm-vol\"}},"
	    "{\"name\":\"w\",\"secret\":{\"secretName\":\"s-vol\"}},"
	    "{\"name\":\"x\",\"projected\":{\"sources\":["
	    "{\"configMap\":{\"name\":\"cm-proj\"}},"
	    "{\"secret\":{\"name\":\"s-proj\"}}]}}],"
	    "\"initContainers\":[{\"name\":\"i\",\"env\":[{\"name\":\"A\","
	    "\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s-env\"}}}]}],"
	    "\"containers\":[{\"name\":\"c\",\"envFrom\":["
	    "{\"configMapRef\":{\"name\":\"cm-from\"}},"
	    "{\"secretRef\":{\"name\":\"s-from\"}}],\"env\":["
	    "{\"name\":\"cm-no\",\"value\":\"s-no\"},{\"name\":\"B\","
	    "\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"cm-env\"}}}]}],"
	    "\"imagePullSecrets\":[{\"name\":\"s-pull\"}],"
	    "\"configMap\":{\"name\":\"cm-else\"}}";
	static const char *const maps[] = { "cm-vol", "cm-proj", "cm-from",
		"cm-env" };
	static const char *const secrets[] = { "s-vol", "s-proj", "s-from",
		"s-env" };
	static const char *const none[] = { "cm-no", "s-no", "s-pull",
		"cm-else", "cm", "", "cm-vol\nc/x" };
	const struct pod *pod;
	size_t i;

	cr_assert_eq(pods_see(pods, NODE, "n", pod_text("a", "1", spec), NULL),
	    0);
	pod = pods_by_uid(pods, "1");
	for (i = 0; i < 4; i++) {
		cr_expect(pod_names(pod, OBJECT_CONFIGMAP, maps[i]), "%s",
		    maps[i]);
		cr_expect(!pod_names(pod, OBJECT_SECRET, maps[i]));
		cr_expect(pod_names(pod, OBJECT_SECRET, secrets[i]), "%s",
		    secrets[i]);
		cr_expect(!pod_names(pod, OBJECT_CONFIGMAP, secrets[i]));
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		cr_expect(!pod_names(pod, OBJECT_CONFIGMAP, none[i]));
		cr_expect(!pod_names(pod, OBJECT_SECRET, none[i]));
	}
}

/* The first time it had come to harm on its way. */
Test(pods, objects_are_those_that_it_named_last)
{
	static const char harmed[] =
	    "{\"nodeName\":\"n\",\"volumes\":[{\"name\":\"v\","
	    "\"configMap\":{\"name\":\"cm-v{]l\"}}]}";
	static const char well[] =
	    "{\"nodeName\":\"n\",\"volumes\":[{\"name\":\"v\","
	    "\"configMap\":{\"name\":\"cm-vol\"}}]}";
	const struct pod *pod;

	pods_see(pods, NODE, "n", pod_text("a", "1", harmed), NULL);
	pod = pods_by_uid(pods, "1");
	cr_expect(!pod_names(pod, OBJECT_CONFIGMAP, "cm-vol"));
	pods_see(pods, NODE, "n", pod_text("a", "1", well), NULL);
	cr_expect(pod_names(pod, OBJECT_CONFIGMAP, "cm-vol"));
	cr_expect(!pod_names(pod, OBJECT_CONFIGMAP, "cm-v{]l"));
}
