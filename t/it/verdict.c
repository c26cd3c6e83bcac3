/* SPDX-License-Identifier: ISC */
/*
 * verdict: the cluster took the node for dead: its conditions are Unknown, it
 * is tainted, its pods are not Ready.  As soon as kubeside is heard again all
 * of that is set right, the pods' conditions too, and nothing else changes.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	PODS = 3,
	DEAD_S = 12, /* longer than between two heartbeats */
	READY_MS = 20000,
	RUN_MS = 30000,
	VERDICT_MS = 60000,
	BACK_MS = 8000, /* sooner than anything that is looked at by time */
};

#define WEB KUBE_PODS "?labelSelector=app%3Dweb"
#define DEAD_TAINT "node.kubernetes.io/unreachable"

/* How many pods have condition Ready so. */
static size_t
ready_is(struct json_object *set, const char *status)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	size_t n = 0;

	while (js_next(set, &at, NULL, &pod))
		n += strcmp(js_condition(pod, "Ready"), status) == 0;
	return n;
}

static int
none_is_ready(struct json_object *set, void *arg)
{
	(void)arg;
	return ready_is(set, "False") == PODS;
}

static int
all_are_ready(struct json_object *set, void *arg)
{
	(void)arg;
	return ready_is(set, "True") == PODS;
}

static size_t
unknown(struct json_object *node)
{
	struct json_object *c;
	size_t i, n = 0;

	for (i = 0; (c = js_item(node, "/status/conditions", i)) != NULL; i++)
		n += strcmp(js_str(c, "/status"), "Unknown") == 0;
	return n;
}

static int
is_dead(struct json_object *node, void *arg)
{
	(void)arg;
	return strcmp(js_condition(node, "Ready"), "Unknown") == 0 &&
	    js_find(node, "/spec/taints", "key", DEAD_TAINT) != NULL;
}

static int
is_alive(struct json_object *node, void *arg)
{
	(void)arg;
	return strcmp(js_condition(node, "Ready"), "True") == 0 &&
	    unknown(node) == 0 &&
	    js_find(node, "/spec/taints", "key", DEAD_TAINT) == NULL;
}

static void
node_comes_to(kube_one_fn *fn, int ms, const char *what)
{
	AUTO_JSON struct json_object *node = NULL;
	int64_t since = it_ms();

	node = kube_await_one(KUBE_NODES, world_node(), fn, NULL, ms);
	it_took(since, node != NULL && fn(node, NULL), "%s", what);
}

/* As a host that hangs, for as long as the verdict takes. */
static void
be_taken_for_dead(const struct provider *p)
{
	const pid_t hung[] = { provider_pid(p),
		provider_worker(p, "kubeside") };
	int64_t since;

	if (hung[1] == -1)
		it_die("there is no kubeside");
	(void)kill(hung[0], SIGSTOP);
	(void)kill(hung[1], SIGSTOP);
	if (world_kind() == WORLD_SIM)
		free(world_tell(SIM_KUBE, "force-node-unknown %s",
		    world_node()));
	node_comes_to(is_dead, VERDICT_MS, "the node is taken for dead");
	since = it_ms();
	it_took(since, kube_await(WEB, none_is_ready, NULL, VERDICT_MS),
	    "and its pods are not Ready");
	(void)kill(hung[1], SIGCONT);
	(void)kill(hung[0], SIGCONT);
}

static void
scenario(void)
{
	static const struct pod_conf web = { .app = "web" };
	static const char *const names[PODS] = { "a", "b", "c" };
	AUTO_JSON struct json_object *node = NULL, *before = NULL,
				     *after = NULL, *set = NULL;
	struct provider *p;
	int64_t since;
	size_t i;

	world_open(&(struct world_conf){ .devices = 2 });
	if (world_kind() != WORLD_SIM)
		world_node_grace(DEAD_S);
	p = provider_start("provider", NULL);
	provider_expect(p, "silent|clock|aborted|timed out|closed|onnect");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	for (i = 0; i < PODS; i++)
		free(pod_create(names[i], &web));
	it_ok(kube_await(WEB, all_are_ready, NULL, RUN_MS), "%d pods are Ready",
	    PODS);
	before = pod_uids(WEB);
	be_taken_for_dead(p);
	since = it_ms();
	node_comes_to(is_alive, BACK_MS,
	    "all conditions are known again, and the taint is gone");
	it_took(since, kube_await(WEB, all_are_ready, NULL, BACK_MS),
	    "and all pods are Ready");
	after = pod_uids(WEB);
	it_ok(json_object_equal(before, after), "they are the same ones");
	set = flight_devices();
	it_ok(flight_count(set) == PODS && flight_restarts(set) == 0,
	    "and nothing was restarted");
	if (world_kind() != WORLD_SIM)
		world_node_grace(0);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("verdict", scenario);
}
