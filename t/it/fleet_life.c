/* SPDX-License-Identifier: ISC */
/*
 * fleet_life: what becomes of pods whose devices are enrolled again, are
 * relabelled, are taken over by a Fleet of Flightctl, are decommissioned and
 * deleted; and of devices that come back.
 */
#include <stdlib.h>
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

#define OFTEN "RESYNC_INTERVAL=5s" /* full lists */

enum {
	DEVICES = 5,
	READY_MS = 20000,
	RUN_MS = 20000,
	ONLINE_MS = 40000,
	TAKE_MS = 20000,
	LEAVE_MS = 60000, /* 40 s from the list that shows it */
};

/* A pod on a device of its own. */
struct place {
	const char *pod;
	char *uid;
	char *device;
	char *created; /* of the device */
};

/* --- devices -------------------------------------------------------------- */

static char *
device_path(const char *name, const char *what)
{
	return xasprintf("/api/v1/devices/%s%s", name, what);
}

static void
decommission(const char *name)
{
	AUTO_FREE char *path = device_path(name, "/decommission");

	it_ok(flight_send("PUT", path, js_make("{\"target\":\"Unenroll\"}"),
		  NULL) == 200,
	    "a device is decommissioned");
}

static void
delete_device(const char *name)
{
	AUTO_FREE char *path = device_path(name, "");

	if (flight_send("DELETE", path, NULL, NULL) != 200)
		it_die("%s cannot be deleted", name);
}

/*
 * Deleted, its agent enrols again, when it hears of it: edgesim is told to say
 * something now, the devices of flightsim are made anew.
 */
static void
enrol_again(const char *name)
{
	delete_device(name);
	if (world_kind() == WORLD_SIM)
		free(world_tell(SIM_FLIGHT, "add-device %s fleet=%s", name,
		    world_fleet()));
	else
		free(world_tell(SIM_EDGE, "flap %s", name));
}

static int
is_new(struct json_object *set, void *arg)
{
	const struct place *at = arg;
	struct json_object *d = NULL;

	return json_object_object_get_ex(set, at->device, &d) &&
	    strcmp(js_str(d, "/metadata/creationTimestamp"), at->created) !=
	    0 &&
	    strcmp(js_str(d, "/status/summary/status"), "Online") == 0;
}

static int
is_owned(const char *name, const char *owner, int ms)
{
	int64_t deadline = it_ms() + ms;
	int ok;

	do {
		AUTO_JSON struct json_object *d = flight_device(name);

		ok = strcmp(js_str(d, "/metadata/owner"), owner) == 0;
		if (!ok)
			it_pause(50);
	} while (!ok && it_ms() < deadline);
	return ok;
}

/* --- pods ----------------------------------------------------------------- */

static void
said(const struct place *p, const char *reason, const char *words)
{
	it_ok(pod_has_event(p->uid, reason, words, RUN_MS),
	    "%s has an Event %s: %s", p->pod, reason, words);
}

static void
goes(const struct place *p, int64_t since, const char *why, int ms)
{
	int gone = kube_await_gone(KUBE_PODS, p->pod, ms);

	it_took(since, gone, "%s is gone: %s", p->pod, why);
}

static int
settle(struct place *p, const char *pod)
{
	AUTO_JSON struct json_object *runs = NULL, *set = NULL;
	struct json_object *d;
	size_t n;

	p->pod = pod;
	p->uid = pod_create(pod, NULL);
	runs = pod_runs(pod, it_ms(), RUN_MS);
	set = flight_devices();
	if (runs == NULL || (d = flight_holder(set, p->uid, &n)) == NULL)
		return 0;
	p->device = xstrdup(js_str(d, "/metadata/name"));
	p->created = xstrdup(js_str(d, "/metadata/creationTimestamp"));
	return 1;
}

/* A pod that asks for one device runs there. */
static void
runs_on(const char *pod, const char *device)
{
	AUTO_FREE char *uid = NULL;
	AUTO_JSON struct json_object *d = NULL;

	uid = pod_create(pod, &(struct pod_conf){ .device = device });
	json_object_put(pod_runs(pod, it_ms(), RUN_MS));
	d = flight_device(device);
	it_ok(flight_application(d, uid) != NULL, "on the device it asked for");
}

static int
names_the_fleet(struct json_object *pod, void *owner)
{
	AUTO_FREE char *words = xasprintf("1 owned by %s", (char *)owner);

	return strstr(js_str(pod, "/status/message"), words) != NULL;
}

/* --- what happens --------------------------------------------------------- */

static int
runs_again(struct json_object *set, void *arg)
{
	const struct place *p = arg;
	struct json_object *d = NULL;

	return json_object_object_get_ex(set, p->device, &d) &&
	    flight_reports(d, p->uid);
}

/* Of what the device was told while nobody looked, only its pods are left. */
static struct provider *
look_at_enrolled_again(struct provider *p, struct place *at)
{
	AUTO_FREE char *path = xasprintf("%s/%s", KUBE_PODS, at->pod);
	AUTO_FREE char *state =
	    xasprintf("STATE_DIR=%s/provider/state", it_folder());
	const char *const same[] = { state, OFTEN, NULL };
	AUTO_JSON struct json_object *pod = NULL;
	int64_t since;

	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	enrol_again(at->device);
	it_ok(flight_await(is_new, at, ONLINE_MS),
	    "a device is enrolled again under its name");
	since = it_ms();
	provider_judge(p);
	p = provider_start("after", same);
	it_took(since, flight_await(runs_again, at, RUN_MS), "it runs %s again",
	    at->pod);
	pod = kube_get(path);
	it_ok(strcmp(js_str(pod, "/metadata/uid"), at->uid) == 0 &&
		js_get(pod, "/metadata/deletionTimestamp") == NULL,
	    "which is the same pod");
	return p;
}

static void
look_at_decommissioned(const struct place *at)
{
	int64_t since = it_ms();

	decommission(at->device);
	said(at, "DeviceDecommissioning", at->device);
	delete_device(at->device);
	goes(at, since, "its device was decommissioned and deleted", RUN_MS);
}

/* match: more members of its selector, ",\"a\":\"b\"". */
static void
create_fleet(const char *name, const char *match)
{
	AUTO_FREE char *path = xasprintf("/api/v1/fleets/%s", name);
	long status;

	status = flight_send("PUT", path,
	    js_make("{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":"
		    "\"Fleet\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
		    "\"selector\":{\"matchLabels\":{\"take\":\"%s\"%s}},"
		    "\"template\":{\"metadata\":{\"labels\":{}},\"spec\":"
		    "{\"applications\":[]}}}}",
		name, name, match),
	    NULL);
	if (status != 201)
		it_die("Fleet %s is refused: %ld", name, status);
}

static void
delete_fleet(const char *name)
{
	AUTO_FREE char *path = xasprintf("/api/v1/fleets/%s", name);

	if (flight_send("DELETE", path, NULL, NULL) != 200)
		it_die("Fleet %s cannot be deleted", name);
}

static int
counts_one(struct json_object *node, void *arg)
{
	struct json_object *notes = js_get(node, "/metadata/annotations"), *n;

	(void)arg;
	return json_object_object_get_ex(notes, "vk.flightctl.io/devices-owned",
		   &n) &&
	    strcmp(json_object_get_string(n), "1") == 0;
}

static void
look_at_owned(const struct place *at, const char *fleet)
{
	AUTO_FREE char *owner = xasprintf("Fleet/%s", fleet);
	AUTO_FREE char *labels = NULL, *uid = NULL;
	AUTO_JSON struct json_object *pod = NULL, *node = NULL;
	int64_t since = it_ms();

	labels =
	    xasprintf("\"fleet\":\"%s\",\"take\":\"%s\"", world_fleet(), fleet);
	create_fleet(fleet, "");
	flight_relabel(at->device, labels);
	it_ok(is_owned(at->device, owner, TAKE_MS), "%s owns a device", owner);
	said(at, "DeviceOwned", owner);
	node =
	    kube_await_one(KUBE_NODES, world_node(), counts_one, NULL, TAKE_MS);
	it_ok(node != NULL && counts_one(node, NULL), "the node counts it");
	goes(at, since, "the Fleet's template replaced the spec", RUN_MS);
	uid = pod_create("wants", &(struct pod_conf){ .device = at->device });
	pod =
	    kube_await_one(KUBE_PODS, "wants", names_the_fleet, owner, RUN_MS);
	it_ok(pod != NULL && names_the_fleet(pod, owner),
	    "a pod that asks for it waits and is told of %s", owner);
	delete_fleet(fleet);
	it_ok(is_owned(at->device, "", TAKE_MS),
	    "without the Fleet it is free");
	json_object_put(pod_runs("wants", it_ms(), READY_MS));
}

static int
is_held(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_condition(pod, "Ready"), "Unknown") == 0 &&
	    strcmp(js_reason(pod, "vk.flightctl.io/Device"), "DeviceFrozen") ==
	    0;
}

/* As a restore of a database so many rendered versions older leaves it. */
static void
restore_device(const char *name, const char *versions)
{
	AUTO_FREE char *script = NULL, *out = NULL;

	if (world_kind() == WORLD_SIM) {
		free(world_tell(SIM_FLIGHT, "await-reconnect %s %s", name,
		    versions));
		return;
	}
	script = child_source("t/real/flight");
	if (child_run((const char *[]){ script, "restore", getenv("FC_DIR"),
			  name, versions, NULL },
		&out) != 0)
		it_die("%s cannot be restored: %s", name, out);
}

static int64_t
generation(const char *device)
{
	AUTO_JSON struct json_object *d = flight_device(device);

	return json_object_get_int64(js_get(d, "/metadata/generation"));
}

static void
is_frozen(const struct place *at, const char *words, int64_t spec)
{
	AUTO_JSON struct json_object *held = NULL, *set = NULL;
	size_t n = 0;

	said(at, "DeviceFrozen", words);
	held = kube_await_one(KUBE_PODS, at->pod, is_held, NULL, RUN_MS);
	it_ok(held != NULL && is_held(held, NULL) &&
		js_get(held, "/metadata/deletionTimestamp") == NULL,
	    "of %s nobody knows whether it is ready", at->pod);
	set = flight_devices();
	flight_holder(set, at->uid, &n);
	it_ok(n == 1 && generation(at->device) == spec,
	    "it is in the spec of one device, which is as it was");
}

static void
is_back(const struct place *at, const char *why)
{
	AUTO_JSON struct json_object *pod = NULL;

	pod = kube_await_one(KUBE_PODS, at->pod, pod_is_ready, NULL, RUN_MS);
	it_ok(pod != NULL && pod_is_ready(pod, NULL) &&
		strcmp(js_str(pod, "/metadata/uid"), at->uid) == 0,
	    "%s, %s is ready as before", why, at->pod);
}

/*
 * Flightctl's database is restored while the agent is away.  It comes back
 * with the version that the service knows; and with a later one.
 */
static void
look_at_frozen(const struct place *at)
{
	int64_t spec = generation(at->device);

	free(world_tell(SIM_EDGE, "disconnect %s", at->device));
	restore_device(at->device, "0");
	is_frozen(at, "awaits the device's agent", spec);
	free(world_tell(SIM_EDGE, "connect %s", at->device));
	is_back(at, "when the agent polls");
	free(world_tell(SIM_EDGE, "disconnect %s", at->device));
	restore_device(at->device, "1");
	free(world_tell(SIM_EDGE, "connect %s", at->device));
	is_frozen(at, "the device has a newer spec", spec);
	if (flight_send("POST", "/api/v1/deviceactions/resume",
		js_make("{\"fieldSelector\":\"metadata.name=%s\"}", at->device),
		NULL) != 200)
		it_die("%s cannot be resumed", at->device);
	is_back(at, "resumed there");
}

/* One that names our label fleet is told of before it owns a device. */
static void
look_at_rival(struct provider *p)
{
	static const char line[] = "Fleet rival of Flightctl selects .*fleet="
				   ".*owns 0";
	AUTO_FREE char *match = NULL;

	match = xasprintf(",\"fleet\":\"%s\"", world_fleet());
	provider_expect(p, line);
	create_fleet("rival", match);
	it_ok(provider_await_lines(p, line, 1, TAKE_MS) == 1,
	    "a Fleet that selects devices of ours is told of");
	delete_fleet("rival");
}

static void
look_at_left(const struct place *at, int64_t since)
{
	AUTO_FREE char *labels = NULL;
	AUTO_JSON struct json_object *d = NULL;

	goes(at, since, "its device left the fleet", LEAVE_MS);
	said(at, "DeviceLeftFleet", at->device);
	d = flight_device(at->device);
	it_ok(flight_application(d, at->uid) == NULL,
	    "and nothing of it is left there");
	labels = xasprintf("\"fleet\":\"%s\"", world_fleet());
	flight_relabel(at->device, labels);
	runs_on("back", at->device);
}

static void
scenario(void)
{
	static const char *const pods[] = { "left", "owned", "decommissioned",
		"again" };
	static const char *const settings[] = { OFTEN, NULL };
	AUTO_JSON struct json_object *node = NULL;
	struct place at[4] = { { .pod = NULL } };
	struct provider *p;
	int64_t since;
	size_t i;

	world_open(&(struct world_conf){ .devices = DEVICES });
	p = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	for (i = 0; i < 4; i++)
		if (!settle(&at[i], pods[i]))
			return;
	p = look_at_enrolled_again(p, &at[3]);
	since = it_ms();
	flight_relabel(at[0].device, "\"fleet\":\"elsewhere\"");
	look_at_decommissioned(&at[2]);
	look_at_owned(&at[1], world_fleet());
	look_at_rival(p);
	look_at_frozen(&at[3]);
	look_at_left(&at[0], since);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	for (i = 0; i < 4; i++) {
		free(at[i].uid);
		free(at[i].device);
		free(at[i].created);
	}
}

int
main(void)
{
	return it_run("fleet-life", scenario);
}
