/* SPDX-License-Identifier: ISC */
/*
 * node_life: what administrators do to a Node, on the real control plane: it
 * is described, with true figures; it is deleted, and nobody loses a pod by
 * that; it is cordoned, which no write of ours undoes; it is drained, all but
 * a DaemonSet's pod.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/fleet.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define DAEMONSETS "/apis/apps/v1/namespaces/default/daemonsets"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define WEB KUBE_PODS "?labelSelector=app%3Dweb"
#define AGENT KUBE_PODS "?labelSelector=app%3Dagent"
#define CORDONED "node.kubernetes.io/unschedulable"
#define AWAY "vk.flightctl.io/flightctl-unreachable"

enum {
	DEVICES = 3,
	REPLICAS = 2,
	PODS_OF_DEVICE = 50, /* DEVICE_MAX_PODS */
	POD_CPU_M = 100,     /* as pod.h has it */
	READY_MS = 20000,
	RUN_MS = 30000,
	TELL_MS = 30000,
	LEASE_MS =
	    45000,     /* until the collector has seen that it has no owner */
	GC_MS = 65000, /* the pods' collector: each 20 s, then 40 s more */
};

static void
daemonset(const char *name)
{
	AUTO_FREE char *template = pod_template(name, NULL);

	if (kube_send("POST", DAEMONSETS,
		js_make("{\"apiVersion\":\"apps/v1\",\"kind\":\"DaemonSet\","
			"\"metadata\":{\"name\":\"%s\"},\"spec\":{\"selector\":"
			"{\"matchLabels\":{\"app\":\"%s\"}},"
			"\"template\":{%s}}}",
		    name, name, template),
		NULL) != 201)
		it_die("DaemonSet %s is refused", name);
}

/* --- who is there --------------------------------------------------------- */

static int
is_still(const char *path, struct json_object *before)
{
	AUTO_JSON struct json_object *now = pod_uids(path);

	return json_object_object_length(now) > 0 &&
	    json_object_equal(now, before);
}

/* 1: one of them is not Ready, is to go, or is another. */
static int
is_harmed(struct json_object *set, void *arg)
{
	struct json_object *uid, *pod;
	struct lh_entry *at = NULL;
	const char *name;

	while (js_next(arg, &at, &name, &uid)) {
		pod = json_object_object_get(set, name);
		if (strcmp(js_str(pod, "/metadata/uid"),
			json_object_get_string(uid)) != 0 ||
		    *js_str(pod, "/metadata/deletionTimestamp") != '\0' ||
		    strcmp(js_condition(pod, "Ready"), "True") != 0) {
			it_say("harmed: %s: %s", name,
			    json_object_to_json_string(
				js_get(pod, "/metadata")));
			return 1;
		}
	}
	return 0;
}

/* --- N9: the Node is deleted ---------------------------------------------- */

static int
is_another(struct json_object *node, void *uid)
{
	return strcmp(js_str(node, "/metadata/uid"), uid) != 0 &&
	    strcmp(js_condition(node, "Ready"), "True") == 0;
}

static int
is_owned(struct json_object *lease, void *uid)
{
	return strcmp(js_str(lease, "/metadata/ownerReferences/0/uid"), uid) ==
	    0;
}

static void
delete_node(struct json_object *node)
{
	AUTO_FREE char *old = xstrdup(js_str(node, "/metadata/uid"));
	AUTO_FREE char *uid = NULL;
	AUTO_JSON struct json_object *again = NULL, *lease = NULL;
	int64_t since = it_ms();

	kubectl("delete node/%s", world_node());
	again =
	    kube_await_one(KUBE_NODES, world_node(), is_another, old, READY_MS);
	it_took(since, again != NULL && is_another(again, old),
	    "the Node is deleted: another one is Ready");
	uid = xstrdup(js_str(again, "/metadata/uid"));
	lease = kube_await_one(LEASES, world_node(), is_owned, uid, LEASE_MS);
	it_took(since, lease != NULL && is_owned(lease, uid),
	    "and has a Lease of its own");
}

/* --- N8: it is cordoned --------------------------------------------------- */

static int
has_taint(struct json_object *node, const char *key)
{
	return js_find(node, "/spec/taints", "key", key) != NULL;
}

static int
is_cordoned(struct json_object *node, void *arg)
{
	(void)arg;
	return json_object_get_boolean(js_get(node, "/spec/unschedulable")) &&
	    has_taint(node, CORDONED);
}

static int
is_away(struct json_object *node, void *arg)
{
	(void)arg;
	return has_taint(node, AWAY);
}

static int
is_back(struct json_object *node, void *arg)
{
	return !is_away(node, arg);
}

/* Waits for it, and looks whether it is cordoned still. */
static void
node_is(kube_one_fn *fn, const char *what)
{
	AUTO_JSON struct json_object *node = NULL;
	int64_t since = it_ms();

	node = kube_await_one(KUBE_NODES, world_node(), fn, NULL, TELL_MS);
	it_took(since, node != NULL && fn(node, NULL), "%s", what);
	it_ok(is_cordoned(node, NULL), "it is cordoned: %s",
	    json_object_to_json_string(js_get(node, "/spec/taints")));
}

/* Our own taint comes and goes beside the one that is not ours. */
static void
cordon(void)
{
	kubectl("cordon %s", world_node());
	node_is(is_cordoned, "the node has the taint of a cordon");
	world_flight(0);
	node_is(is_away, "Flightctl is away: the node has our taint too");
	world_flight(1);
	node_is(is_back, "Flightctl is back: our taint is gone");
}

/* --- N7: it is drained ---------------------------------------------------- */

/* Both next ones wait: no node takes them. */
static int
all_wait(struct json_object *set, void *arg)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	unsigned int n = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &pod))
		n += *js_str(pod, "/spec/nodeName") == '\0' &&
		    strcmp(js_reason(pod, "PodScheduled"), "Unschedulable") ==
			0;
	return n == REPLICAS && json_object_object_length(set) == REPLICAS;
}

static void
drain(void)
{
	AUTO_JSON struct json_object *daemons = pod_uids(AGENT), *set = NULL;
	int64_t since = it_ms();

	kubectl("drain %s --ignore-daemonsets --timeout=60s", world_node());
	it_took(since, kube_await(WEB, all_wait, NULL, RUN_MS),
	    "drained: %d pods are gone, the next ones wait", REPLICAS);
	set = flight_devices();
	it_ok(flight_count(set) == 1, "the devices have one pod (%zu)",
	    flight_count(set));
	it_ok(is_still(AGENT, daemons), "which is the DaemonSet's");
	since = it_ms();
	kubectl("uncordon %s", world_node());
	it_took(since,
	    pods_in_phase("web", "Running", REPLICAS, RUN_MS) == REPLICAS,
	    "uncordoned: the next ones run");
	it_ok(is_still(AGENT, daemons), "and the DaemonSet's still");
}

/* -------------------------------------------------------------------------- */

static void
open_all(void)
{
	int64_t since = it_ms();

	pod_deployment("web", REPLICAS, NULL);
	daemonset("agent");
	it_took(since,
	    pods_in_phase("web", "Running", REPLICAS, RUN_MS) == REPLICAS &&
		pods_in_phase("agent", "Running", 1, RUN_MS) == 1,
	    "%d pods of a Deployment and one of a DaemonSet run", REPLICAS);
}

static void
close_all(void)
{
	AUTO_JSON struct json_object *set = NULL;

	kubectl("delete deployment/web daemonset/agent");
	it_ok(pods_gone("web", RUN_MS) && pods_gone("agent", RUN_MS),
	    "all are gone");
	set = flight_devices();
	it_ok(flight_count(set) == 0, "and from the devices");
}

/* One check that the words stand there, in this order. */
static void
stand_there(const char *text, const char *const *words, const char *what)
{
	const char *at = text;

	for (; *words != NULL && at != NULL; words++)
		if ((at = strstr(at, *words)) != NULL)
			at += strlen(*words);
	it_ok(at != NULL, "kubectl describe node: %s", what);
	if (at == NULL)
		it_say("%s, in %s", words[-1], text);
}

/* All figures are those of the devices, and of the pods that are there. */
static void
is_described(struct json_object *node)
{
	AUTO_FREE char *line =
	    xasprintf("describe node %s", js_str(node, "/metadata/name"));
	AUTO_FREE char *cpu = xasprintf("cpu:     %lld\n",
	    (long long)(node_cpu_m(node, "capacity") / 1000));
	AUTO_FREE char *pods =
	    xasprintf("pods:    %d\n", DEVICES * PODS_OF_DEVICE);
	AUTO_FREE char *all = xasprintf("(%d in total)", REPLICAS + 1);
	AUTO_FREE char *used =
	    xasprintf("cpu                %dm", (REPLICAS + 1) * POD_CPU_M);
	AUTO_FREE char *out = NULL;

	it_ok(kubectl_says(line, &out) == 0, "kubectl %s", line);
	stand_there(out,
	    (const char *[]){ "Ready ", "True ", "Capacity:\n", cpu, pods,
		"Allocatable:\n", cpu, pods, NULL },
	    "Ready, and what its devices have");
	stand_there(out,
	    (const char *[]){ "Non-terminated Pods:", all,
		"Allocated resources:", used, NULL },
	    "its pods, and what they ask for");
	it_ok(strstr(out, "<unknown>") == NULL && strstr(out, "0001") == NULL,
	    "kubectl describe node: nothing unknown, no time of year 1");
}

/* What was not harmed by it until the collector would have. */
static void
live_through(struct json_object *node)
{
	AUTO_JSON struct json_object *pods = pod_uids(KUBE_PODS);
	AUTO_JSON struct json_object *before = flight_devices(), *after = NULL;
	int64_t until = it_ms() + GC_MS;

	delete_node(node);
	cordon();
	it_ok(!kube_await(KUBE_PODS, is_harmed, pods, (int)(until - it_ms())),
	    "no pod is collected, all are as Ready as they were");
	after = flight_devices();
	it_ok(flight_restarts(after) == 0 &&
		flight_generations(after) == flight_generations(before),
	    "nothing was restarted, no spec was written");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = DEVICES });
	p = provider_start("provider", NULL);
	provider_expect(p, "was deleted; it is made again");
	provider_expect(p,
	    "onnect|transfer closed|does not answer|[Ee]mpty reply|SSL");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	open_all();
	is_described(node);
	live_through(node);
	drain();
	close_all();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("node-life", scenario);
}
