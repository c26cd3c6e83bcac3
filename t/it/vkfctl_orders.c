/* SPDX-License-Identifier: ISC */
/*
 * vkfctl_orders: what an operator does about devices that are silent.  Six of
 * seven are: the brake is on.  One pod is given up, one device is, the
 * brake released, whereupon the other pods' clocks run; what is not wanted any
 * more leaves its device when that is back, and what is runs on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

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
#include "t/it/vkfctl.h"
#include "t/it/world.h"

#define CLOCK_RUNS "evicted when the device is not back by then"

enum {
	DEVICES = 7,
	/* More than max(3, 30 %), without the two that are written to: the
	 * real service, whose clock was moved, may call those online then. */
	SILENT = 6,
	LET_GO = 2,
	READY_MS = 30000,
	RUN_MS = 30000,
	LOST_MS = 60000, /* half of it may be a blink */
	BACK_MS = 60000,
};

static char *uids[SILENT], *devices[SILENT];

static void
order(const char *word, const char *name, int status, const char *want)
{
	vkfctl_says("provider", (const char *[]){ "-y", word, name, NULL },
	    status, want);
}

/* --- pods and devices ----------------------------------------------------- */

static void
pod_name(char name[16], size_t i)
{
	(void)snprintf(name, 16, "lost-%zu", i);
}

static void
place_pods(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	const char *id;
	size_t i;

	for (i = 0; i < SILENT && js_next(set, &at, &id, &device); i++) {
		char name[16];

		pod_name(name, i);
		devices[i] = xstrdup(id);
		uids[i] = pod_create(name,
		    &(struct pod_conf){ .app = "lost", .device = devices[i] });
	}
	it_ok(pods_in_phase("lost", "Running", SILENT, RUN_MS) == SILENT,
	    "%d pods are Running, each on its device", SILENT);
}

static void
fall_silent(void)
{
	size_t i;

	silence(devices, SILENT);
	for (i = 0; i < SILENT; i++)
		it_ok(pod_has_event(uids[i], "DeviceDisconnected",
			  "disconnected", LOST_MS),
		    "%s is silent: an Event says so", devices[i]);
}

static void
is_gone(size_t i, const char *reason)
{
	char name[16];

	pod_name(name, i);
	it_ok(pod_has_event(uids[i], reason, "", RUN_MS), "%s: Event %s", name,
	    reason);
	it_ok(kube_await_gone(KUBE_PODS, name, RUN_MS),
	    "%s is gone while its device is silent", name);
}

static void
explains(size_t i, const char *want)
{
	char name[32] = "default/";

	pod_name(name + strlen(name), i);
	vkfctl_says("provider",
	    (const char *[]){ "explain", "pod", name, NULL }, EX_OK, want);
}

/* --- the scenario --------------------------------------------------------- */

static void
give_orders(void)
{
	explains(2, "the brake is on");
	explains(3, "the brake is on");
	order("give-up", "default/lost-0", EX_OK, "\"result\":\"done\"");
	is_gone(0, "GivenUp");
	/* The apiserver tells us a moment after it told this test. */
	vkfctl_comes_to("provider",
	    (const char *[]){ "explain", "pod", "default/lost-0", NULL },
	    EX_NOINPUT, RUN_MS);
	order("give-up", "default/lost-0", EX_NOINPUT, "");
	order("give-up", devices[1], EX_OK, "\"result\":\"done\"");
	order("give-up", devices[1], EX_OK, "\"result\":\"already\"");
	is_gone(1, "DeviceGivenUp");
	explains(2, "the brake is on");
	order("release-brake", world_fleet(), EX_OK, "\"result\":\"done\"");
	explains(2, CLOCK_RUNS);
	explains(3, CLOCK_RUNS);
}

static int
rest_left(struct json_object *set, void *arg)
{
	(void)arg;
	return flight_count(set) == SILENT - LET_GO;
}

static void
come_back(void)
{
	int64_t since = it_ms();
	size_t i;

	silence_ends(devices, SILENT);
	for (i = 0; i < LET_GO; i++)
		it_ok(flight_await_removed(uids[i], BACK_MS),
		    "back: what was let go leaves %s", devices[i]);
	for (i = LET_GO; i < SILENT; i++)
		it_ok(pod_has_event(uids[i], "DeviceReconnected", "", BACK_MS),
		    "back: %s has its pod still", devices[i]);
	it_took(since, flight_await(rest_left, NULL, BACK_MS),
	    "the other applications are left");
	order("undrain", devices[1], EX_OK, "\"result\":\"done\"");
}

static void
scenario(void)
{
	static const char *const fast[] = { "STATUS_POLL_INTERVAL=1s", NULL };
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(
	    &(struct world_conf){ .devices = DEVICES, .disconnect_ms = 3000 });
	p = provider_start("provider", fast);
	provider_expect(p, "too many devices went silent");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	place_pods();
	fall_silent();
	give_orders();
	come_back();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("vkfctl-orders", scenario);
}
