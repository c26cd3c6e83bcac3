/* SPDX-License-Identifier: ISC */
/*
 * two_fleets: two fleets are two nodes of one provider, each with its own
 * devices, pods and Leases.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define OTHER "two-fleets-b"
#define OTHER_NODE "vk-flightctl-" OTHER
#define BOTH "FLEET_ID=two-fleets," OTHER
#define ONE "FLEET_ID=two-fleets"
#define OFTEN "RESYNC_INTERVAL=5s" /* full lists */
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"
#define ALIVE LEASES "kube-node-lease/leases"
#define WRITERS LEASES "vk-flightctl/leases"

enum {
	DEVICES = 4, /* two a fleet */
	READY_MS = 20000,
	RUN_MS = 20000,
};

/* A pod of a fleet. */
struct place {
	const char *pod, *fleet, *node;
	char *uid;
};

static struct place a = { "a", "two-fleets", "vk-flightctl-two-fleets", NULL };
static struct place b = { "b", OTHER, OTHER_NODE, NULL };

/* --- the other fleet ------------------------------------------------------ */

static void
split(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	const char *name;
	int n = 0;

	while (js_next(set, &at, &name, &device))
		if (n++ % 2 == 1)
			flight_relabel(name, "\"fleet\":\"" OTHER "\"");
	flight_also(OTHER);
}

/* --- one node ------------------------------------------------------------- */

static int
has_holder(struct json_object *lease, void *arg)
{
	(void)arg;
	return *js_str(lease, "/spec/holderIdentity") != '\0';
}

static void
has_leases(const char *node)
{
	AUTO_JSON struct json_object *alive = NULL, *writer = NULL;

	alive = kube_await_one(ALIVE, node, has_holder, NULL, READY_MS);
	it_ok(alive != NULL && has_holder(alive, NULL) &&
		strcmp(js_str(alive, "/metadata/ownerReferences/0/name"),
		    node) == 0,
	    "%s has a Lease of its own that says it is alive", node);
	writer = kube_await_one(WRITERS, node, has_holder, NULL, READY_MS);
	it_ok(writer != NULL && has_holder(writer, NULL),
	    "and one that says who writes: %s",
	    js_str(writer, "/spec/holderIdentity"));
}

/* Bound to its node, and on one device, which is of its fleet. */
static void
runs(struct place *p)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	struct json_object *device;
	size_t n;

	p->uid = pod_create(p->pod, &(struct pod_conf){ .fleet = p->fleet });
	pod = pod_runs(p->pod, it_ms(), RUN_MS);
	it_ok(strcmp(js_str(pod, "/spec/nodeName"), p->node) == 0,
	    "%s is on %s", p->pod, js_str(pod, "/spec/nodeName"));
	set = flight_devices();
	device = flight_holder(set, p->uid, &n);
	it_ok(n == 1 &&
		strcmp(js_str(device, "/metadata/labels/fleet"), p->fleet) == 0,
	    "on %zu device, %s of fleet %s", n,
	    js_str(device, "/metadata/name"),
	    js_str(device, "/metadata/labels/fleet"));
}

static void
are_ready(void)
{
	json_object_put(node_named_is_ready(a.node, READY_MS));
	json_object_put(node_named_is_ready(b.node, READY_MS));
}

/* --- what happens --------------------------------------------------------- */

static int64_t
generation_of(const struct place *p)
{
	AUTO_JSON struct json_object *set = flight_devices();

	return js_int(flight_holder(set, p->uid, NULL), "/metadata/generation");
}

static void
leave_the_other_alone(void)
{
	AUTO_JSON struct json_object *pod = NULL;
	int64_t before = generation_of(&b), since = it_ms();

	pod_delete(a.pod);
	it_took(since,
	    kube_await_gone(KUBE_PODS, a.pod, RUN_MS) &&
		flight_await_removed(a.uid, RUN_MS),
	    "%s is deleted, and gone from its device", a.pod);
	pod = kube_get(KUBE_PODS "/b");
	it_ok(strcmp(js_str(pod, "/metadata/uid"), b.uid) == 0 &&
		strcmp(js_condition(pod, "Ready"), "True") == 0 &&
		js_get(pod, "/metadata/deletionTimestamp") == NULL &&
		generation_of(&b) == before,
	    "%s is as Ready as before, its device was not written", b.pod);
}

static void
scenario(void)
{
	struct provider *p;

	world_open(&(struct world_conf){ .devices = DEVICES });
	split();
	p = provider_start("provider", (const char *[]){ BOTH, OFTEN, NULL });
	are_ready();
	has_leases(a.node);
	has_leases(b.node);
	runs(&a);
	runs(&b);
	leave_the_other_alone();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("two-fleets", scenario);
}
