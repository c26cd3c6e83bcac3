/* SPDX-License-Identifier: ISC */
/*
 * insufficient: scenario 3.  A pod asks for more than any device has, though
 * for less than the node, which is all of them: the scheduler sends it, the
 * placer refuses it with the figures of the best device.  A bare pod has
 * failed, a controller's stays Pending, which would make another one without
 * end; neither is in any spec.
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

#define REASON "InsufficientResources"

enum {
	DEVICES = 2,
	READY_MS = 30000,
	TOLD_MS = 20000,
};

/* A Deployment's pod; where there are no controllers: as if it had one. */
static void
create_owned(const struct pod_conf *conf)
{
	AUTO_FREE char *template = NULL;

	if (world_kind() != WORLD_SIM) {
		pod_deployment("owned", 1, conf);
		return;
	}
	template = pod_template("owned", conf);
	if (kube_send("POST", KUBE_PODS,
		js_make("{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
			"\"metadata\":{\"name\":\"owned\",\"labels\":"
			"{\"app\":\"owned\"},\"ownerReferences\":[{"
			"\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\","
			"\"name\":\"owned\",\"uid\":\"1\","
			"\"controller\":true}]},%s}",
		    strstr(template, "\"spec\"")),
		NULL) != 201)
		it_die("pod owned is refused");
}

static void
remove_owned(void)
{
	if (world_kind() == WORLD_SIM)
		pod_delete("owned");
	else
		kube_send("DELETE", KUBE_DEPLOYMENTS "/owned", NULL, NULL);
	it_ok(pods_gone("owned", TOLD_MS), "the controller's is gone");
}

/* What the message must begin with; the device's name is any. */
static void
says(const char *message, int64_t has, int64_t asked)
{
	AUTO_JSON struct json_object *found = NULL;
	char device[64] = "";
	long long cpu = 0, requested = 0;
	int n = sscanf(message,
	    "Insufficient resources: Device %63s has %lld CPU, requested %lld "
	    "CPU",
	    device, &cpu, &requested);

	it_ok(n == 3 && cpu == has && requested == asked,
	    "it names a device, what it has and what was asked for: %s",
	    message);
	found = flight_device(device);
	it_ok(n == 3 && found != NULL, "%s is a device", device);
}

static void
refuse(int64_t has)
{
	AUTO_FREE char *cpu = xasprintf("%lld", (long long)has + 1);
	AUTO_FREE char *uid = NULL;
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	const struct pod_conf conf = { .cpu = cpu };
	int64_t since = it_ms();

	uid = pod_create("bare", &conf);
	it_took(since, pods_have("Failed", REASON, TOLD_MS),
	    "a bare pod has failed: " REASON);
	pod = kube_get(KUBE_PODS "/bare");
	says(js_str(pod, "/status/message"), has, has + 1);
	it_ok(pod_has_event(uid, REASON, "Insufficient resources", TOLD_MS),
	    "an Event says so");
	/* The node has room for one of them: a pod that failed takes none. */
	since = it_ms();
	create_owned(&conf);
	it_took(since, pods_have("Pending", REASON, TOLD_MS),
	    "a controller's pod is Pending: " REASON);
	set = flight_devices();
	it_ok(flight_count(set) == 0, "no device was given either");
	pod_delete("bare");
	it_ok(pods_gone("bare", TOLD_MS), "the bare pod is gone");
	remove_owned();
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = DEVICES });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	refuse(node_cpu_m(node, "capacity") / 1000 / DEVICES);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("insufficient", scenario);
}
