/* SPDX-License-Identifier: ISC */
/*
 * in_place: what people ask of a pod that is there, on the real control plane:
 * a resize, a container to look into it, its logs, its story.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define STRATEGIC "application/strategic-merge-patch+json"
#define PENDING "PodResizePending"

enum {
	READY_MS = 20000,
	RUN_MS = 30000,
	TELL_MS = 10000,
	FAIL_MS = 5000, /* "at once", for one who waits for it */
	STORY = 3,
};

static int
has_requests(struct json_object *pod, void *cpu)
{
	return strcmp(js_str(pod,
			  "/status/containerStatuses/0/resources/requests/cpu"),
		   cpu) == 0;
}

static int
is_infeasible(struct json_object *pod, void *had)
{
	return strcmp(js_reason(pod, PENDING), "Infeasible") == 0 &&
	    has_requests(pod, had);
}

static int
is_settled(struct json_object *pod, void *arg)
{
	(void)arg;
	return *js_condition(pod, PENDING) == '\0';
}

static long
resize(const char *cpu)
{
	return kube_patch(KUBE_PODS "/web/resize", STRATEGIC,
	    js_make("{\"spec\":{\"containers\":[{\"name\":\"main\","
		    "\"resources\":{\"requests\":{\"cpu\":\"%s\"},"
		    "\"limits\":{\"cpu\":\"%s\"}}}]}}",
		cpu, cpu));
}

/* One check with the time it took: the pod comes to be so. */
static void
comes_to(kube_one_fn *fn, void *arg, const char *what)
{
	int64_t since = it_ms();
	AUTO_JSON struct json_object *pod =
	    kube_await_one(KUBE_PODS, "web", fn, arg, TELL_MS);

	it_took(since, pod != NULL && fn(pod, arg), "%s", what);
}

static void
is_resized(const char *uid)
{
	static char had[] = "100m";

	comes_to(has_requests, had,
	    "its status says what it was admitted with");
	it_ok(resize("200m") == 200, "kubectl patch --subresource resize");
	comes_to(is_infeasible, had,
	    "the resize is Infeasible, the status says what it has");
	pod_is_told(uid, "ResizeInfeasible", "keeps the resources", TELL_MS);
	it_ok(resize(had) == 200, "it is taken back");
	comes_to(is_settled, NULL, "nothing is pending");
}

static int
has_ended(struct json_object *pod, void *reason)
{
	return strcmp(js_str(pod,
			  "/status/ephemeralContainerStatuses/0/state"
			  "/terminated/reason"),
		   reason) == 0;
}

static void
is_looked_into(const char *uid)
{
	static char refused[] = "EphemeralContainersNotSupported";

	it_ok(kube_patch(KUBE_PODS "/web/ephemeralcontainers", STRATEGIC,
		  js_make("{\"spec\":{\"ephemeralContainers\":[{\"name\":"
			  "\"look\",\"image\":\"busybox\"}]}}")) == 200,
	    "kubectl debug");
	comes_to(has_ended, refused, "its container ended before it began");
	pod_is_told(uid, refused, "console", TELL_MS);
}

/* That fails, soon, and says this. */
static void
fails(const char *line, const char *says)
{
	AUTO_FREE char *out = NULL;
	int64_t since = it_ms();
	int status = kubectl_says(line, &out);

	it_took(since,
	    status != 0 && strstr(out, says) != NULL &&
		it_ms() - since < FAIL_MS,
	    "kubectl %s fails at once: %s", line, out);
}

static void
is_described(void)
{
	AUTO_FREE char *out = NULL;

	it_ok(kubectl_says("describe pod web", &out) == 0 &&
		strstr(out, "Scheduled") != NULL &&
		strstr(out, "Placed") != NULL &&
		strstr(out, "Started") != NULL && strstr(out, "0001") == NULL,
	    "kubectl describe pod tells its story, and no time of year 1");
	if (out != NULL && strstr(out, "Placed") == NULL)
		it_say("%s", out);
}

/* Of one to which nothing happens. */
static void
is_born_and_dies(void)
{
	AUTO_FREE char *uid = pod_create("plain", NULL);

	json_object_put(pod_runs("plain", it_ms(), RUN_MS));
	pod_is_told(uid, "Started", "running on device", TELL_MS);
	pod_delete("plain");
	it_ok(kube_await_gone(KUBE_PODS, "plain", RUN_MS), "it is gone");
	pod_is_told(uid, "Killing", "stopping on device", TELL_MS);
	it_ok(pod_events(uid) == STORY, "a whole life is told by %u Events",
	    pod_events(uid));
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *before = NULL,
				     *after = NULL;
	AUTO_FREE char *uid = NULL;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 2 });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	uid = pod_create("web", NULL);
	json_object_put(pod_runs("web", it_ms(), RUN_MS));
	pod_is_told(uid, "Placed", "device", TELL_MS);
	before = flight_devices();
	is_resized(uid);
	is_looked_into(uid);
	fails("logs web", "web");
	fails("exec web -- true", "web");
	is_described();
	after = flight_devices();
	it_ok(flight_generations(after) == flight_generations(before),
	    "no spec was written");
	is_born_and_dies();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("in-place", scenario);
}
