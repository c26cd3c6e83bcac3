/* SPDX-License-Identifier: ISC */
/*
 * two_providers: two providers for one fleet, as in a rolling update or a
 * forgotten host: one writes.  When it dies, the other takes over; no pod is
 * ever on two devices.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/vk-flightctl/leases"
#define WRITES "\"operation\":\"PUT\""

enum {
	DEVICES = 4,
	PODS = 12,
	READY_MS = 20000,
	RUN_MS = 20000,
	TAKE_OVER_MS = 45000, /* a lease of 15 s, then complete lists */
};

static int
has_holder(struct json_object *lease, void *other)
{
	const char *holder = js_str(lease, "/spec/holderIdentity");

	return *holder != '\0' && (other == NULL || strcmp(holder, other) != 0);
}

/* Who holds the writer's lease and is not `other'; caller frees. */
static char *
holder(char *other, int ms)
{
	AUTO_JSON struct json_object *lease = NULL;

	lease = kube_await_one(LEASES, world_node(), has_holder, other, ms);
	if (lease == NULL || !has_holder(lease, other))
		return xstrdup("");
	return xstrdup(js_str(lease, "/spec/holderIdentity"));
}

static void
each_once(size_t pods, const char *when)
{
	AUTO_JSON struct json_object *set = flight_devices();

	it_ok(flight_count(set) == pods, "%s: %zu applications for %zu pods",
	    when, flight_count(set), pods);
}

static void
deploy(void)
{
	char name[16];
	unsigned int n;
	int i;

	for (i = 0; i < PODS; i++) {
		(void)snprintf(name, sizeof(name), "two-%d", i);
		free(pod_create(name, &(struct pod_conf){ .app = "two" }));
	}
	n = pods_in_phase("two", "Running", PODS, RUN_MS);
	it_ok(n == PODS, "%u of %d pods are Running", n, PODS);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	AUTO_FREE char *first = NULL, *second = NULL;
	struct provider *one, *two;

	world_open(&(struct world_conf){ .devices = DEVICES });
	one = provider_start("one", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	first = holder(NULL, READY_MS);
	it_ok(*first != '\0', "the first holds the lease (%s)", first);
	two = provider_start("two", NULL);
	it_ok(provider_await_lines(two, "all workers are ready", 1, READY_MS) >
		0,
	    "a second one starts beside it");
	deploy();
	each_once(PODS, "with two providers");
	kill(provider_pid(one), SIGKILL);
	child_wait(provider_pid(one), READY_MS);
	second = holder(first, TAKE_OVER_MS);
	it_ok(*second != '\0', "the second takes the lease over (%s)", second);
	free(pod_create("late", NULL));
	json_object_put(pod_runs("late", it_ms(), TAKE_OVER_MS));
	each_once(PODS + 1, "after the first has died");
	provider_judge(one);
	provider_judge(two);
	it_ok(provider_stop(two) == 0, "the second ends by SIGTERM");
}

int
main(void)
{
	return it_run("two-providers", scenario);
}
