/* SPDX-License-Identifier: ISC */
/*
 * replicas: a ReplicaSet grows to 500 pods and shrinks to none under the real
 * controller and the real scheduler.
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
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	DEVICES = 20,
	MANY = 500,
	READY_MS = 20000,
	MANY_MS = 180000,
};

static void
grow_and_shrink(void)
{
	static const struct pod_conf load = { .cpu = "10m", .memory = "4Mi" };
	AUTO_JSON struct json_object *set = NULL;
	int64_t since = it_ms();

	pod_deployment("many", MANY, &load);
	it_took(since, pods_in_phase("many", "Running", MANY, MANY_MS) == MANY,
	    "%d replicas are Running", MANY);
	set = flight_devices();
	it_ok(flight_count(set) == MANY && flight_restarts(set) == 0,
	    "each is on a device, and none was restarted");
	since = it_ms();
	kubectl("scale deployment/many --replicas=0");
	it_took(since, pods_gone("many", MANY_MS), "and all are gone");
	kubectl("delete deployment/many");
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
	grow_and_shrink();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("replicas", scenario);
}
