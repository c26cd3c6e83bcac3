/* SPDX-License-Identifier: ISC */
/*
 * no_eviction: Flightctl, then the placer, are away for what is 20 minutes at
 * a twentieth of the usual times: no pod is evicted for that.  Then the whole
 * provider is silent, and the same control plane evicts: it would have.
 *
 * A pod bears a dead node for 15 s (usual: 300 s), an outage takes 60 s.  A
 * node counts as dead after 12 s: a twentieth of the usual 50 s would be less
 * than the 10 s between two heartbeats.  Where most nodes are dead nobody is
 * evicted at all: another one is alive beside it, and those that earlier
 * scenarios left are taken away.
 */
#include <signal.h>
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

#define WEB KUBE_PODS "?labelSelector=app%3Dweb"

enum {
	DEVICES = 3,
	REPLICAS = 2,
	DEAD_S = 12,
	BEARS_S = 15,
	AWAY_MS = 60000,
	EVICTED_MS = 60000, /* 12 s, 15 s, and what the manager takes */
	STEP_MS = 250,
	READY_MS = 20000,
	RUN_MS = 30000,
	BACK_MS = 60000,
};

/* 1: one is evicted, or was replaced. */
static int
is_evicted(struct json_object *set, void *before)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	const char *name;

	while (js_next(set, &at, &name, &pod))
		if (*js_str(pod, "/metadata/deletionTimestamp") != '\0' ||
		    *js_condition(pod, "DisruptionTarget") != '\0') {
			it_say("%s is evicted", name);
			return 1;
		}
	return json_object_object_length(set) !=
	    json_object_object_length(before);
}

static int
says(struct json_object *node, void *type)
{
	return strcmp(js_condition(node, type), "False") == 0;
}

/* What tells of it, while the node is Ready. */
static void
node_says(char *type)
{
	AUTO_JSON struct json_object *node =
	    kube_await_one(KUBE_NODES, world_node(), says, type, RUN_MS);

	it_ok(node != NULL && says(node, type) &&
		strcmp(js_condition(node, "Ready"), "True") == 0,
	    "the node says %s=False, and is Ready", type);
}

static void
flight_is_away(struct json_object *before)
{
	static char type[] = "FlightctlReachable";
	int64_t until = it_ms() + AWAY_MS;

	world_flight(0);
	node_says(type);
	it_ok(!kube_await(WEB, is_evicted, before, (int)(until - it_ms())),
	    "nobody is evicted while Flightctl is away");
	world_flight(1);
}

/* Whenever it is there again it is killed. */
static int
hold_away(struct provider *p, struct json_object *before, int64_t until)
{
	int evicted = 0;
	pid_t pid;

	while (!evicted && it_ms() < until) {
		if ((pid = provider_worker(p, "placer")) > 0)
			kill(pid, SIGKILL);
		evicted = kube_await(WEB, is_evicted, before, STEP_MS);
	}
	return evicted;
}

static void
placer_is_away(struct provider *p, struct json_object *before)
{
	static char type[] = "PlacerAnswers";
	int64_t until = it_ms() + AWAY_MS;
	int evicted;

	evicted = hold_away(p, before, it_ms() + AWAY_MS / 2);
	node_says(type);
	evicted |= hold_away(p, before, until);
	it_ok(!evicted, "nobody is evicted while the placer is away");
}

/* As a host that hangs. */
static void
provider_is_silent(struct provider *p, struct json_object *before)
{
	pid_t stopped[] = { provider_pid(p), provider_worker(p, "kubeside") };
	int64_t since = it_ms();
	size_t i;

	for (i = 0; i < 2; i++)
		kill(stopped[i], SIGSTOP);
	it_took(since, kube_await(WEB, is_evicted, before, EVICTED_MS),
	    "once the provider itself is silent, pods are evicted");
	for (i = 2; i-- > 0;)
		kill(stopped[i], SIGCONT);
}

static int
is_back(struct json_object *set, void *before)
{
	struct json_object *uid, *pod;
	struct lh_entry *at = NULL;
	const char *name;

	while (js_next(before, &at, &name, &uid)) {
		pod = json_object_object_get(set, name);
		if (strcmp(js_str(pod, "/metadata/uid"),
			json_object_get_string(uid)) != 0 ||
		    strcmp(js_condition(pod, "Ready"), "True") != 0)
			return 0;
	}
	return 1;
}

static void
all_are_as_before(struct json_object *before)
{
	AUTO_JSON struct json_object *set = NULL;

	it_ok(kube_await(WEB, is_back, before, BACK_MS),
	    "the same pods are Ready");
	set = flight_devices();
	it_ok(flight_restarts(set) == 0, "and nothing was restarted");
}

static void
take_away_the_dead(void)
{
	AUTO_JSON struct json_object *list = kube_get(KUBE_NODES);
	struct json_object *node;
	long status;
	size_t i;

	for (i = 0; (node = js_item(list, "/items", i)) != NULL; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", KUBE_NODES,
		    js_str(node, "/metadata/name"));

		if ((status = kube_send("DELETE", path, NULL, NULL)) != 200)
			it_die("%s cannot be deleted: %ld", path, status);
	}
}

static void
scenario(void)
{
	const char *const beside[] = { "FLEET_ID=beside", NULL };
	AUTO_JSON struct json_object *node = NULL, *before = NULL;
	struct provider *p, *q;

	world_open(&(struct world_conf){ .devices = DEVICES });
	take_away_the_dead();
	world_node_grace(DEAD_S);
	q = provider_start("beside", beside);
	p = provider_start("provider", NULL);
	provider_expect(p,
	    "onnect|transfer closed|does not answer|[Ee]mpty "
	    "reply|SSL|ended: signal 9|silent|aborted|clock");
	provider_expect(q,
	    "onnect|transfer closed|does not answer|[Ee]mpty "
	    "reply|SSL");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	pod_deployment("web", REPLICAS,
	    &(struct pod_conf){ .tolerates_s = BEARS_S });
	it_ok(pods_in_phase("web", "Running", REPLICAS, RUN_MS) == REPLICAS,
	    "%d pods run", REPLICAS);
	before = pod_uids(WEB);
	flight_is_away(before);
	all_are_as_before(before);
	placer_is_away(p, before);
	all_are_as_before(before);
	provider_is_silent(p, before);
	world_node_grace(0);
	kubectl("delete deployment/web");
	it_ok(pods_gone("web", BACK_MS), "all are gone");
	provider_judge(p);
	provider_judge(q);
	it_ok(provider_stop(p) == 0 && provider_stop(q) == 0,
	    "both end by SIGTERM");
}

int
main(void)
{
	return it_run("no-eviction", scenario);
}
