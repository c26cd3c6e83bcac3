/* SPDX-License-Identifier: ISC */
/*
 * deletions: the ways in which a pod is deleted by others than its owner, on
 * the real control plane: with a finalizer, by force, by eviction, with its
 * owner or after it, with its namespace, for another pod that is more urgent.
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
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define NAMESPACES "/api/v1/namespaces"
#define ELSEWHERE NAMESPACES "/elsewhere"
#define REPLICASETS "/apis/apps/v1/namespaces/default/replicasets"
#define BUDGETS "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
#define OURS KUBE_PODS "?labelSelector=app%3D"
#define MERGE "application/merge-patch+json"

enum {
	DEVICES = 2,
	REPLICAS = 2,
	APPLY_MS = 1000, /* so that a pod is seen to leave */
	READY_MS = 20000,
	RUN_MS = 30000,
};

/* A pod that runs: its UID, the caller's. */
static char *
start(const char *name)
{
	char *uid = pod_create(name, NULL);

	json_object_put(pod_runs(name, it_ms(), RUN_MS));
	return uid;
}

static void
are_running(const char *app)
{
	int64_t since = it_ms();

	if (!it_took(since,
		pods_in_phase(app, "Running", REPLICAS, RUN_MS) == REPLICAS,
		"%d pods of %s run", REPLICAS, app))
		it_die("without them there is nothing to delete");
}

static void
devices_have(size_t n)
{
	AUTO_JSON struct json_object *set = flight_devices();

	it_ok(flight_count(set) == n && flight_reported(set) == n,
	    "the devices have %zu pods (%zu, and report %zu)", n,
	    flight_count(set), flight_reported(set));
}

/* --- D2, D4: by force, with a finalizer ----------------------------------- */

static void
by_force(void)
{
	AUTO_FREE char *uid = start("forced");
	int64_t since = it_ms();

	kubectl("delete pod/forced --force");
	it_took(since, flight_await_removed(uid, RUN_MS),
	    "a pod is gone by force: its device lets it go as well");
}

/* Nothing but the finalizer holds it. */
static int
has_ended(struct json_object *pod, void *arg)
{
	struct json_object *grace =
	    js_get(pod, "/metadata/deletionGracePeriodSeconds");

	(void)arg;
	return grace != NULL && json_object_get_int(grace) == 0;
}

static void
with_finalizer(const struct provider *p)
{
	AUTO_FREE char *uid = start("held");
	AUTO_JSON struct json_object *pod = NULL;
	int64_t since;

	if (kube_patch(KUBE_PODS "/held", MERGE,
		js_make("{\"metadata\":{\"finalizers\":[\"example.test/held\"]}"
			"}")) != 200)
		it_die("no finalizer can be set");
	since = it_ms();
	kubectl("delete --wait=false pod/held");
	it_took(since, flight_await_removed(uid, RUN_MS),
	    "a pod with a finalizer of others is on no device");
	pod = kube_await_one(KUBE_PODS, "held", has_ended, NULL, RUN_MS);
	it_took(since, pod != NULL && has_ended(pod, NULL),
	    "it has ended, and is there for its finalizer");
	by_force(); /* whatever is done about others */
	it_ok(provider_lines(p,
		  "DELETE /api/v1/namespaces/default/pods/held ") == 1,
	    "it was deleted by us just once");
	since = it_ms();
	if (kube_patch(KUBE_PODS "/held", MERGE,
		js_make("{\"metadata\":{\"finalizers\":null}}")) != 200)
		it_die("the finalizer cannot be taken away");
	it_took(since, kube_await_gone(KUBE_PODS, "held", RUN_MS),
	    "without the finalizer it is gone");
}

/* --- D7: eviction --------------------------------------------------------- */

/* Pods that go, and whether they say all the while why. */
struct leaving {
	const char *reason;
	unsigned int n, silent;
};

static int
all_left(struct json_object *set, void *arg)
{
	struct leaving *l = arg;
	struct json_object *pod;
	struct lh_entry *at = NULL;
	unsigned int n = 0;

	while (js_next(set, &at, NULL, &pod)) {
		if (*js_str(pod, "/metadata/deletionTimestamp") == '\0')
			continue;
		n++;
		if (strcmp(js_reason(pod, "DisruptionTarget"), l->reason) != 0)
			l->silent++;
	}
	if (n > l->n)
		l->n = n;
	return n == 0 && l->n > 0;
}

static void
one_left(const char *path, const char *reason)
{
	struct leaving l = { .reason = reason };
	int64_t since = it_ms();

	it_took(since, kube_await(path, all_left, &l, RUN_MS),
	    "it is gone when its device has let it go");
	it_ok(l.n == 1 && l.silent == 0,
	    "it was the only one, and said %s until its end (%u, %u)", reason,
	    l.n, l.silent);
}

static long
evict(const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s/eviction", KUBE_PODS, name);

	return kube_send("POST", path,
	    js_make("{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\","
		    "\"metadata\":{\"name\":\"%s\"}}",
		name),
	    NULL);
}

/* The budget's controller has looked: so many may go. */
static int
allows(struct json_object *budget, void *arg)
{
	return js_int(budget, "/status/currentHealthy") == REPLICAS &&
	    js_int(budget, "/status/observedGeneration") ==
	    js_int(budget, "/metadata/generation") &&
	    js_int(budget, "/status/disruptionsAllowed") == *(int *)arg;
}

static void
await_budget(int n)
{
	AUTO_JSON struct json_object *budget = NULL;

	budget = kube_await_one(BUDGETS, "web", allows, &n, RUN_MS);
	it_ok(budget != NULL && allows(budget, &n),
	    "the budget counts %d Ready, lets %d go", REPLICAS, n);
}

static void
by_eviction(void)
{
	AUTO_JSON struct json_object *list = NULL;
	AUTO_FREE char *uid = NULL;
	const char *name;

	pod_deployment("web", REPLICAS, NULL);
	are_running("web");
	kubectl("create poddisruptionbudget web --selector=app=web "
		"--min-available=2");
	await_budget(0);
	list = kube_get(OURS "web");
	name = js_str(list, "/items/0/metadata/name");
	uid = xstrdup(js_str(list, "/items/0/metadata/uid"));
	it_ok(evict(name) == 429, "an eviction against the budget is refused");
	devices_have(REPLICAS);
	if (kube_patch(BUDGETS "/web", MERGE,
		js_make("{\"spec\":{\"minAvailable\":1}}")) != 200)
		it_die("the budget cannot be changed");
	await_budget(1);
	it_ok(evict(name) == 201, "another one is granted");
	one_left(OURS "web", "EvictionByEvictionAPI");
	it_ok(flight_await_removed(uid, RUN_MS), "and is on no device");
	are_running("web");
	kubectl("delete poddisruptionbudget/web");
}

/* --- D5, D9: with the owner, after the owner ------------------------------ */

static void
in_foreground(void)
{
	AUTO_JSON struct json_object *list = NULL;
	int64_t since = it_ms();

	kubectl("delete deployment/web --cascade=foreground");
	list = kube_get(OURS "web");
	it_took(since, js_len(list, "/items") == 0,
	    "a Deployment in the foreground: its pods went before it");
	devices_have(0);
}

static void
in_background(void)
{
	AUTO_FREE char *template = pod_template("set", NULL);
	int64_t since;

	if (kube_send("POST", REPLICASETS,
		js_make("{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\","
			"\"metadata\":{\"name\":\"set\"},\"spec\":{"
			"\"replicas\":%d,\"selector\":{\"matchLabels\":"
			"{\"app\":\"set\"}},\"template\":{%s}}}",
		    REPLICAS, template),
		NULL) != 201)
		it_die("the ReplicaSet is refused");
	are_running("set");
	since = it_ms();
	kubectl("delete replicaset/set --cascade=background");
	it_took(since, pods_gone("set", RUN_MS),
	    "a ReplicaSet in the background: its pods went after it");
	devices_have(0);
}

/* --- D6: with the namespace ----------------------------------------------- */

static int
all_run(struct json_object *set, void *arg)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	int n = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &pod))
		n += strcmp(js_condition(pod, "Ready"), "True") == 0;
	return n == REPLICAS;
}

static void
create_elsewhere(int i)
{
	AUTO_FREE char *name = xasprintf("guest-%d", i);
	AUTO_FREE char *template = pod_template(name, NULL);

	if (kube_send("POST", ELSEWHERE "/pods",
		js_make("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",%s}",
		    template),
		NULL) != 201)
		it_die("pod elsewhere/%s is refused", name);
}

static void
with_namespace(void)
{
	int64_t since;
	int i;

	kubectl("create namespace elsewhere");
	json_object_put(kube_await_one(ELSEWHERE "/serviceaccounts", "default",
	    NULL, NULL, RUN_MS));
	for (i = 0; i < REPLICAS; i++)
		create_elsewhere(i);
	since = it_ms();
	it_took(since, kube_await(ELSEWHERE "/pods", all_run, NULL, RUN_MS),
	    "%d pods of another namespace are Ready", REPLICAS);
	since = it_ms();
	kubectl("delete --wait=false namespace/elsewhere");
	it_took(since, kube_await_gone(NAMESPACES, "elsewhere", RUN_MS),
	    "the namespace is gone with all that was in it");
	devices_have(0);
}

/* --- D8: preemption ------------------------------------------------------- */

/* How many of ours are in one spec at most, until the urgent one runs. */
struct crowd {
	const char *urgent; /* UID */
	size_t most;
};

static int
is_seated(struct json_object *set, void *arg)
{
	struct crowd *c = arg;
	struct json_object *device;
	struct lh_entry *at = NULL;
	size_t n;

	while (js_next(set, &at, NULL, &device)) {
		n = js_len(device, "/spec/applications");
		if (n > c->most)
			c->most = n;
	}
	return flight_reports(flight_holder(set, c->urgent, NULL), c->urgent);
}

static void
by_preemption(void)
{
	const struct pod_conf low = { .cpu = "3500m", .app = "low" };
	const struct pod_conf high = { .cpu = "3500m",
		.spec = ",\"priorityClassName\":\"urgent\"" };
	AUTO_FREE char *first = NULL, *second = NULL, *urgent = NULL;
	struct crowd c = { 0 };
	int64_t since;

	kubectl("create priorityclass urgent --value=1000");
	first = pod_create("low-1", &low);
	second = pod_create("low-2", &low);
	are_running("low");
	since = it_ms();
	c.urgent = urgent = pod_create("urgent", &high);
	one_left(OURS "low", "PreemptionByScheduler");
	it_took(since, flight_await(is_seated, &c, RUN_MS),
	    "the urgent one runs instead");
	it_ok(c.most == 1, "never were two on one device (%zu)", c.most);
	devices_have(DEVICES);
	kubectl("delete pods --all");
	devices_have(0);
	kubectl("delete priorityclass/urgent");
}

/* -------------------------------------------------------------------------- */

static void
scenario(void)
{
	static const char *const settings[] = { "STATUS_POLL_INTERVAL=1s",
		NULL };
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	world_open(
	    &(struct world_conf){ .devices = DEVICES, .apply_ms = APPLY_MS });
	p = provider_start("provider", settings);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	with_finalizer(p);
	by_eviction();
	in_foreground();
	in_background();
	with_namespace();
	by_preemption();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("deletions", scenario);
}
