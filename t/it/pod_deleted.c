/* SPDX-License-Identifier: ISC */
/*
 * pod_deleted: a deleted pod is gone from its device within 10 s, its object
 * is gone, and its room is given back: what did not fit now fits.
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

enum {
	READY_MS = 20000,
	RUN_MS = 10000,
};

/* Most of what the only device has. */
static char *
large(struct json_object *node)
{
	return xasprintf("%lldm",
	    (long long)node_cpu_m(node, "allocatable") * 6 / 10);
}

static int
waits_for_room(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_str(pod, "/status/phase"), "Pending") == 0 &&
	    strstr(json_object_to_json_string(js_get(pod, "/status")),
		"Insufficient resources") != NULL;
}

static void
delete_and_look(const char *name, const char *uid)
{
	int64_t since = it_ms();
	int gone;

	pod_delete(name);
	gone = flight_await_removed(uid, RUN_MS);
	it_took(since, gone, "%s is gone from its device", name);
	gone = kube_await_gone(KUBE_PODS, name, RUN_MS);
	it_took(since, gone, "its object is gone");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *first = NULL, *next = NULL,
				     *second = NULL, *set = NULL;
	AUTO_FREE char *cpu = NULL, *uid1 = NULL, *uid2 = NULL;
	struct pod_conf conf = { .bound = 1 };
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 1 });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	conf.cpu = cpu = large(node);
	uid1 = pod_create("first", &conf);
	if ((first = pod_runs("first", it_ms(), RUN_MS)) == NULL)
		return;
	uid2 = pod_create("second", &conf);
	next =
	    kube_await_one(KUBE_PODS, "second", waits_for_room, NULL, RUN_MS);
	it_ok(next != NULL && waits_for_room(next, NULL),
	    "a second one of that size waits for room");
	delete_and_look("first", uid1);
	second = pod_runs("second", it_ms(), RUN_MS);
	delete_and_look("second", uid2);
	set = flight_devices();
	it_ok(flight_count(set) == 0, "nothing of ours is left in any spec");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("pod-deleted", scenario);
}
