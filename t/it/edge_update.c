/* SPDX-License-Identifier: ISC */
/*
 * edge_update: scenarios 3 and 4 on a real device.  What asks for more than it
 * has never gets there.  An image changed in place, and a StatefulSet's next
 * pod of the same name: the containers themselves write down that one had
 * ended before the next began, and podman is the witness of what runs.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/edge.h"
#include "t/it/fleet.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/world.h"

#define HUGE_PODS "t/edge/pods/huge.yaml"
#define TURNS "t/edge/pods/turn.yaml"
#define REASON "InsufficientResources"

enum {
	RUN_MS = 30000,
	TOLD_MS = 20000,
	UPDATE_MS = 15000, /* T011 */
	GONE_MS = 20000,
};

/* --- scenario 3 ----------------------------------------------------------- */

static void
too_big(void)
{
	AUTO_FREE char *file = child_source(HUGE_PODS), *words = NULL;
	AUTO_FREE char *path = xasprintf(KUBE_NODES "/%s", world_node());
	AUTO_JSON struct json_object *node = kube_get(path), *pod = NULL;
	AUTO_FREE char *there = NULL;
	int64_t since = it_ms();

	kubectl("apply -f %s", file);
	it_took(since, pods_have("Failed", REASON, TOLD_MS),
	    "a bare pod has failed: " REASON);
	it_took(since, pods_have("Pending", REASON, TOLD_MS),
	    "a Deployment's is Pending: " REASON);
	/* of one device the node has as much */
	words = xasprintf(" has %lld CPU, requested 1000 CPU",
	    (long long)node_cpu_m(node, "capacity") / 1000);
	pod = kube_get(KUBE_PODS "/huge");
	it_ok(strstr(js_str(pod, "/status/message"), words) != NULL,
	    "it names what the device has: %s", js_str(pod, "/status/message"));
	there = edge_sh("podman ps -aq");
	it_ok(*there == '\0', "the device has no container (%s)", there);
	kubectl("delete -f %s", file);
	it_ok(pods_gone("huge-owned", GONE_MS), "they are gone");
}

/* --- scenario 4 ----------------------------------------------------------- */

/* What the containers of that pod wrote, in their order. */
static void
took_turns(const char *name, const char *wanted)
{
	AUTO_FREE char *log = edge_sh("grep '^%s ' /srv/turns/log | "
				      "cut -d ' ' -f 2 | paste -sd ' '",
	    name);
	AUTO_FREE char *images =
	    edge_sh("podman ps --filter label=vk.flightctl.io/pod=%s "
		    "--format '{{.Image}}'",
		name);

	it_ok(strcmp(log, wanted) == 0,
	    "%s: the old one had ended before the new one began: %s", name,
	    log);
	it_ok(strcmp(images, "docker.io/library/tls:latest") == 0,
	    "%s: podman runs one container, of the new image (%s)", name,
	    images);
}

static int
runs_new(struct json_object *pod, void *arg)
{
	struct json_object *c = js_get(pod, "/status/containerStatuses/0");

	(void)arg;
	return strstr(js_str(c, "/image"), "tls") != NULL &&
	    js_get(c, "/state/running") != NULL;
}

static void
in_place(void)
{
	AUTO_JSON struct json_object *before = kube_get(KUBE_PODS "/turn");
	AUTO_JSON struct json_object *after = NULL;
	int64_t since = it_ms();

	kubectl("set image pod/turn main=tls:latest");
	after = kube_await_one(KUBE_PODS, "turn", runs_new, NULL, UPDATE_MS);
	it_took(since, after != NULL && runs_new(after, NULL),
	    "turn: the pod runs the new image");
	it_ok(strcmp(js_str(before, "/metadata/uid"),
		  js_str(after, "/metadata/uid")) == 0,
	    "turn: it is the same pod");
	took_turns("turn", "begins ends begins");
}

/* What kubectl get -w shows of a name. */
struct story {
	const char *name;
	char *text, *last;
};

static int
goes_on(struct json_object *set, void *arg)
{
	struct story *s = arg;
	struct json_object *pod = json_object_object_get(set, s->name);
	const char *now = pod == NULL ? "" :
	    *js_str(pod, "/metadata/deletionTimestamp") != '\0' ?
					"Terminating" :
					js_str(pod, "/status/phase");
	char *more;

	if (*now != '\0' && (s->last == NULL || strcmp(now, s->last) != 0)) {
		more = xasprintf("%s%s%s", s->text == NULL ? "" : s->text,
		    s->text == NULL ? "" : " ", now);
		free(s->text);
		free(s->last);
		s->text = more;
		s->last = xstrdup(now);
	}
	return pod != NULL && strcmp(now, "Running") == 0 &&
	    runs_new(pod, NULL);
}

static void
another_pod(void)
{
	struct story s = { .name = "shop-0" };
	int64_t since = it_ms();

	kubectl("set image statefulset/shop main=tls:latest");
	it_took(since, kube_await(KUBE_PODS, goes_on, &s, UPDATE_MS),
	    "shop-0: the next pod runs the new image");
	it_ok(s.text != NULL &&
		strstr(s.text, "Terminating Pending Running") != NULL,
	    "shop-0: kubectl shows %s", s.text);
	took_turns("shop-0", "begins ends begins");
	free(s.text);
	free(s.last);
}

static void
scenario(void)
{
	AUTO_FREE char *file = child_source(TURNS);
	/* where the turns are written is a hostPath */
	static const char *const settings[] = { "ALLOW_PRIVILEGED=yes", NULL };
	struct provider *p = edge_open(settings);
	int64_t since = it_ms();

	if (p == NULL)
		return;
	too_big();
	kubectl("apply -f %s", file);
	json_object_put(pod_runs("turn", since, RUN_MS));
	json_object_put(pod_runs("shop-0", since, RUN_MS));
	in_place();
	another_pod();
	kubectl("delete --wait=false -f %s", file);
	edge_close(p);
}

int
main(void)
{
	return it_run("edge-update", scenario);
}
