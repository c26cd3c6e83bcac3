/* SPDX-License-Identifier: ISC */
/*
 * compaction: what a watch missed is not there to be told any more: etcd was
 * compacted while kubeside did not listen.  It lists everything again: a pod
 * that went meanwhile leaves its device, a new one is run, others stay as they
 * are.  And a list of several pages whose continue token expired begins anew.
 */
#include <signal.h>
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
#include "t/it/world.h"

enum {
	READY_MS = 20000,
	RUN_MS = 20000,
	AGAIN_MS = 15000,
	PAGES = 550, /* pods: more than one page of a list */
};

#define TOO_OLD "/pods: too old, listed again"
#define LISTED "GET /api/v1/pods.*limit=500 status=200"
#define NEXT "GET /api/v1/pods.*limit=500&continue="

static char *
run(const char *name)
{
	AUTO_JSON struct json_object *pod = NULL;
	char *uid = pod_create(name, NULL);

	pod = pod_runs(name, it_ms(), RUN_MS);
	return uid;
}

/* At once, with no kubelet to agree. */
static void
force(const char *name)
{
	AUTO_JSON struct json_object *options =
	    js_make("{\"gracePeriodSeconds\":0}");
	AUTO_FREE char *path = xasprintf("%s/%s", KUBE_PODS, name);

	if (kube_send("DELETE", path, json_object_get(options), NULL) != 200)
		it_die("pod %s cannot be deleted", name);
}

/* What happens while kubeside stands still, and cannot be asked for later. */
static void
miss_all(const struct provider *p)
{
	pid_t kubeside = provider_worker(p, "kubeside");

	if (kubeside == -1 || kill(kubeside, SIGSTOP) == -1)
		it_die("kubeside cannot be stopped");
	free(world_tell(SIM_KUBE, "drop-watches"));
	force("goes");
	free(pod_create("comes", NULL));
	free(world_tell(SIM_KUBE, "compact"));
	(void)kill(kubeside, SIGCONT);
}

static void
events_are_lost(struct provider *p)
{
	AUTO_JSON struct json_object *set = NULL, *pod = NULL;
	AUTO_FREE char *stays = run("stays"), *goes = run("goes");
	int64_t since = it_ms();
	size_t n = 0;

	miss_all(p);
	it_ok(provider_await_lines(p, TOO_OLD, 1, AGAIN_MS) >= 1,
	    "kubeside learns that its version is too old");
	it_ok(flight_await_removed(goes, AGAIN_MS),
	    "what went meanwhile leaves its device");
	pod = pod_runs("comes", since, RUN_MS);
	set = flight_devices();
	(void)flight_holder(set, stays, &n);
	it_ok(n == 1 && flight_restarts(set) == 0 && flight_count(set) == 2,
	    "and what stayed was not touched");
}

/* The second page is refused once: the first counts for nothing. */
static void
pages_expire(void)
{
	static const struct pod_conf crowd = { .app = "crowd",
		.cpu = "1m",
		.memory = "1Mi",
		.device = "no-such-device",
		.bound = 1 };
	struct provider *p;

	crowd_create(&crowd, 0, PAGES);
	crowd_end();
	free(world_tell(SIM_KUBE, "fail-next GET *continue=* 410"));
	p = provider_start("pages", NULL);
	it_ok(provider_await_lines(p, NEXT ".* status=410", 1, READY_MS) == 1,
	    "a continue token has expired");
	it_ok(provider_await_lines(p, LISTED, 2, AGAIN_MS) >= 2 &&
		provider_await_lines(p, NEXT ".* status=200", 1, AGAIN_MS) >= 1,
	    "the list begins anew");
	it_ok(pods_have("Pending", "NoMatchingDevice", RUN_MS),
	    "and its pods are looked at");
	provider_expect(p, "410|too old|Expired");
	/* One for each, at one time: not all are kept on a busy machine. */
	provider_expect(p, "events were not posted: too many at once");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;

	if (world_kind() != WORLD_SIM) {
		it_skip("etcd compacts when it wants to");
		return;
	}
	world_open(&(struct world_conf){ .devices = 1 });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	events_are_lost(p);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	pages_expire();
}

int
main(void)
{
	return it_run("compaction", scenario);
}
