/* SPDX-License-Identifier: ISC */
/*
 * two_fleets: two fleets are two nodes of one provider, each with its own
 * devices, pods and Leases.  One is taken out of FLEET_ID: what is left of it
 * is told and runs on, until it is purged; and it comes back.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/vkfctl.h"
#include "t/it/world.h"

#define OTHER "two-fleets-b"
#define OTHER_NODE "vk-flightctl-" OTHER
#define BOTH "FLEET_ID=two-fleets," OTHER
#define ONE "FLEET_ID=two-fleets"
#define OFTEN "RESYNC_INTERVAL=5s" /* full lists */
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"
#define LEFT \
	"node " OTHER_NODE ": it is not in FLEET_ID and no provider serves it"
#define APPS "vk_flightctl_former_applications{node=\"" OTHER_NODE "\"} "
#define NODES "vk_flightctl_former_nodes{node=\"" OTHER_NODE "\"} "
#define ALIVE LEASES "kube-node-lease/leases"
#define WRITERS LEASES "vk-flightctl/leases"

enum {
	DEVICES = 4, /* two a fleet */
	READY_MS = 20000,
	RUN_MS = 20000,
	TELL_MS = 30000,
	STAY_MS = 12000, /* two full lists and more */
};

/* A pod of a fleet. */
struct place {
	const char *pod, *fleet, *node;
	char *uid;
};

static struct place a = { "a", "two-fleets", "vk-flightctl-two-fleets", NULL };
static struct place b = { "b", OTHER, OTHER_NODE, NULL };

/* --- the other fleet ------------------------------------------------------ */

static void
split(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	const char *name;
	int n = 0;

	while (js_next(set, &at, &name, &device))
		if (n++ % 2 == 1)
			flight_relabel(name, "\"fleet\":\"" OTHER "\"");
	flight_also(OTHER);
}

/* --- one node ------------------------------------------------------------- */

static int
has_holder(struct json_object *lease, void *arg)
{
	(void)arg;
	return *js_str(lease, "/spec/holderIdentity") != '\0';
}

static int
has_none(struct json_object *lease, void *arg)
{
	return !has_holder(lease, arg);
}

static void
has_leases(const char *node)
{
	AUTO_JSON struct json_object *alive = NULL, *writer = NULL;

	alive = kube_await_one(ALIVE, node, has_holder, NULL, READY_MS);
	it_ok(alive != NULL && has_holder(alive, NULL) &&
		strcmp(js_str(alive, "/metadata/ownerReferences/0/name"),
		    node) == 0,
	    "%s has a Lease of its own that says it is alive", node);
	writer = kube_await_one(WRITERS, node, has_holder, NULL, READY_MS);
	it_ok(writer != NULL && has_holder(writer, NULL),
	    "and one that says who writes: %s",
	    js_str(writer, "/spec/holderIdentity"));
}

/* Bound to its node, and on one device, which is of its fleet. */
static void
runs(struct place *p)
{
	AUTO_JSON struct json_object *pod = NULL, *set = NULL;
	struct json_object *device;
	size_t n;

	p->uid = pod_create(p->pod, &(struct pod_conf){ .fleet = p->fleet });
	pod = pod_runs(p->pod, it_ms(), RUN_MS);
	it_ok(strcmp(js_str(pod, "/spec/nodeName"), p->node) == 0,
	    "%s is on %s", p->pod, js_str(pod, "/spec/nodeName"));
	set = flight_devices();
	device = flight_holder(set, p->uid, &n);
	it_ok(n == 1 &&
		strcmp(js_str(device, "/metadata/labels/fleet"), p->fleet) == 0,
	    "on %zu device, %s of fleet %s", n,
	    js_str(device, "/metadata/name"),
	    js_str(device, "/metadata/labels/fleet"));
}

static void
are_ready(void)
{
	json_object_put(node_named_is_ready(a.node, READY_MS));
	json_object_put(node_named_is_ready(b.node, READY_MS));
}

/* --- what happens --------------------------------------------------------- */

static int64_t
generation_of(const struct place *p)
{
	AUTO_JSON struct json_object *set = flight_devices();

	return js_int(flight_holder(set, p->uid, NULL), "/metadata/generation");
}

static void
leave_the_other_alone(void)
{
	AUTO_JSON struct json_object *pod = NULL;
	int64_t before = generation_of(&b), since = it_ms();

	pod_delete(a.pod);
	it_took(since,
	    kube_await_gone(KUBE_PODS, a.pod, RUN_MS) &&
		flight_await_removed(a.uid, RUN_MS),
	    "%s is deleted, and gone from its device", a.pod);
	pod = kube_get(KUBE_PODS "/b");
	it_ok(strcmp(js_str(pod, "/metadata/uid"), b.uid) == 0 &&
		strcmp(js_condition(pod, "Ready"), "True") == 0 &&
		js_get(pod, "/metadata/deletionTimestamp") == NULL &&
		generation_of(&b) == before,
	    "%s is as Ready as before, its device was not written", b.pod);
}

/* --- the other fleet is taken out ----------------------------------------- */

static char *
metrics(const struct provider *p)
{
	struct http *h = provider_listener(p, READY_MS);
	struct http_answer answer;
	char *text;

	if (http_send(h, "GET", "/metrics", NULL, NULL, &answer) != 200)
		it_die("no metrics");
	text = xstrdup(answer.body);
	http_answer_clear(&answer);
	http_free(h);
	return text;
}

static void
order(const char *node, int status, const char *want)
{
	vkfctl_says("one", (const char *[]){ "-y", "purge", node, NULL },
	    status, want);
}

/* It runs on, and nobody writes to its device. */
static void
is_told(const struct provider *p, int64_t generation)
{
	AUTO_JSON struct json_object *set = NULL;
	AUTO_FREE char *text = NULL;
	int64_t since = it_ms();

	it_took(since,
	    provider_await_lines(p, LEFT ": 1 applications", 1, TELL_MS) > 0,
	    "%s is taken out: the log says what is left", b.fleet);
	it_pause(STAY_MS);
	text = metrics(p);
	it_ok(strstr(text, APPS "1\n") != NULL &&
		strstr(text, NODES "1\n") != NULL,
	    "two metrics tell its application and its Node");
	set = flight_devices();
	it_ok(flight_reports(flight_holder(set, b.uid, NULL), b.uid) &&
		generation_of(&b) == generation,
	    "%s runs on, its device was not written", b.pod);
	it_ok(provider_lines(p, LEFT) == 1, "which is said once");
}

static void
purge(const struct provider *p)
{
	AUTO_JSON struct json_object *lease = NULL;
	AUTO_FREE char *text = NULL;
	int64_t since = it_ms();

	vkfctl_says("one", (const char *[]){ "former", NULL }, EX_OK,
	    "\"node\":\"" OTHER_NODE "\",\"object\":\"yes\",\"served\":"
	    "\"no\",\"applications\":1,\"devices\":1,\"purged\":\"no\"");
	order(a.node, EX_USAGE, "is served");
	order("vk-flightctl-nobody", EX_NOINPUT, "nothing is known");
	order(b.node, EX_OK, "\"result\":\"done\"");
	it_took(since, flight_await_removed(b.uid, RUN_MS),
	    "%s leaves its device", b.pod);
	kube_send("DELETE", KUBE_PODS "/b?gracePeriodSeconds=0", NULL, NULL);
	kube_send("DELETE", KUBE_NODES "/" OTHER_NODE, NULL, NULL);
	it_ok(provider_await_lines(p, OTHER_NODE ": nothing of it is left", 1,
		  TELL_MS) > 0,
	    "its Node is deleted: the log says that nothing is left");
	lease = kube_await_one(WRITERS, b.node, has_none, NULL, TELL_MS);
	it_ok(lease != NULL && has_none(lease, NULL),
	    "nobody holds its Lease any more");
	text = metrics(p);
	it_ok(strstr(text, OTHER_NODE) == NULL, "nor do the metrics name it");
	it_pause(STAY_MS);
	it_ok(kube_get(KUBE_NODES "/" OTHER_NODE) == NULL,
	    "its Node stays deleted");
}

static struct provider *
take_out(struct provider *p)
{
	AUTO_FREE char *state =
	    xasprintf("STATE_DIR=%s/provider/state", it_folder());
	int64_t generation = generation_of(&b);
	struct provider *one;

	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	one =
	    provider_start("one", (const char *[]){ ONE, OFTEN, state, NULL });
	provider_expect(one, LEFT);
	json_object_put(node_named_is_ready(a.node, READY_MS));
	is_told(one, generation);
	purge(one);
	provider_judge(one);
	it_ok(provider_stop(one) == 0, "the provider ends by SIGTERM");
	free(b.uid);
	free(a.uid);
	return provider_start("both",
	    (const char *[]){ BOTH, OFTEN, state, NULL });
}

static void
scenario(void)
{
	struct provider *p;

	world_open(&(struct world_conf){ .devices = DEVICES });
	split();
	p = provider_start("provider", (const char *[]){ BOTH, OFTEN, NULL });
	are_ready();
	has_leases(a.node);
	has_leases(b.node);
	runs(&a);
	runs(&b);
	leave_the_other_alone();
	p = take_out(p);
	are_ready();
	has_leases(b.node);
	runs(&a);
	runs(&b);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("two-fleets", scenario);
}
