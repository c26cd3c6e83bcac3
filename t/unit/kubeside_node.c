/* SPDX-License-Identifier: ISC */
/* A node is made, kept, re-asserted; by its writer only. */
#include "kubeside/node.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mono.h"
#include "kubeside/api.h"
#include "kubeside/nodedoc.h"
#include "t/unit/apiserver.h"

static struct node *node;
static int64_t held_until;
static int recreated;
static char told[1024]; /* labels, each time a line */

static int64_t
on_until(void *arg)
{
	(void)arg;
	return held_until;
}

static void
on_labels(struct span labels, void *arg)
{
	size_t len = strlen(told);

	(void)arg;
	(void)snprintf(told + len, sizeof(told) - len, "%.*s\n",
	    (int)labels.len, labels.p);
}

static void
on_event(const char *reason, const char *message, void *arg)
{
	(void)message;
	(void)arg;
	recreated += strcmp(reason, "NodeRecreated") == 0;
}

/* A placer that is away is said after a while, and at last all is silent. */
static void
open_node(int64_t away_ms, int64_t grace_ms)
{
	const struct node_conf conf = { .name = "n",
		.fleet = "f",
		.zone = "",
		.arch = "",
		.keys = "",
		.away_ms = away_ms,
		.grace_ms = grace_ms };
	static const struct node_ops ops = { on_until, on_labels, on_event };
	struct api *api = apiserver_open();

	held_until = INT64_MAX;
	node = node_new(apiserver_base, api, &conf, &ops, NULL);
	node_start(node);
	apiserver_wait(1);
}

static void
set_up(void)
{
	open_node(30000, 60000);
}

static void
tear_down(void)
{
	node_free(node);
	apiserver_close();
}

TestSuite(node, .init = set_up, .fini = tear_down);

#define LIST(items) \
	"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" items "]}"

/* As the server has it after our own create and status. */
static char *
object(const char *uid, const char *ready)
{
	static char text[2048];
	struct nodedoc d = { .name = "n",
		.fleet = "f",
		.zone = "",
		.arch = "amd64",
		.keys = "",
		.placer_answers = 1,
		.has_figures = 1,
		.figures.flightctl = FLIGHT_ANSWERS };
	char *made = nodedoc_create(&d);

	snprintf(text, sizeof(text),
	    "%.*s,\"metadata\":{\"name\":\"n\",\"uid\":\"%s\","
	    "\"resourceVersion\":\"3\",\"labels\":{\"type\":"
	    "\"virtual-kubelet\",\"kubernetes.io/role\":\"agent\","
	    "\"kubernetes.io/os\":\"linux\",\"kubernetes.io/arch\":\"amd64\","
	    "\"kubernetes.io/hostname\":\"n\",\"fleet\":\"f\","
	    "\"node.kubernetes.io/exclude-from-external-load-balancers\":\"\""
	    "}},\"spec\":{\"taints\":[{\"key\":"
	    "\"virtual-kubelet.io/provider\",\"value\":\"flightctl\","
	    "\"effect\":\"NoSchedule\"}]},\"status\":{\"conditions\":["
	    "{\"type\":\"Ready\",\"status\":\"%s\"}]}}",
	    (int)strlen("{\"apiVersion\":\"v1\",\"kind\":\"Node\""), made, uid,
	    ready);
	free(made);
	return text;
}

static void
figures(int reachable)
{
	struct body_node_figures f = { .node = "n",
		.arch = "amd64",
		.flightctl = reachable ? FLIGHT_ANSWERS : FLIGHT_SILENT };

	node_figures(node, &f);
}

/* The first request from `from' on with that method and part of its path. */
static size_t
find(size_t from, const char *method, const char *part)
{
	int tries;
	size_t i;

	for (tries = 0; tries < 1000; tries++) {
		for (i = from; i < apiserver_count; i++)
			if (strcmp(apiserver_asked[i].method, method) == 0 &&
			    strstr(apiserver_asked[i].target, part) != NULL)
				return i;
		apiserver_run(10);
	}
	cr_assert_fail("no %s %s", method, part);
	return 0;
}

/* Listed as absent, created, its status written, its lease renewed. */
static size_t
settle(void)
{
	size_t i;

	figures(1);
	apiserver_reply(0, 200, LIST(""));
	i = find(0, "POST", "/api/v1/nodes");
	apiserver_reply(i, 201, object("u", "Unknown"));
	i = find(0, "PATCH", "/nodes/n/status");
	apiserver_reply(i, 200, object("u", "True"));
	i = find(0, "GET", "/kube-node-lease/leases/n");
	apiserver_reply(i, 404, "{}");
	i = find(0, "POST", "/kube-node-lease/leases");
	cr_expect(
	    strstr(apiserver_asked[i].body,
		"\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"u\"") != NULL);
	apiserver_reply(i, 201, "{}");
	apiserver_run(50);
	return apiserver_count;
}

Test(node, made_when_absent_then_quiet)
{
	size_t count = settle();

	apiserver_run(700);
	cr_expect_eq(apiserver_count, count, "nothing changed");
}

Test(node, not_before_its_figures_nor_without_the_lease)
{
	apiserver_reply(0, 200, LIST(""));
	apiserver_run(100);
	cr_expect_eq(find(0, "GET", "watch=1"), 1);
	cr_expect_eq(apiserver_count, 2, "no figures");
	held_until = 0;
	figures(1);
	apiserver_run(100);
	cr_expect_eq(apiserver_count, 2, "not its writer");
	held_until = INT64_MAX;
	node_look(node);
	find(0, "POST", "/api/v1/nodes");
}

Test(node, adopted_as_it_is)
{
	static char list[4096];
	size_t i;

	snprintf(list, sizeof(list), LIST("%s"), object("u", "True"));
	figures(1);
	apiserver_reply(0, 200, list);
	i = find(0, "PATCH", "/nodes/n/status");
	cr_expect_eq(strcmp(apiserver_asked[i].method, "PATCH"), 0);
	apiserver_reply(i, 200, object("u", "True"));
	apiserver_run(50);
	for (i = 0; i < apiserver_count; i++)
		cr_expect(strcmp(apiserver_asked[i].method, "POST") != 0);
}

/* The cluster's verdict, by its watch. */
static void
seen_unknown(void)
{
	static char event[4096];
	size_t i = find(0, "GET", "watch=1");
	static int begun;

	snprintf(event, sizeof(event), "{\"type\":\"MODIFIED\",\"object\":%s}",
	    object("u", "Unknown"));
	if (!begun++)
		apiserver_begin(i);
	apiserver_piece(i, event);
}

Test(node, ready_again_after_a_verdict)
{
	size_t from = settle(), i;

	seen_unknown();
	i = find(from, "PATCH", "/nodes/n/status");
	cr_expect(strstr(apiserver_asked[i].body,
		      "\"type\":\"Ready\",\"status\":\"True\"") != NULL);
}

/* A placer that does not come up is no reason to evict what runs. */
Test(node, taken_for_dead_it_says_no_before_its_figures)
{
	static char list[4096];
	size_t i, count;

	snprintf(list, sizeof(list), LIST("%s"), object("u", "Unknown"));
	apiserver_reply(0, 200, list);
	i = find(0, "PATCH", "/nodes/n/status");
	cr_expect(strstr(apiserver_asked[i].body,
		      "\"type\":\"Ready\",\"status\":\"True\"") != NULL);
	cr_expect(strstr(apiserver_asked[i].body, "MemoryPressure") != NULL);
	cr_expect(strstr(apiserver_asked[i].body, "capacity") == NULL);
	cr_expect(strstr(apiserver_asked[i].body, "annotations") == NULL);
	cr_expect(strstr(apiserver_asked[i].body, "Flightctl") == NULL);
	apiserver_reply(i, 200, object("u", "True"));
	apiserver_run(50);
	count = apiserver_count;
	apiserver_run(300);
	cr_expect_eq(apiserver_count, count, "said once");
}

Test(node, made_again_when_deleted)
{
	static char event[4096];
	size_t from = settle(), i = find(0, "GET", "watch=1");

	snprintf(event, sizeof(event), "{\"type\":\"DELETED\",\"object\":%s}",
	    object("u", "True"));
	apiserver_begin(i);
	apiserver_piece(i, event);
	find(from, "POST", "/api/v1/nodes");
	cr_expect_eq(recreated, 1);
}

Test(node, flightctl_away_is_a_taint_and_a_condition)
{
	size_t from = settle(), i;

	figures(0);
	i = find(from, "PATCH", "/nodes/n");
	cr_expect(strstr(apiserver_asked[i].body,
		      "vk.flightctl.io/flightctl-unreachable") != NULL);
	cr_expect(strstr(apiserver_asked[i].body,
		      "\"resourceVersion\":\"3\"") != NULL);
	apiserver_reply(i, 200, object("u", "True"));
	i = find(from, "PATCH", "/nodes/n/status");
	cr_expect(strstr(apiserver_asked[i].body,
		      "\"type\":\"FlightctlReachable\",\"status\":\"False\"") !=
	    NULL);
	cr_expect(strstr(apiserver_asked[i].body,
		      "\"type\":\"Ready\",\"status\":\"True\"") != NULL);
}

static size_t
lines(void)
{
	size_t n = 0;
	const char *at;

	for (at = told; *at != '\0'; at++)
		n += *at == '\n';
	return n;
}

/* Its MODIFIED, with such labels. */
static void
labelled(size_t watch, const char *labels)
{
	static char event[512];

	snprintf(event, sizeof(event),
	    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"n\","
	    "\"uid\":\"u\",\"resourceVersion\":\"4\"%s%s}}}\n",
	    *labels != '\0' ? ",\"labels\":" : "", labels);
	apiserver_piece(watch, event);
	apiserver_run(50);
}

Test(node, its_labels_are_told_each_placer_once_and_when_they_change)
{
	size_t i;

	told[0] = '\0';
	(void)settle();
	cr_expect_eq(lines(), 0, "there is no placer: %s", told);
	node_placer(node, 1);
	cr_expect_eq(lines(), 1);
	cr_expect(strstr(told, "\"type\":\"virtual-kubelet\"") != NULL);
	i = find(0, "GET", "watch=1");
	apiserver_begin(i);
	labelled(i, "{\"a\":\"b\"}");
	cr_expect(strstr(told, "\n{\"a\":\"b\"}\n") != NULL, "%s", told);
	labelled(i, "{\"a\":\"b\"}");
	cr_expect_eq(lines(), 2, "%s", told);
	node_placer(node, 0);
	node_placer(node, 1);
	cr_expect_eq(lines(), 3, "%s", told);
	labelled(i, "");
	cr_expect(strstr(told, "\n{}\n") != NULL, "%s", told);
}

enum {
	AWAY_MS = 1500,
	GRACE_MS = 4000,
};

static void
set_up_short(void)
{
	open_node(AWAY_MS, GRACE_MS);
}

TestSuite(node_alone, .init = set_up_short, .fini = tear_down);

/* All requests are answered as the server would, for so long. */
static size_t
answer_all(size_t from, int ms)
{
	int64_t since = now_read().boot_ms;
	const char *target;
	size_t i, leases = 0;

	while (now_read().boot_ms - since < ms) {
		for (i = from; i < apiserver_count; i++) {
			target = apiserver_asked[i].target;
			if (apiserver_asked[i].req == NULL ||
			    strstr(target, "watch=1") != NULL)
				continue;
			leases += strstr(target, "/leases") != NULL;
			apiserver_reply(i, 200,
			    strstr(target, "/leases") != NULL ?
				"{}" :
				object("u", "True"));
		}
		apiserver_run(10);
	}
	return leases;
}

/* The first with such a text in its body. */
static size_t
find_body(size_t from, const char *part)
{
	size_t i;

	for (i = from; i < apiserver_count; i++)
		if (strstr(apiserver_asked[i].body, part) != NULL)
			return i;
	return SIZE_MAX;
}

Test(node_alone, a_placer_away_is_told_then_the_node_goes_silent)
{
	size_t from, away;
	int64_t since;

	node_placer(node, 1);
	from = settle();
	node_placer(node, 0);
	since = now_read().boot_ms;
	/* A restart is no news. */
	(void)answer_all(from, AWAY_MS / 2);
	cr_expect_eq(find_body(from, "placer-away"), SIZE_MAX);
	(void)answer_all(from, AWAY_MS);
	away = find_body(from, "vk.flightctl.io/placer-away");
	cr_assert_neq(away, SIZE_MAX);
	cr_assert_neq(find_body(from,
			  "\"type\":\"PlacerAnswers\",\"status\":\"False\""),
	    SIZE_MAX);
	cr_expect_neq(find_body(from, "\"type\":\"Ready\",\"status\":\"True\""),
	    SIZE_MAX);
	/* Before its grace is over it lives, whoever calls it dead. */
	cr_assert_lt(now_read().boot_ms - since, GRACE_MS);
	from = apiserver_count;
	seen_unknown();
	cr_expect_neq(find(from, "PATCH", "/nodes/n/status"), SIZE_MAX);
	(void)answer_all(from,
	    (int)(GRACE_MS + 50 - (now_read().boot_ms - since)));
	/* After it, it does not. */
	from = apiserver_count;
	seen_unknown();
	cr_expect_eq(answer_all(from, 700), 0);
	cr_expect_eq(apiserver_count, from, "%s %s",
	    apiserver_asked[from].method, apiserver_asked[from].target);
	/* It comes back: its lease at once, and that it lives. */
	node_placer(node, 1);
	find(from, "GET", "/kube-node-lease/leases/n");
	find(from, "PATCH", "/nodes/n/status");
}
