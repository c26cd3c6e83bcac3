/* SPDX-License-Identifier: ISC */
/*
 * two_hundred: 200 pods on 20 devices: all Running, with few requests to
 * Flightctl, then all deleted and nothing left; another writer's application
 * on a device stays as it is, byte for byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/crowd.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/requests.h"
#include "t/it/world.h"

#define THEIRS                                                          \
	"{\"appType\":\"quadlet\",\"inline\":[{\"content\":"            \
	"\"[Container]\\nImage=docker.io/library/busybox:latest\\n"     \
	"Exec=sleep 100000\\n[Install]\\nWantedBy=multi-user.target\\n" \
	"\",\"path\":\"theirs.container\"}],\"name\":\"theirs\"}"

enum {
	DEVICES = 20,
	PODS = 200,
	READY_MS = 30000,
	BURST_MS = 3000, /* they come at once, as controllers make them */
	RUN_MS = 120000,
	GONE_MS = 120000,
	IN_FLIGHT = 8,
};

/* One of the devices, by name. */
static char *
some_device(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	const char *name;

	if (!js_next(set, &at, &name, &device))
		it_die("there is no device");
	return xstrdup(name);
}

/* As another writer does: read, add, PUT with the resourceVersion. */
static void
add_theirs(const char *name)
{
	AUTO_FREE char *path = xasprintf("/api/v1/devices/%s", name);
	long status = 409;
	int tries;

	for (tries = 0; tries < 20 && status == 409; tries++) {
		struct json_object *device = flight_device(name);
		struct json_object *spec = js_get(device, "/spec"), *apps;

		json_object_object_del(device, "status");
		if ((apps = js_get(spec, "/applications")) == NULL) {
			apps = json_object_new_array();
			json_object_object_add(spec, "applications", apps);
		}
		json_object_array_add(apps, js_make("%s", THEIRS));
		status = flight_send("PUT", path, device, NULL);
	}
	if (status != 200)
		it_die("another writer's application is refused: %ld", status);
}

/* The element of spec.applications as it stands there. */
static char *
theirs(const char *device)
{
	AUTO_JSON struct json_object *d = flight_device(device);

	return js_text(js_find(d, "/spec/applications", "name", "theirs"), "");
}

static const struct pod_conf load = { .app = "load",
	.cpu = "10m",
	.memory = "8Mi",
	.bound = 1 }; /* the scheduler's pace is not what is measured */

/* Nobody else asks meanwhile; a few may be on their way at either end. */
static void
compare(unsigned int sent, unsigned int served)
{
	unsigned int apart = sent > served ? sent - served : served - sent;

	it_ok(apart <= IN_FLIGHT, "the simulator counted the same (%u and %u)",
	    sent, served);
}

static void
deploy(const struct provider *p)
{
	struct requests before, after;
	unsigned int running;
	int64_t since = it_ms(), created;
	double each;

	if (world_kind() == WORLD_SIM)
		requests_served();
	before = requests_of(p);
	crowd_create(&load, 0, PODS);
	crowd_end();
	created = it_ms() - since;
	running = pods_in_phase("load", "Running", PODS, RUN_MS);
	after = requests_of(p);
	it_took(since, running == PODS, "%u of %d pods are Running", running,
	    PODS);
	each = (double)(after.sent - before.sent) / PODS;
	if (created <= BURST_MS)
		it_ok(each <= 0.3,
		    "%.2f requests to Flightctl a pod (at most 0.3)", each);
	else /* changes that come one by one cannot share requests */
		it_skip("%.2f requests to Flightctl a pod are not judged: the "
			"pods came over %lld ms",
		    each, (long long)created);
	if (world_kind() == WORLD_SIM)
		compare(after.sent - before.sent, requests_served());
}

static int
none_left(struct json_object *set, void *arg)
{
	(void)arg;
	return flight_count(set) == 0;
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	AUTO_FREE char *device = NULL, *before = NULL, *after = NULL;
	struct requests all;
	struct provider *p;
	int64_t since;

	world_open(&(struct world_conf){ .devices = DEVICES });
	device = some_device();
	add_theirs(device);
	before = theirs(device);
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	deploy(p);
	set = flight_devices();
	it_ok(flight_count(set) == PODS, "%zu applications for %d pods",
	    flight_count(set), PODS);
	since = it_ms();
	crowd_delete(&load, 0, PODS);
	crowd_end();
	it_took(since, pods_gone("load", GONE_MS), "all pods are gone");
	it_ok(flight_await(none_left, NULL, READY_MS),
	    "nothing of ours is left in any spec");
	after = theirs(device);
	it_ok(strcmp(before, after) == 0,
	    "another writer's application is as it was");
	all = requests_of(p);
	it_ok(all.most_a_minute <= 280,
	    "never over the budget: at most %u requests in a minute",
	    all.most_a_minute);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("two-hundred", scenario);
}
