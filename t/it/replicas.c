/* SPDX-License-Identifier: ISC */
/*
 * replicas: a ReplicaSet grows to 500 pods and shrinks to none under the real
 * controller and the real scheduler.  Meanwhile the device of a StatefulSet's
 * pod is silent and out of time: its identity waits, Terminating, until the
 * device is back, and is nowhere twice.
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
#include "t/it/silence.h"
#include "t/it/world.h"

#define STATEFULSETS "/apis/apps/v1/namespaces/default/statefulsets"

enum {
	DEVICES = 20,
	MANY = 500,
	READY_MS = 20000,
	RUN_MS = 30000,
	TOLD_MS = 60000, /* half of it may be a blink */
	MANY_MS = 180000,
	OUT_MS = 180000, /* silent, and a minute over, as set */
	BACK_MS = 60000,
};

/* --- one identity --------------------------------------------------------- */

static void
create_shop(void)
{
	AUTO_FREE char *template = pod_template("shop", NULL);

	if (kube_send("POST", STATEFULSETS,
		js_make("{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\","
			"\"metadata\":{\"name\":\"shop\"},\"spec\":{"
			"\"serviceName\":\"shop\",\"replicas\":1,\"selector\":"
			"{\"matchLabels\":{\"app\":\"shop\"}},"
			"\"template\":{%s}}}",
		    template),
		NULL) != 201)
		it_die("the StatefulSet is refused");
}

/* The device that has that pod; the caller's. */
static char *
device_of(const char *uid)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device = flight_holder(set, uid, NULL);

	return xstrdup(js_str(device, "/metadata/name"));
}

static void
out_of_time(const char *uid)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	size_t n;

	pod_is_told(uid, "DeviceTimeoutExceeded", "", OUT_MS);
	pod = kube_await_one(KUBE_PODS, "shop-0", pod_leaves, NULL, RUN_MS);
	it_ok(pod != NULL && pod_leaves(pod, NULL) &&
		strcmp(js_str(pod, "/metadata/uid"), uid) == 0,
	    "out of time: shop-0 is Terminating, and it is the same");
	set = flight_devices();
	flight_holder(set, uid, &n);
	it_ok(n == 1 && flight_count(set) == 1, "no other device has it");
}

static void
back(char *device, const char *was)
{
	AUTO_JSON struct json_object *next = NULL;
	AUTO_FREE char *where = NULL;
	int64_t since = it_ms();

	silence_ends(&device, 1);
	next = pod_whose_ready_is("True", was, BACK_MS,
	    "the device is back: the next shop-0 is Ready");
	it_took(since, flight_await_removed(was, BACK_MS),
	    "the old one is on no device");
	where = next == NULL ? xstrdup("") :
			       device_of(js_str(next, "/metadata/uid"));
	it_ok(where[0] != '\0', "the next is on one (%s)", where);
}

/* --- many ----------------------------------------------------------------- */

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
	it_ok(flight_count(set) == MANY + 1 && flight_restarts(set) == 0,
	    "each is on a device, and none was restarted");
	since = it_ms();
	kubectl("scale deployment/many --replicas=0");
	it_took(since, pods_gone("many", MANY_MS), "and all are gone");
	kubectl("delete deployment/many");
}

static void
scenario(void)
{
	static const char *const settings[] = { "DEVICE_RECONNECT_TIMEOUT=1m",
		NULL };
	AUTO_JSON struct json_object *node = NULL, *shop = NULL;
	AUTO_FREE char *device = NULL;
	const char *uid;
	struct provider *p;

	world_open(
	    &(struct world_conf){ .devices = DEVICES, .disconnect_ms = 3000 });
	p = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	create_shop();
	if ((shop = pod_whose_ready_is("True", NULL, RUN_MS,
		 "shop-0 is Ready")) == NULL)
		return;
	uid = js_str(shop, "/metadata/uid");
	device = device_of(uid);
	silence(&device, 1);
	json_object_put(pod_whose_ready_is("Unknown", NULL, TOLD_MS,
	    "nobody knows of shop-0"));
	grow_and_shrink();
	out_of_time(uid);
	back(device, uid);
	kubectl("delete statefulset/shop");
	it_ok(pods_gone("shop", RUN_MS), "and it is gone");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("replicas", scenario);
}
