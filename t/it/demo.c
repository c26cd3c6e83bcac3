/* SPDX-License-Identifier: ISC */
/*
 * demo: the main job, step by step on simulators, for a person at a terminal.
 * Each line "ok" is something that was observed in one of the two APIs; exit
 * status 0 only when all of them were.
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
#include "t/it/world.h"

#define EVENTS "/api/v1/namespaces/default/events"

enum {
	DEVICES = 3,
	READY_MS = 15000,
	RUN_MS = 10000,
	SILENT_MS = 50000, /* a device may flap for 30 s before it counts */
};

static void
step(const char *title)
{
	static int n;

	printf("\n%d. %s\n", ++n, title);
}

static void
show_fleet(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *d;
	struct lh_entry *at = NULL;
	const char *name;

	printf("   %-16s %-8s %4s %10s %s\n", "DEVICE", "STATUS", "CPU",
	    "MEMORY", "APPLICATIONS");
	while (js_next(set, &at, &name, &d))
		printf("   %-16s %-8s %4s %8sKi %zu\n", name,
		    js_str(d, "/status/summary/status"),
		    js_str(d, "/status/systemInfo/cpuCores"),
		    js_str(d, "/status/systemInfo/memoryTotalKb"),
		    js_len(d, "/spec/applications"));
}

static void
show_node(struct json_object *node)
{
	printf("   %-26s %-8s %4s %10s\n   %-26s %-8s %4s %10s\n", "NODE",
	    "READY", "CPU", "MEMORY", world_node(), js_condition(node, "Ready"),
	    js_str(node, "/status/capacity/cpu"),
	    js_str(node, "/status/capacity/memory"));
}

static void
show_pods(void)
{
	AUTO_JSON struct json_object *list = kube_get(KUBE_PODS), *set = NULL;
	struct json_object *pod, *device;
	size_t i;

	set = flight_devices();
	printf("   %-16s %-10s %-8s %s\n", "POD", "PHASE", "READY", "DEVICE");
	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++) {
		device = flight_holder(set, js_str(pod, "/metadata/uid"), NULL);
		printf("   %-16s %-10s %-8s %s\n",
		    js_str(pod, "/metadata/name"), js_str(pod, "/status/phase"),
		    js_condition(pod, "Ready"),
		    js_str(device, "/metadata/name"));
	}
}

/* The device that holds a pod; caller frees. */
static char *
device_of(const char *uid)
{
	AUTO_JSON struct json_object *set = flight_devices();

	return xstrdup(js_str(flight_holder(set, uid, NULL), "/metadata/name"));
}

static int
spread(char *const uids[])
{
	AUTO_FREE char *a = device_of(uids[0]), *b = device_of(uids[1]),
		       *c = device_of(uids[2]);

	return *a != '\0' && *b != '\0' && *c != '\0' && strcmp(a, b) != 0 &&
	    strcmp(b, c) != 0 && strcmp(a, c) != 0;
}

struct event_wait {
	const char *reason, *pod;
	char text[256];
};

static int
has_event(struct json_object *set, void *arg)
{
	struct event_wait *w = arg;
	struct json_object *e;
	struct lh_entry *at = NULL;

	while (js_next(set, &at, NULL, &e)) {
		if (strcmp(js_str(e, "/reason"), w->reason) != 0 ||
		    strcmp(js_str(e, "/involvedObject/name"), w->pod) != 0)
			continue;
		(void)snprintf(w->text, sizeof(w->text), "%s",
		    js_str(e, "/message"));
		return 1;
	}
	return 0;
}

static void
event_comes(const char *reason, const char *pod, int ms)
{
	struct event_wait w = { .reason = reason, .pod = pod };
	int64_t since = it_ms();

	it_took(since, kube_await(EVENTS, has_event, &w, ms),
	    "Event %s for pod %s: %s", reason, pod, w.text);
}

static int
is_not_ready(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_condition(pod, "Ready"), "True") != 0;
}

static int
is_ready(struct json_object *pod, void *arg)
{
	return !is_not_ready(pod, arg);
}

static void
deploy(char *uids[])
{
	char name[16];
	int64_t since = it_ms();
	int i;

	step("Three pods for that node");
	for (i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "web-%d", i);
		uids[i] = pod_create(name, &(struct pod_conf){ .app = "web" });
	}
	i = pods_in_phase("web", "Running", 3, RUN_MS) == 3;
	it_took(since, i, "all three are Running");
	for (i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "web-%d", i);
		json_object_put(
		    kube_await_one(KUBE_PODS, name, is_ready, NULL, RUN_MS));
	}
	show_pods();
	it_ok(spread(uids), "each is a Quadlet application on another device");
}

static int
is_untouched(const char *uid, const char *device)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *d = flight_holder(set, uid, NULL), *app;

	app = js_find(d, "/status/applications", "name",
	    js_str(flight_application(d, uid), "/name"));
	return strcmp(js_str(d, "/metadata/name"), device) == 0 &&
	    app != NULL && js_int(app, "/restarts") == 0;
}

static void
unplug(const char *device)
{
	AUTO_JSON struct json_object *pod = NULL, *late = NULL;
	AUTO_FREE char *uid = NULL, *other = NULL;

	step("The device of web-0 is unplugged");
	it_say("%s is silent now; devices flap, so this counts in 30 s",
	    device);
	free(world_tell(SIM_EDGE, "disconnect %s", device));
	event_comes("DeviceDisconnected", "web-0", SILENT_MS);
	pod = kube_await_one(KUBE_PODS, "web-0", is_not_ready, NULL, RUN_MS);
	it_ok(pod != NULL && is_not_ready(pod, NULL),
	    "web-0 is not Ready (%s), and stays for DEVICE_RECONNECT_TIMEOUT",
	    js_reason(pod, "Ready"));
	uid = pod_create("late", NULL);
	if ((late = pod_runs("late", it_ms(), RUN_MS)) != NULL)
		other = device_of(uid);
	it_ok(other != NULL && strcmp(other, device) != 0,
	    "a new pod goes to %s", other == NULL ? "nowhere" : other);
	show_pods();
	step("It is back");
	free(world_tell(SIM_EDGE, "connect %s", device));
	event_comes("DeviceReconnected", "web-0", SILENT_MS);
	json_object_put(pod);
	pod = kube_await_one(KUBE_PODS, "web-0", is_ready, NULL, RUN_MS);
	it_ok(pod != NULL && is_ready(pod, NULL), "web-0 is Ready again");
	it_ok(is_untouched(js_str(pod, "/metadata/uid"), device),
	    "it was neither moved nor restarted");
}

static void
remove_one(const char *uid)
{
	int64_t since = it_ms();

	step("web-1 is deleted");
	pod_delete("web-1");
	it_took(since, flight_await_removed(uid, RUN_MS),
	    "its application is gone from the device");
	it_ok(kube_await_gone(KUBE_PODS, "web-1", RUN_MS),
	    "its object is gone from Kubernetes");
	show_pods();
}

static void
scenario(void)
{
	static const char *const fast[] = { "STATUS_POLL_INTERVAL=1s", NULL };
	AUTO_JSON struct json_object *node = NULL;
	AUTO_FREE char *device = NULL;
	struct provider *p;
	char *uids[3];

	puts("Kubernetes pods on edge devices that Flightctl manages.\n"
	     "Both servers are simulated; the provider is the real one.");
	step("A fleet of edge devices in Flightctl");
	world_open(&(struct world_conf){ .devices = DEVICES,
	    .fleet = "edge-fleet-1",
	    .disconnect_ms = 3000 });
	show_fleet();
	step("The provider starts: the fleet is one node in Kubernetes");
	p = provider_start("provider", fast);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	show_node(node);
	deploy(uids);
	device = device_of(uids[0]);
	unplug(device);
	remove_one(uids[1]);
	it_ok(provider_stop(p) == 0,
	    "the provider stops; what runs on the devices goes on");
	show_fleet();
	if (it_failed() == 0)
		puts("\nNext, with your own servers (see README.md):\n"
		     "   KUBECONFIG=... FLIGHTCTL_API_URL=https://... \\\n"
		     "   FLIGHTCTL_AUTH_TOKEN_FILE=... FLEET_ID=... \\\n"
		     "   build/opt/bin/vk-flightctl-provider\n");
}

int
main(void)
{
	return it_run("demo", scenario);
}
