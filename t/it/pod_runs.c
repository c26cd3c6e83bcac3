/* SPDX-License-Identifier: ISC */
/*
 * pod_runs: a pod for the virtual node is Running within 10 s, on one device
 * of its fleet, and says nothing that is not true; the node is what design 9
 * promises.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/fleet.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

enum {
	DEVICES = 3,
	READY_MS = 20000,
	RUN_MS = 10000,
	LEASE_S = 40,
};

static void
has_label(struct json_object *node, const char *key, const char *value)
{
	struct json_object *o = NULL;
	const char *is = "";

	if (json_object_object_get_ex(js_get(node, "/metadata/labels"), key,
		&o))
		is = json_object_get_string(o);
	it_ok(strcmp(is, value) == 0, "the node's label %s is %s (%s)", key,
	    value, is);
}

static void
look_at_node(struct json_object *node)
{
	AUTO_JSON struct json_object *lease = NULL, *set = NULL;
	struct json_object *taint;
	struct fleet_sum sum;

	has_label(node, "type", "virtual-kubelet");
	has_label(node, "kubernetes.io/role", "agent");
	has_label(node, "kubernetes.io/os", "linux");
	has_label(node, "kubernetes.io/hostname", world_node());
	has_label(node, "fleet", world_fleet());
	taint =
	    js_find(node, "/spec/taints", "key", "virtual-kubelet.io/provider");
	it_ok(strcmp(js_str(taint, "/value"), "flightctl") == 0 &&
		strcmp(js_str(taint, "/effect"), "NoSchedule") == 0,
	    "the node has the taint virtual-kubelet.io/provider");
	set = flight_devices();
	sum = fleet_sum(set);
	it_ok(node_cpu_m(node, "capacity") == sum.cpu_m,
	    "its CPU is that of all devices (%lld of %lld milli)",
	    (long long)node_cpu_m(node, "capacity"), (long long)sum.cpu_m);
	it_ok(node_bytes(node, "capacity") == sum.memory,
	    "its memory is that of all devices (%lld of %lld bytes)",
	    (long long)node_bytes(node, "capacity"), (long long)sum.memory);
	it_ok(node_cpu_m(node, "allocatable") > 0 &&
		node_cpu_m(node, "allocatable") <= sum.cpu_m,
	    "allocatable is not more than capacity");
	lease = kube_await_one(LEASES, world_node(), NULL, NULL, READY_MS);
	it_ok(js_int(lease, "/spec/leaseDurationSeconds") == LEASE_S &&
		*js_str(lease, "/spec/renewTime") != '\0',
	    "the node has a lease of %d s", LEASE_S);
}

static void
look_at_pod(struct json_object *pod, const char *device)
{
	struct json_object *c = js_get(pod, "/status/containerStatuses/0");

	it_ok(js_len(pod, "/status/containerStatuses") == 1 &&
		strcmp(js_str(c, "/name"), "main") == 0 &&
		json_object_get_boolean(js_get(c, "/started")),
	    "its one container has started");
	it_ok(*js_str(pod, "/status/podIP") == '\0', "podIP is empty (%s)",
	    js_str(pod, "/status/podIP"));
	it_ok(*js_str(pod, "/status/startTime") != '\0', "startTime is set");
	it_ok(strcmp(js_condition(pod, "vk.flightctl.io/Device"), "True") == 0,
	    "condition vk.flightctl.io/Device is True (%s)",
	    js_condition(pod, "vk.flightctl.io/Device"));
	it_ok(strstr(js_str(js_find(pod, "/status/conditions", "type",
				"vk.flightctl.io/Device"),
			 "/message"),
		  device) != NULL,
	    "and names device %s", device);
}

static int
is_reported(struct json_object *set, void *uid)
{
	struct json_object *device = flight_holder(set, uid, NULL), *report;

	report = js_find(device, "/status/applications", "name",
	    js_str(flight_application(device, uid), "/name"));
	return strcmp(js_str(report, "/status"), "Running") == 0;
}

static void
look_at_device(char *uid)
{
	AUTO_JSON struct json_object *set = NULL;
	struct json_object *device, *app;
	size_t n;

	it_ok(flight_await(is_reported, uid, RUN_MS),
	    "the device reports the application as Running");
	set = flight_devices();
	device = flight_holder(set, uid, &n);
	it_ok(n == 1, "one device has it in its spec (%zu)", n);
	app = flight_application(device, uid);
	it_ok(strcmp(js_str(app, "/appType"), "quadlet") == 0,
	    "its application %s is of type quadlet", js_str(app, "/name"));
	it_ok(flight_count(set) == 1, "no other application is in any spec");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL, *ready = NULL,
				     *set = NULL;
	AUTO_FREE char *uid = NULL;
	struct provider *p;
	int64_t since;

	world_open(&(struct world_conf){ .devices = DEVICES });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	look_at_node(node);
	since = it_ms();
	uid = pod_create("web", NULL);
	if ((pod = pod_runs("web", since, RUN_MS)) == NULL)
		return;
	set = flight_devices();
	look_at_pod(pod,
	    js_str(flight_holder(set, uid, NULL), "/metadata/name"));
	look_at_device(uid);
	ready = kube_await_one(KUBE_PODS, "web", pod_is_ready, NULL, RUN_MS);
	it_took(since, ready != NULL && pod_is_ready(ready, NULL),
	    "the pod is Ready");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("pod-runs", scenario);
}
