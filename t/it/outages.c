/* SPDX-License-Identifier: ISC */
/*
 * outages: Flightctl, then the apiserver, are away for a minute, each in the
 * middle of a deployment.  Nothing is lost, the node says what is the matter
 * and stays Ready, and all ends Running.
 *	IT_OUTAGE_S	seconds instead of 60
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

enum {
	DEVICES = 5,
	PODS = 10, /* before each outage, and as many in it */
	READY_MS = 20000,
	TELL_MS = 40000,
	RECOVER_MS = 120000,
};

static int outage_ms = 60000;
static int made;

static void
create(int n)
{
	char name[16];

	while (n-- > 0) {
		(void)snprintf(name, sizeof(name), "out-%d", made++);
		free(pod_create(name, &(struct pod_conf){ .app = "out" }));
	}
}

static int
tells(struct json_object *node, void *status)
{
	return strcmp(js_condition(node, "FlightctlReachable"), status) == 0;
}

static void
node_tells(char *status)
{
	AUTO_JSON struct json_object *node = NULL;
	int64_t since = it_ms();

	node = kube_await_one(KUBE_NODES, world_node(), tells, status, TELL_MS);
	it_took(since, node != NULL && tells(node, status),
	    "the node says FlightctlReachable=%s", status);
	it_ok(strcmp(js_condition(node, "Ready"), "True") == 0, "and is Ready");
}

/* What must not happen while Flightctl is away. */
static int
is_harmed(struct json_object *set, void *arg)
{
	struct lh_entry *at = NULL;
	struct json_object *pod;
	const char *phase;
	size_t n = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &pod)) {
		phase = js_str(pod, "/status/phase");
		if (strcmp(phase, "Failed") == 0 ||
		    strcmp(phase, "Unknown") == 0 ||
		    js_get(pod, "/metadata/deletionTimestamp") != NULL)
			return 1;
		n++;
	}
	return n < (size_t)made;
}

static void
all_run(void)
{
	int64_t since = it_ms();
	unsigned int n;

	n = pods_in_phase("out", "Running", (unsigned int)made, RECOVER_MS);
	it_took(since, n == (unsigned int)made, "%u of %d pods are Running", n,
	    made);
}

static void
flight_is_away(void)
{
	int64_t until;

	create(PODS);
	world_flight(0);
	until = it_ms() + outage_ms;
	create(PODS);
	node_tells(xstrdup("False"));
	it_ok(!kube_await(KUBE_PODS, is_harmed, NULL, (int)(until - it_ms())),
	    "no pod is lost while Flightctl is away (%d s)", outage_ms / 1000);
	world_flight(1);
	all_run();
	node_tells(xstrdup("True"));
}

static int
has_fewer(struct json_object *set, void *arg)
{
	return flight_count(set) < *(size_t *)arg;
}

static void
kube_is_away(void)
{
	AUTO_JSON struct json_object *set = NULL;
	int64_t until;
	size_t n;

	create(PODS);
	world_kube(0);
	until = it_ms() + outage_ms;
	set = flight_devices();
	n = flight_count(set);
	it_ok(!flight_await(has_fewer, &n, (int)(until - it_ms())),
	    "no application is taken away while the apiserver is (%d s)",
	    outage_ms / 1000);
	world_kube(1);
	/* The scheduler, where there is one, is back later than we are. */
	create(1);
	all_run();
	node_tells(xstrdup("True"));
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	const char *seconds = getenv("IT_OUTAGE_S");
	struct provider *p;

	if (seconds != NULL)
		outage_ms = 1000 * (int)strtol(seconds, NULL, 10);
	world_open(&(struct world_conf){ .devices = DEVICES });
	p = provider_start("provider", NULL);
	provider_expect(p,
	    "onnect|transfer closed|Broken pipe|timed out|"
	    "does not answer|[Ee]mpty reply|SSL|: 5[0-9][0-9]");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	flight_is_away();
	kube_is_away();
	set = flight_devices();
	it_ok(flight_count(set) == (size_t)made, "%zu applications for %d pods",
	    flight_count(set), made);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("outages", scenario);
}
