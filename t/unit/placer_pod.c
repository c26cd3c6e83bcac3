/* SPDX-License-Identifier: ISC */
/*
 * What must hold of a Pod once read: requests by Kubernetes' rule, selectors
 * as Kubernetes reads them, identity kept, nonsense refused with its path,
 * nonsense in a status taken for nothing.
 */
#include "placer/pod.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/xmem.h"

#define META                                                        \
	"\"metadata\":{\"namespace\":\"default\",\"name\":\"web\"," \
	"\"uid\":\"de19433b-1e42-4ab7-a497-58683eeb7579\","         \
	"\"generation\":3,"                                         \
	"\"creationTimestamp\":\"2026-11-23T07:42:54Z\"%s}"

/* A Pod with these members added to its metadata and to its spec. */
static char *
pod_text(const char *meta, const char *spec, const char *status)
{
	return xasprintf("{\"kind\":\"Pod\"," META ",\"spec\":{%s},"
			 "\"status\":{%s}}",
	    meta, spec, status);
}

#define ONE "\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"}]"

static struct pod *
parse(const char *meta, const char *spec, struct why *why)
{
	char *text = pod_text(meta, spec, "");
	struct pod *pod = pod_parse(span_of(text), why);

	free(text);
	return pod;
}

static struct pod *
must(const char *meta, const char *spec)
{
	struct why why;
	struct pod *pod = parse(meta, spec, &why);

	cr_assert_not_null(pod, "%s", why.text);
	cr_assert_eq(why.kind, ERR_NONE, "%s", why.text);
	return pod;
}

Test(pod, keeps_identity_and_order)
{
	struct pod *pod = must("", ONE ",\"nodeName\":\"n1\"");

	cr_assert_str_eq(pod->ns, "default");
	cr_assert_str_eq(pod->name, "web");
	cr_assert_str_eq(pod->uid, "de19433b-1e42-4ab7-a497-58683eeb7579");
	cr_assert_str_eq(pod->node, "n1");
	cr_assert_eq(pod->order_ms, 1795419774000ULL);
	cr_assert_eq(pod->generation, 3);
	cr_assert_eq(pod->restart, RESTART_ALWAYS);
	cr_assert_eq(pod->ncontainers, 1);
	cr_assert_null(pod->wish);
	pod_free(pod);
}

struct request_case {
	const char *spec;
	int64_t cpu_m, memory;
};

#define RES(cpu, mem)                                                        \
	"\"resources\":{\"requests\":{\"cpu\":\"" cpu "\",\"memory\":\"" mem \
	"\"}}"
#define C(name, res) "{\"name\":\"" name "\",\"image\":\"i\"," res "}"
#define SIDECAR(name, res)  \
	"{\"name\":\"" name \
	"\",\"image\":\"i\",\"restartPolicy\":\"Always\"," res "}"

/* For what sees undefined behaviour (V=asan). */
Test(pod, one_without_containers_has_none_that_ended)
{
	struct pod *pod = must("", "\"containers\":[]");

	cr_assert_eq(pod->ncontainers, 0);
	pod_free(pod);
}

static const struct request_case requests[] = {
	{ ONE, 0, 0 },
	{ "\"containers\":[" C("a", RES("100m", "64Mi")) "," C("b",
	      RES("0.5", "1k")) "]",
	    600, 67109864 },
	/* a limit stands for an absent request, not beside one */
	{ "\"containers\":[" C("a",
	      "\"resources\":{\"limits\":{\"cpu\":\"2\","
	      "\"memory\":\"1Gi\"},\"requests\":{\"cpu\":\"1\"}}") "]",
	    1000, 1073741824 },
	/* the hungriest init container, when it is hungrier than the sum */
	{ "\"initContainers\":[" C("i", RES("3", "1")) "," C("j",
	      RES("1", "9")) "],\"containers\":[" C("a", RES("2", "5")) "]",
	    3000, 9 },
	/* a sidecar counts for the containers and for later init ones only */
	{ "\"initContainers\":[" C("i", RES("3", "0")) "," SIDECAR("s",
	      RES("1", "4")) "," C("j",
	      RES("1", "9")) "],\"containers\":[" C("a", RES("1", "5")) "]",
	    3000, 13 },
	/* amounts of the pod itself replace the sum, each for itself */
	{ "\"resources\":{\"requests\":{\"cpu\":\"250m\"}},\"containers\":[" C(
	      "a", RES("1", "5")) "]",
	    250, 5 },
	{ "\"overhead\":{\"cpu\":\"10m\",\"memory\":\"7\"},\"containers\":[" C(
	      "a", RES("1", "5")) "]",
	    1010, 12 },
	/* more than can be counted is as much as can be counted */
	{ "\"containers\":[" C("a", RES("1", "7Ei")) "," C("b",
	      RES("1", "7Ei")) "]",
	    2000, INT64_MAX },
};

Test(pod, requests_follow_kubernetes)
{
	struct pod *pod;
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		pod = must("", requests[i].spec);
		cr_expect_eq(pod->cpu_m, requests[i].cpu_m, "%zu: %lld", i,
		    (long long)pod->cpu_m);
		cr_expect_eq(pod->memory, requests[i].memory, "%zu: %lld", i,
		    (long long)pod->memory);
		pod_free(pod);
	}
}

static struct label labels[] = {
	{ (char[]){ "site" }, (char[]){ "lab" } },
	{ (char[]){ "rack" }, (char[]){ "7" } },
	{ (char[]){ "empty" }, (char[]){ "" } },
	{ (char[]){ "mixed" }, (char[]){ "9z" } },
};

static const struct bearer device = { { { labels, 4 } }, "d" };

#define SELECTOR "vk.flightctl.io/device-selector"

struct selector_case {
	const char *text;
	int holds; /* -1: refused */
};

static const struct selector_case selectors[] = {
	{ "", 1 },
	{ "site", 1 },
	{ "!site", 0 },
	{ "!other", 1 },
	{ "site=lab", 1 },
	{ "site == lab , rack=7", 1 },
	{ "site=lab,rack=8", 0 },
	{ "site!=lab", 0 },
	{ "rack>6,rack<8", 1 },
	{ "rack>7", 0 },
	{ "rack<7", 0 },
	{ "mixed>1", 0 },
	{ "mixed<10", 0 },
	{ "other!=lab", 1 },
	{ "site in (home,lab)", 1 },
	{ "site in (home)", 0 },
	{ "site notin (home,lab)", 0 },
	{ "other notin (lab)", 1 },
	{ "rack>6,rack<8", 1 },
	{ "rack>7", 0 },
	{ "site>1", 0 },
	{ "empty=", 1 },
	{ "empty in (a,)", 1 },
	{ "in in (in)", 0 },
	{ "vk.example.com/x notin (a)", 1 },
	{ "site=", 0 },
	{ ",", -1 },
	{ "site=lab,", -1 },
	{ "site in lab", -1 },
	{ "site in (lab", -1 },
	{ "site lab", -1 },
	{ "=lab", -1 },
	{ "site=a=b", -1 },
	{ "si$te", -1 },
	{ "site in (a b)", -1 },
};

Test(pod, selectors_are_read_as_kubernetes_reads_them)
{
	const struct selector_case *c;
	char *meta;
	struct pod *pod;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		c = &selectors[i];
		meta = xasprintf(",\"annotations\":{\"" SELECTOR "\":\"%s\"}",
		    c->text);
		pod = parse(meta, ONE, &why);
		free(meta);
		cr_assert_not_null(pod, "%s", why.text);
		cr_expect_eq(why.kind == ERR_DENIED, c->holds == -1, "%s: %s",
		    c->text, why.text);
		if (c->holds != -1)
			cr_expect_eq(term_holds(&pod->wish->device, &device),
			    c->holds, "%s", c->text);
		pod_free(pod);
	}
}

#define B63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define B126 B63 B63
#define B252 B126 B126

Test(pod, a_wrong_selector_is_told_whole)
{
	static const struct {
		const char *selector, *text;
	} cases[] = {
		{ "=lab", "a label's key wanted before \"lab\"" },
		{ "a,", "a label's key wanted at its end" },
		{ "a b", "an operator wanted, not \"b\"" },
		{ "a in b", "( wanted, not \"b\"" },
		{ "a in (b", ") wanted at its end" },
		{ "a in (b=c)", ") wanted before \"c)\"" },
		{ "a in (b c)", ", or ) wanted, not \"c\"" },
		{ "!a b", ", or the end wanted, not \"b\"" },
		{ "a=" B63 "x", "\"" B63 "x\": longer than 63 bytes" },
		{ "a in (b," B63 "x)", "\"" B63 "x\": longer than 63 bytes" },
		{ B252 B63 "xyz", "a key of 318 bytes, at most 317" },
	};
	struct pod *pod;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *meta =
		    xasprintf(",\"annotations\":{\"" SELECTOR "\":\"%s\"}",
			cases[i].selector);
		AUTO_FREE char *want =
		    xasprintf("metadata.annotations[" SELECTOR
			      "]: \"%.100s\": %s",
			cases[i].selector, cases[i].text);

		pod = parse(meta, ONE, &why);
		cr_expect_not_null(pod);
		cr_expect_eq(why.kind, ERR_DENIED);
		cr_expect_str_eq(why.text, want);
		pod_free(pod);
	}
}

#define RULE(key, op, more) \
	"{\"key\":\"" key "\",\"operator\":\"" op "\"" more "}"
#define REQUIRED_RULES "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED_RULES "preferredDuringSchedulingIgnoredDuringExecution"

static const char affinity[] =
    ONE ",\"nodeSelector\":{\"site\":\"lab\"},"
	"\"affinity\":{\"nodeAffinity\":{"
	"\"" REQUIRED_RULES "\":{\"nodeSelectorTerms\":[{},"
	"{\"matchExpressions\":[" RULE("rack", "Gt",
	    ",\"values\":[\"3\"]") "],\"matchFields\":[" RULE("metadata.name",
	    "In", ",\"values\":[\"n1\"]") "]}]},"
					  "\"" PREFERRED_RULES
					  "\":[{\"weight\":40,\"preference\":"
					  "{\"matchExpressions\":[" RULE("gpu",
					      "Exists", "") "]}}]}}";

Test(pod, affinity_terms)
{
	struct label own = { (char[]){ "rack" }, (char[]){ "4" } };
	struct bearer node = { .name = "n1" };
	struct pod *pod = must("", affinity);
	struct wish *w = pod->wish;

	node.of[0].list = &own;
	node.of[0].n = 1;
	node.of[1].list = labels;
	node.of[1].n = 4;
	cr_assert_eq(term_holds(&w->selector, &node), 1);
	cr_assert_eq(w->nrequired, 2);
	cr_assert_eq(term_holds(&w->required[0], &node), 0,
	    "an empty term holds for no node");
	cr_assert_eq(term_holds(&w->required[1], &node), 1);
	node.name = "n2";
	cr_assert_eq(term_holds(&w->required[1], &node), 0);
	node.name = "n1";
	own.value[0] = '2'; /* the device's 7 is not asked for */
	cr_assert_eq(term_holds(&w->required[1], &node), 0);
	cr_assert_eq(w->npreferred, 1);
	cr_assert_eq(w->preferred[0].weight, 40);
	cr_assert_eq(term_holds(&w->preferred[0], &node), 0);
	pod_free(pod);
}

Test(pod, reconnect_timeout)
{
	static const struct {
		const char *text;
		int64_t ms;
		int denied;
	} cases[] = {
		{ "5m", 300000, 0 },
		{ "1m30s", 90000, 0 },
		{ "never", RECONNECT_NEVER, 0 },
		{ "30s", RECONNECT_DEFAULT, 1 },
		{ "31m", RECONNECT_DEFAULT, 1 },
		{ "soon", RECONNECT_DEFAULT, 1 },
	};
	struct pod *pod;
	struct why why;
	char *meta;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		meta =
		    xasprintf(",\"annotations\":{"
			      "\"vk.flightctl.io/reconnect-timeout\":\"%s\"}",
			cases[i].text);
		pod = parse(meta, ONE, &why);
		free(meta);
		cr_assert_not_null(pod);
		cr_expect_eq(pod->reconnect_ms, cases[i].ms, "%s",
		    cases[i].text);
		cr_expect_eq(why.kind == ERR_DENIED, cases[i].denied, "%s",
		    cases[i].text);
		pod_free(pod);
	}
}

Test(pod, owners_tolerations_ports)
{
	struct pod *pod = must(
	    ",\"ownerReferences\":[{\"kind\":\"X\",\"uid\":"
	    "\"u0\"},{\"kind\":\"DaemonSet\",\"uid\":\"u1\",\"controller\":"
	    "true}],\"deletionTimestamp\":\"2026-11-23T08:00:00Z\","
	    "\"deletionGracePeriodSeconds\":5",
	    "\"tolerations\":[{\"operator\":\"Exists\"},{\"key\":"
	    "\"virtual-kubelet.io/provider\",\"operator\":\"Exists\"}],"
	    "\"terminationGracePeriodSeconds\":60,\"containers\":[{\"name\":"
	    "\"c\",\"image\":\"i\",\"ports\":[{\"containerPort\":80},"
	    "{\"containerPort\":53,\"hostPort\":5353,\"protocol\":\"UDP\","
	    "\"hostIP\":\"10.0.0.1\"},{\"containerPort\":54,\"hostPort\":54,"
	    "\"hostIP\":\"0.0.0.0\"}]}]");

	cr_assert_str_eq(pod->controller, "u1");
	cr_assert_eq(pod->is_daemon, 1);
	cr_assert_eq(pod->tolerates_ours, 1);
	cr_assert_eq(pod->terminating, 1);
	cr_assert_eq(pod->nports, 2);
	cr_assert_str_eq(pod->ports[0].ip, "10.0.0.1");
	cr_assert_null(pod->ports[1].ip);
	cr_assert_eq(pod->ports[0].port, 5353);
	cr_assert_eq(pod->ports[0].protocol, 17);
	pod_free(pod);
}

Test(pod, the_digest_is_of_images_in_their_order)
{
	static const char *const specs[] = {
		"\"containers\":[{\"name\":\"a\",\"image\":\"x\"},"
		"{\"name\":\"b\",\"image\":\"y\"}]",
		"\"containers\":[{\"name\":\"a\",\"image\":\"y\"},"
		"{\"name\":\"b\",\"image\":\"x\"}]",
		"\"containers\":[{\"name\":\"a\",\"image\":\"xy\"},"
		"{\"name\":\"b\",\"image\":\"y\"}]",
		"\"containers\":[{\"name\":\"a\",\"image\":\"x\"}]",
	};
	uint64_t seen[4];
	struct pod *pod;
	size_t i, k;

	for (i = 0; i < 4; i++) {
		pod = must("", specs[i]);
		seen[i] = pod->images;
		cr_assert_neq(seen[i], 0);
		for (k = 0; k < i; k++)
			cr_assert_neq(seen[i], seen[k]);
		pod_free(pod);
	}
}

#define REQUIRE(rule)                                            \
	ONE ",\"affinity\":{\"nodeAffinity\":{\"" REQUIRED_RULES \
	    "\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[" rule "]}]}}}"
#define PORT(protocol)                                     \
	",\"ports\":[{\"containerPort\":1,\"hostPort\":1," \
	"\"protocol\":\"" protocol "\"}]"

Test(pod, what_no_apiserver_sends_is_refused_by_path)
{
	static const struct {
		const char *spec, *text;
	} cases[] = {
		{ "\"containers\":7",
		    "spec.containers: a number, not an array" },
		{ "\"containers\":[{\"name\":7,\"image\":\"x\"}]",
		    "spec.containers[0].name: a number, not a string" },
		{ "\"containers\":[{\"name\":\"a\"}]",
		    "spec.containers[0].image: not there" },
		{ "\"containers\":[{\"name\":\"a\",\"image\":\"x\"" PORT(
		      "tcp") "}]",
		    "spec.containers[0].ports.protocol: \"tcp\" is none of TCP,"
		    " "
		    "UDP, SCTP" },
		{ ONE ",\"restartPolicy\":\"Maybe\"",
		    "spec.restartPolicy: \"Maybe\" is none of Always, "
		    "OnFailure, "
		    "Never" },
		{ "\"containers\":[" C("a", RES("1x", "1")) "]",
		    "spec.containers[0].resources.requests.cpu: \"1x\" is no "
		    "quantity" },
		{ "\"containers\":[" C("a", RES("-1", "1")) "]",
		    "spec.containers[0].resources.requests.cpu: \"-1\" is no "
		    "quantity" },
		{ ONE ",\"nodeSelector\":{\"site\":7}",
		    "spec.nodeSelector[site]: a number, not a string" },
		{ REQUIRE(RULE("a", "Is", "")),
		    "spec.affinity.nodeAffinity.required.operator: \"Is\" is "
		    "unknown" },
		{ REQUIRE(RULE("a", "In", ",\"values\":[\"b\",7]")),
		    "spec.affinity.nodeAffinity.required.values[1]: not a "
		    "string" },
	};
	AUTO_FREE char *undated = NULL;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_null(parse("", cases[i].spec, &why));
		cr_expect_eq(why.kind, ERR_FORMAT);
		cr_expect_str_eq(why.text, cases[i].text);
	}
	undated = pod_text("", ONE, "");
	memcpy(strstr(undated, "2026-11"), "2026-13", 7);
	cr_expect_null(pod_parse(span_of(undated), &why));
	cr_expect_eq(why.kind, ERR_FORMAT);
	cr_expect_str_eq(why.text,
	    "metadata.creationTimestamp: \"2026-13-23T07:42:54Z\" is no time");
	cr_assert_null(pod_parse(span_of(""), &why));
	cr_assert_null(pod_parse(span_of("[]"), &why));
	cr_assert_null(pod_parse(span_of("{\"metadata\":{}"), &why));
	cr_assert_eq(why.kind, ERR_FORMAT);
}

Test(pod, a_cut_text_is_never_a_pod)
{
	char *text = pod_text("", ONE, "");
	struct why why;
	size_t n;

	for (n = 0; n < strlen(text); n++)
		cr_expect_null(pod_parse((struct span){ text, n }, &why));
	free(text);
}

Test(pod, status_nonsense_counts_as_absent)
{
	char *text = pod_text("", ONE,
	    "\"phase\":\"Nonsense\",\"startTime\":"
	    "\"yesterday\",\"conditions\":[7,{\"type\":\"Ready\",\"status\":"
	    "\"True\",\"lastTransitionTime\":\"2026-11-23T07:42:54Z\"}],"
	    "\"containerStatuses\":[{\"restartCount\":\"3\"},{\"restartCount\":"
	    "2,\"state\":{\"running\":{\"startedAt\":"
	    "\"2026-11-23T07:43:00Z\"}}}]");
	struct pod *pod = pod_parse(span_of(text), NULL);

	cr_assert_not_null(pod);
	cr_assert_eq(pod->seen.phase, PHASE_NONE);
	cr_assert_eq(pod->seen.start_ms, 0);
	cr_assert_eq(pod->seen.cond[COND_READY].status, TRUTH_TRUE);
	cr_assert_eq(pod->seen.cond[COND_READY].since_ms, 1795419774000LL);
	cr_assert_eq(pod->seen.running_ms, 1795419780000LL);
	cr_assert_eq(pod->seen.restarts, 2);
	pod_free(pod);
	free(text);
}

Test(pod, identity_of_what_is_refused)
{
	char *text = pod_text("", "\"containers\":7", "");
	struct span ns, name, uid;

	cr_assert_eq(pod_identity(span_of(text), &ns, &name, &uid), 0);
	cr_assert(span_is(ns, "default"));
	cr_assert(span_is(name, "web"));
	cr_assert(span_is(uid, "de19433b-1e42-4ab7-a497-58683eeb7579"));
	free(text);
}
