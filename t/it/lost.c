/* SPDX-License-Identifier: ISC */
/*
 * lost: scenario 5.  A device with a pod falls silent: back in time, all is as
 * it was; out of time, the pod is deleted and the next one runs on the other
 * device, while the old one stays Terminating until its device is back.  On
 * the real servers a Deployment makes the next pod, and a StatefulSet's
 * identity, on the same device, waits for that and is nowhere twice; kubesim
 * has no controllers, there the next pod is made by hand.
 */
#include <stdio.h>
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
#include "t/it/silence.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	TOLD_MS = 60000, /* half of it may be a blink */
	BACK_MS = 60000,
	TIMEOUT_MS = 60000, /* as set */
};

/* A pod of ours. */
struct seat {
	char *name, *uid, *device;
};

static void
seat_free(struct seat *s)
{
	free(s->name);
	free(s->uid);
	free(s->device);
}

/* --- pods ----------------------------------------------------------------- */

static void
create(void)
{
	if (world_kind() == WORLD_SIM)
		free(pod_create("first", &(struct pod_conf){ .app = "web" }));
	else
		pod_deployment("web", 1, NULL);
}

static void
remove_all(void)
{
	if (world_kind() == WORLD_SIM)
		pod_delete("second");
	else
		kube_send("DELETE", KUBE_DEPLOYMENTS "/web", NULL, NULL);
	it_ok(pods_gone("web", RUN_MS), "all are gone");
}

/* The pod whose Ready is so, and the device that has it: the caller's. */
static struct seat
await(const char *ready, const char *except, int ms, const char *what)
{
	AUTO_JSON struct json_object *set = NULL, *pod = NULL;
	struct json_object *device;
	const char *uid;

	if ((pod = pod_whose_ready_is(ready, except, ms, what)) == NULL)
		it_die("without it there is nothing to look at");
	uid = js_str(pod, "/metadata/uid");
	set = flight_devices();
	device = flight_holder(set, uid, NULL);
	return (struct seat){ .name = xstrdup(js_str(pod, "/metadata/name")),
		.uid = xstrdup(uid),
		.device = xstrdup(js_str(device, "/metadata/name")) };
}

/* --- an identity ---------------------------------------------------------- */

#define SHOP "shop-0"

/* Its UID, the caller's; NULL: there are no controllers. */
static char *
shop_create(const char *device)
{
	AUTO_JSON struct json_object *pod = NULL;

	if (world_kind() == WORLD_SIM)
		return NULL;
	pod_statefulset("shop", 1, &(struct pod_conf){ .device = device });
	pod = pod_runs(SHOP, it_ms(), RUN_MS);
	return xstrdup(js_str(pod, "/metadata/uid"));
}

static void
shop_waits(const char *uid, const char *device)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	struct json_object *holder;

	if (uid == NULL)
		return;
	pod = kube_await_one(KUBE_PODS, SHOP, pod_leaves, NULL, RUN_MS);
	it_ok(pod != NULL && pod_leaves(pod, NULL) &&
		strcmp(js_str(pod, "/metadata/uid"), uid) == 0,
	    SHOP " is Terminating, and it is the same");
	set = flight_devices();
	holder = flight_holder(set, uid, NULL);
	it_ok(holder == NULL ||
		strcmp(js_str(holder, "/metadata/name"), device) == 0,
	    "no other device has it");
}

static int
is_next(struct json_object *pod, void *uid)
{
	return strcmp(js_str(pod, "/metadata/uid"), uid) != 0 &&
	    pod_is_ready(pod, NULL);
}

static void
shop_goes_on(char *uid)
{
	AUTO_JSON struct json_object *pod = NULL;
	int64_t since = it_ms();

	if (uid == NULL)
		return;
	pod = kube_await_one(KUBE_PODS, SHOP, is_next, uid, BACK_MS);
	it_took(since, pod != NULL && is_next(pod, uid),
	    "the device is back: the next " SHOP " is Ready");
	it_ok(flight_await_removed(uid, BACK_MS),
	    "the one before is on no device");
	kube_send("DELETE", KUBE_STATEFULSETS "/shop", NULL, NULL);
	it_ok(pods_gone("shop", RUN_MS), "and it is gone");
}

/* --- the scenario --------------------------------------------------------- */

static void
back_in_time(const struct seat *was)
{
	AUTO_JSON struct json_object *before = flight_devices(), *after = NULL;
	struct seat lost, again;

	silence(&was->device, 1);
	lost = await("Unknown", NULL, TOLD_MS, "its pod's Ready is Unknown");
	pod_is_told(was->uid, "DeviceDisconnected", "disconnected", TOLD_MS);
	silence_ends(&was->device, 1);
	again = await("True", NULL, BACK_MS, "back in time: Ready again");
	pod_is_told(was->uid, "DeviceReconnected", "", BACK_MS);
	it_ok(strcmp(again.uid, was->uid) == 0 &&
		strcmp(again.device, was->device) == 0,
	    "it is the same pod on the same device");
	after = flight_devices();
	it_ok(flight_restarts(after) == 0 &&
		flight_generations(after) == flight_generations(before),
	    "nothing was restarted, no spec was written");
	seat_free(&lost);
	seat_free(&again);
}

static void
out_of_time(const struct seat *was)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	AUTO_FREE char *shop = shop_create(was->device);
	struct seat next;
	int64_t since;

	silence(&was->device, 1);
	pod_is_told(was->uid, "DeviceTimeoutExceeded", "",
	    TOLD_MS + TIMEOUT_MS);
	pod = kube_await_one(KUBE_PODS, was->name, pod_leaves, NULL, RUN_MS);
	it_ok(pod != NULL && pod_leaves(pod, NULL), "it is to be deleted");
	if (world_kind() == WORLD_SIM)
		free(pod_create("second", &(struct pod_conf){ .app = "web" }));
	next = await("True", was->uid, RUN_MS, "another pod is Ready");
	it_ok(strcmp(next.device, was->device) != 0,
	    "it runs on the other device (%s, not %s)", next.device,
	    was->device);
	json_object_put(pod);
	pod = kube_await_one(KUBE_PODS, was->name, pod_leaves, NULL, RUN_MS);
	it_ok(pod != NULL && pod_leaves(pod, NULL),
	    "the old one is Terminating, for it may run there still");
	shop_waits(shop, was->device);
	since = it_ms();
	silence_ends(&was->device, 1);
	it_took(since, kube_await_gone(KUBE_PODS, was->name, BACK_MS),
	    "the device is back: the old one is gone");
	it_ok(flight_await_removed(was->uid, BACK_MS),
	    "and its application with it");
	set = flight_devices();
	it_ok(flight_reports(flight_holder(set, next.uid, NULL), next.uid),
	    "the next runs on");
	shop_goes_on(shop);
	seat_free(&next);
}

static void
scenario(void)
{
	static const char *const settings[] = { "STATUS_POLL_INTERVAL=1s",
		"DEVICE_RECONNECT_TIMEOUT=1m", NULL };
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;
	struct seat first;

	world_open(&(struct world_conf){ .devices = 2, .disconnect_ms = 3000 });
	p = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	create();
	first = await("True", NULL, RUN_MS, "its pod is Ready");
	back_in_time(&first);
	out_of_time(&first);
	remove_all();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	seat_free(&first);
}

int
main(void)
{
	return it_run("lost", scenario);
}
