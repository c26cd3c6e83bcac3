/* SPDX-License-Identifier: ISC */
/*
 * deployment: three replicas with nodeSelector fleet: edge-fleet-1 land on
 * three different devices, and the node's figures follow.  On the real servers
 * it is a Deployment and the scheduler's work; kubesim has no controllers,
 * there it is three pods.
 */
#include <stdio.h>
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

enum {
	REPLICAS = 3,
	READY_MS = 20000,
	RUN_MS = 20000,
};

static void
create_pods(void)
{
	const struct pod_conf conf = { .app = "web" };
	char name[16];
	int i;

	for (i = 0; i < REPLICAS; i++) {
		(void)snprintf(name, sizeof(name), "web-%d", i);
		free(pod_create(name, &conf));
	}
}

static void
remove_all(void)
{
	char name[16];
	int i;

	if (world_kind() != WORLD_SIM) {
		kube_send("DELETE", KUBE_DEPLOYMENTS "/web", NULL, NULL);
		return;
	}
	for (i = 0; i < REPLICAS; i++) {
		(void)snprintf(name, sizeof(name), "web-%d", i);
		pod_delete(name);
	}
}

static size_t
devices_used(struct json_object *set)
{
	struct json_object *device;
	struct lh_entry *at = NULL;
	size_t n = 0;

	while (js_next(set, &at, NULL, &device))
		n += js_len(device, "/spec/applications") > 0;
	return n;
}

/* "free" in the node's annotations, as the literal task asks. */
static int
shows_requests(struct json_object *node, void *arg)
{
	const char *text =
	    json_object_to_json_string(js_get(node, "/metadata/annotations"));

	return strstr(text, arg) != NULL;
}

static void
look_at_figures(struct json_object *before)
{
	AUTO_JSON struct json_object *node = NULL;
	AUTO_FREE char *free_cpu = NULL;
	int64_t all = node_cpu_m(before, "capacity");

	free_cpu = xasprintf("\"%lldm\"", (long long)all - 100 * REPLICAS);
	node = kube_await_one(KUBE_NODES, world_node(), shows_requests,
	    free_cpu, READY_MS);
	it_ok(node != NULL && shows_requests(node, free_cpu),
	    "the node shows %s of CPU as free (%s)", free_cpu,
	    json_object_to_json_string(js_get(node, "/metadata/annotations")));
	it_ok(node_cpu_m(node, "capacity") == all,
	    "its capacity stays what the devices have");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	struct provider *p;
	unsigned int running;
	int64_t since;

	world_open(&(struct world_conf){ .devices = REPLICAS + 1,
	    .fleet = "edge-fleet-1" });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	since = it_ms();
	if (world_kind() == WORLD_SIM)
		create_pods();
	else
		pod_deployment("web", REPLICAS, NULL);
	running = pods_in_phase("web", "Running", REPLICAS, RUN_MS);
	it_took(since, running == REPLICAS, "%u of %d replicas are Running",
	    running, REPLICAS);
	set = flight_devices();
	it_ok(devices_used(set) == REPLICAS,
	    "they are on %zu different devices", devices_used(set));
	it_ok(flight_count(set) == REPLICAS, "each of them once");
	look_at_figures(node);
	remove_all();
	it_ok(pods_gone("web", RUN_MS), "all are gone when deleted");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("deployment", scenario);
}
