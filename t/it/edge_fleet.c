/* SPDX-License-Identifier: ISC */
/*
 * edge_fleet: scenarios 1, 2 and 6 with kubectl on two real devices; what
 * podman says there is compared with what kubectl says, and how long it takes
 * from kubectl to the device and back is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/edge.h"
#include "t/it/fleet.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"
#include "t/it/world.h"

#define WEB "t/edge/pods/web.yaml"
#define THREE "t/edge/pods/three.yaml"
#define OTHER "edge2"

enum {
	REPLICAS = 3,
	READY_MS = 30000,
	RUN_MS = 10000, /* T008 */
	PULL_MS = 60000,
	GONE_MS = 10000, /* T013 */
	QUIET_MS = 6000, /* an agent asks at most each 5 s, or waits: 2 min */
	MEGABYTES = 20,
};

/* --- what podman says ----------------------------------------------------- */

/* Names of pods of this app with a container that runs, one a line. */
static char *
podman_runs(const char *device, const char *app)
{
	return edge_sh_on(device,
	    "podman ps --filter label=vk.flightctl.io/uid --format "
	    "'{{index .Labels \"vk.flightctl.io/pod\"}}' | grep '^%s' | sort",
	    app);
}

static unsigned int
lines(const char *text)
{
	unsigned int n = *text != '\0';

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* Each pod that kubectl calls Running is in one of podman's two lists. */
static unsigned int
count_running(const char *app, const char *here, const char *there)
{
	AUTO_JSON struct json_object *set = kube_get(KUBE_PODS);
	struct json_object *pod;
	unsigned int n = 0;
	const char *name;
	size_t i;

	for (i = 0; (pod = js_item(set, "/items", i)) != NULL; i++) {
		name = js_str(pod, "/metadata/name");
		if (strcmp(js_str(pod, "/metadata/labels/app"), app) == 0 &&
		    strcmp(js_str(pod, "/status/phase"), "Running") == 0)
			n += (strstr(here, name) != NULL) !=
			    (strstr(there, name) != NULL);
	}
	return n;
}

static void
compare(const char *app, unsigned int wanted)
{
	AUTO_FREE char *here = podman_runs(edge_name(), app);
	AUTO_FREE char *there = podman_runs(OTHER, app);
	unsigned int a = lines(here), b = lines(there);
	unsigned int same = count_running(app, here, there);

	it_ok(a + b == wanted && same == wanted,
	    "%s: kubectl says %u Running, podman runs %u + %u, %u the same",
	    app, wanted, a, b, same);
	it_ok(abs((int)a - (int)b) <= 1, "they are spread over the devices");
}

/* --- the node's figures --------------------------------------------------- */

static int
shows_text(struct json_object *node, void *arg)
{
	const char *text =
	    json_object_to_json_string(js_get(node, "/metadata/annotations"));

	return strstr(text, arg) != NULL;
}

static struct json_object *
node(void)
{
	AUTO_FREE char *path = xasprintf(KUBE_NODES "/%s", world_node());

	return kube_get(path);
}

static void
look_at_free(int64_t used_m)
{
	AUTO_JSON struct json_object *now = node(), *then = NULL;
	int64_t left = node_cpu_m(now, "capacity") - used_m;
	AUTO_FREE char *text = left % 1000 == 0 ?
	    xasprintf("\"%lld\"", (long long)left / 1000) :
	    xasprintf("\"%lldm\"", (long long)left);

	then = kube_await_one(KUBE_NODES, world_node(), shows_text, text,
	    READY_MS);
	it_ok(then != NULL && shows_text(then, text),
	    "the node shows %s of CPU as free", text);
}

static int
has_more(struct json_object *now, void *arg)
{
	int64_t *before = arg;

	return node_cpu_m(now, "capacity") > *before;
}

static void
other_device(void)
{
	AUTO_JSON struct json_object *now = node(), *then = NULL;
	int64_t before = node_cpu_m(now, "capacity");

	edge_up(OTHER);
	then = kube_await_one(KUBE_NODES, world_node(), has_more, &before,
	    READY_MS);
	it_ok(then != NULL && has_more(then, &before),
	    "a second device adds to the node's CPU");
}

/* --- one pod -------------------------------------------------------------- */

static void
apply_web(const char *file, const char *what, int ms)
{
	AUTO_JSON struct json_object *pod = NULL;
	int64_t since = it_ms();

	kubectl("apply -f %s", file);
	pod = kube_await_one(KUBE_PODS, "web", pod_is_ready, NULL, ms);
	it_took(since, pod != NULL && pod_is_ready(pod, NULL),
	    "%s: from kubectl apply to Ready", what);
}

static void
delete_web(const char *what)
{
	AUTO_JSON struct json_object *pod = kube_get(KUBE_PODS "/web");
	AUTO_FREE char *uid = xstrdup(js_str(pod, "/metadata/uid"));
	int64_t since = it_ms();

	kubectl("delete --wait=false pod/web");
	it_took(since, flight_await_removed(uid, GONE_MS),
	    "%s: from kubectl delete to gone from the device", what);
	it_took(since, kube_await_gone(KUBE_PODS, "web", GONE_MS),
	    "%s: from kubectl delete to gone", what);
}

/* The device where the pod runs: podman's words about it. */
static void
look_at_web(void)
{
	AUTO_FREE char *here = podman_runs(edge_name(), "web");
	const char *device = *here != '\0' ? edge_name() : OTHER;
	AUTO_FREE char *image =
	    edge_sh_on(device, "podman ps --format '{{.Image}}'");
	AUTO_FREE char *command = edge_sh_on(device,
	    "podman inspect $(podman ps -q) --format '{{.Config.Cmd}}'");
	/* What systemd asks podman for; the host may have no controllers. */
	AUTO_FREE char *memory = edge_sh_on(device,
	    "systemctl cat 'k8s-*.service' | grep -o -e '--memory=[0-9]*' | "
	    "uniq");

	it_ok(strcmp(image, "docker.io/library/busybox:latest") == 0,
	    "podman runs one container of the pod's image (%.80s)", image);
	it_ok(strstr(command, "sleep 100000 & wait") != NULL,
	    "with the pod's command (%.80s)", command);
	it_ok(strcmp(memory, "--memory=33554432") == 0,
	    "and the pod's memory limit (%.20s)", memory);
}

/* Scenarios 1 and 6, on devices that did nothing just before. */
static void
one_pod(void)
{
	AUTO_FREE char *web = child_source(WEB);

	it_pause(QUIET_MS);
	apply_web(web, "image present", RUN_MS);
	compare("web", 1);
	look_at_web();
	look_at_free(100);
	it_pause(QUIET_MS);
	delete_web("device at rest");
	compare("web", 0);
	look_at_free(0);
}

/* --- a Deployment --------------------------------------------------------- */

static void
deployment(void)
{
	AUTO_FREE char *three = child_source(THREE);
	int64_t since = it_ms();
	unsigned int n;

	kubectl("apply -f %s", three);
	n = pods_in_phase("three", "Running", REPLICAS, READY_MS);
	it_took(since, n == REPLICAS, "%u of %d replicas are Running", n,
	    REPLICAS);
	compare("three", REPLICAS);
	look_at_free(100 * REPLICAS);
	since = it_ms();
	kubectl("delete -f %s", three);
	it_took(since, pods_gone("three", READY_MS), "all are gone");
	compare("three", 0);
	look_at_free(0);
}

/* --- an image that is not there ------------------------------------------- */

static void
push_image(const char *image)
{
	AUTO_FREE char *out = edge_sh(
	    "cd $(mktemp -d) && head -c %dM /dev/urandom >blob && "
	    "printf 'FROM busybox\\nCOPY blob /blob\\n' >Containerfile && "
	    "podman build -q --pull=never -t %s . >/dev/null && "
	    "podman push -q %s && podman rmi %s >/dev/null && echo pushed",
	    MEGABYTES, image, image, image);

	it_ok(strcmp(out, "pushed") == 0,
	    "an image of %d MB is pushed (%.120s)", MEGABYTES, out);
}

static void
to_be_pulled(void)
{
	AUTO_FREE char *image = xasprintf("%s/web:1", getenv("EDGE_REGISTRY"));
	AUTO_FREE char *web = child_source(WEB), *text = it_file(web, NULL);
	AUTO_FREE char *file = xasprintf("%s/pulled.yaml", it_folder());
	AUTO_FREE char *pulled = NULL;
	char *at = strstr(text, "busybox:latest");

	if (at == NULL)
		it_die("%s has no image of that name", web);
	pulled = xasprintf("%.*s%s%s", (int)(at - text), text, image,
	    at + strlen("busybox:latest"));
	it_write(file, pulled);
	push_image(image);
	it_pause(QUIET_MS);
	apply_web(file, "image to be pulled", PULL_MS);
	delete_web("device that just changed");
}

static void
scenario(void)
{
	struct provider *p = edge_open(NULL);

	if (p == NULL)
		return;
	other_device();
	look_at_free(0);
	one_pod();
	deployment();
	to_be_pulled();
	edge_is_empty(OTHER);
	edge_close(p);
	edge_down(OTHER);
}

int
main(void)
{
	return it_run("edge-fleet", scenario);
}
