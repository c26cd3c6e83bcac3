/* SPDX-License-Identifier: ISC */
/*
 * conversation: what the provider writes about a pod: to the time it runs two
 * statuses, and one for an init container that is seen at work; to its end two
 * more; three Events; one delete, and no read of it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 20000,
	RUN_MS = 20000,
	END_MS = 30000,
	NO_MORE_MS = 1000,
	TO_RUNNING = 2,
	TO_END = 2,
	EVENTS_MAX = 3,
};

#define MOUNTS ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]"
#define INIT                                                           \
	",\"initContainers\":[{\"name\":\"init\",\"image\":\"busybox:" \
	"latest\",\"command\":[\"true\"]}]"

static const struct {
	const char *name;
	int ends;     /* by itself */
	size_t inits; /* each may be seen at work, which is said */
	struct pod_conf conf;
} pods[] = {
	{ "plain", 0, 0, { .cpu = NULL } },
	{ "variable", 0, 0,
	    { .container = ",\"env\":[{\"name\":\"V\",\"valueFrom\":{"
			   "\"configMapKeyRef\":{\"name\":\"spoken-of\","
			   "\"key\":\"k\"}}}]" } },
	{ "files", 0, 0,
	    { .spec = ",\"volumes\":[{\"name\":\"v\",\"configMap\":{"
		      "\"name\":\"spoken-of\"}}]",
		.container = MOUNTS } },
	{ "init", 0, 1, { .spec = INIT } },
	{ "job", 1, 0, { .spec = ",\"restartPolicy\":\"Never\"" } },
};

/* Waits for one more than there may be. */
static size_t
asked(const struct provider *p, const char *method, const char *name,
    const char *below, size_t most)
{
	AUTO_FREE char *regex =
	    xasprintf("%s /api/v1/namespaces/default/pods/%s%s[? ].*status=2",
		method, name, below);

	return provider_await_lines(p, regex, most + 1, NO_MORE_MS);
}

/* By itself; an end is believed when it was seen for a while. */
static void
end(const char *name)
{
	free(world_tell(SIM_EDGE, "fail-app * *default-job* completed"));
	it_ok(pods_in_phase(name, "Succeeded", 1, END_MS) == 1,
	    "it ends by itself");
}

static void
live(const struct provider *p, size_t i)
{
	AUTO_JSON struct json_object *pod = NULL;
	const char *name = pods[i].name;
	AUTO_FREE char *uid = pod_create(name, &pods[i].conf);
	size_t first, more;
	unsigned int n;

	pod = kube_await_one(KUBE_PODS, name, pod_is_ready, NULL, RUN_MS);
	if (!it_ok(pod != NULL && pod_is_ready(pod, NULL), "%s is Ready", name))
		return;
	first = asked(p, "PATCH", name, "/status", TO_RUNNING + pods[i].inits);
	it_ok(first >= 1 && first <= TO_RUNNING + pods[i].inits,
	    "%zu statuses to the time it runs", first);
	if (pods[i].ends)
		end(name);
	pod_delete(name);
	it_ok(kube_await_gone(KUBE_PODS, name, END_MS), "and it is gone");
	more = asked(p, "PATCH", name, "/status", first + TO_END) - first;
	it_ok(more <= TO_END, "%zu more to its end", more);
	/* What has ended leaves the API without its node. */
	it_ok(asked(p, "DELETE", name, "", 1) == !pods[i].ends,
	    "it was deleted %s", pods[i].ends ? "by others" : "once");
	it_ok(asked(p, "GET", name, "", 0) == 0, "and never read");
	n = pod_events(uid);
	it_ok(n >= 1 && n <= EVENTS_MAX, "%u Events in all", n);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;
	size_t i;

	world_open(&(struct world_conf){ .devices = 2 });
	if (kube_send("POST", "/api/v1/namespaces/default/configmaps",
		js_make("{\"metadata\":{\"name\":\"spoken-of\"},\"data\":{"
			"\"k\":\"v\"}}"),
		NULL) != 201)
		it_die("no ConfigMap can be made");
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	for (i = 0; i < sizeof(pods) / sizeof(pods[0]); i++)
		live(p, i);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("conversation", scenario);
}
