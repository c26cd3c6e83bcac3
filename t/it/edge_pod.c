/* SPDX-License-Identifier: ISC */
/*
 * edge_pod: one pod on one real device: podman runs it there as the pod says,
 * and when the pod is deleted nothing of it is left.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 60000, /* a real agent and real systemd */
	GONE_MS = 30000,
};

static int
is_ready(struct json_object *pod, void *arg)
{
	(void)arg;
	return strcmp(js_condition(pod, "Ready"), "True") == 0;
}

static void
look_with_podman(void)
{
	AUTO_FREE char *images = NULL, *command = NULL, *memory = NULL;
	const char *one = "podman inspect $(podman ps -q) --format ";

	world_shell(&images, "podman ps --format '{{.Image}}'");
	it_ok(strcmp(images, "docker.io/library/busybox:latest\n") == 0,
	    "podman runs one container of the pod's image (%.80s)", images);
	world_shell(&command, "%s '{{.Config.Cmd}} {{.Config.Entrypoint}}'",
	    one);
	it_ok(strstr(command, "sleep") != NULL &&
		strstr(command, "100000") != NULL,
	    "with the pod's command (%.80s)", command);
	/* What systemd asks podman for; the host may have no controllers. */
	world_shell(&memory,
	    "systemctl cat 'k8s-*.service' | "
	    "grep -o -e '--memory=[0-9]*' | uniq");
	it_ok(strcmp(memory, "--memory=33554432\n") == 0,
	    "and the pod's memory limit (%.20s)", memory);
}

static void
look_for_remains(void)
{
	AUTO_FREE char *containers = NULL, *units = NULL;

	world_shell(&containers, "podman ps -aq");
	it_ok(*containers == '\0', "podman has no container left (%.80s)",
	    containers);
	world_shell(&units, "systemctl list-units --all --no-legend 'k8s-*'");
	it_ok(*units == '\0', "systemd has no unit of it left (%.80s)", units);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *pod = NULL, *ready = NULL;
	AUTO_FREE char *uid = NULL;
	struct provider *p;
	int64_t since;

	if (world_kind() != WORLD_EDGE) {
		it_skip("no real device: make check-edge has one");
		return;
	}
	world_open(
	    &(struct world_conf){ .devices = 1, .fleet = "edge-fleet-1" });
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	since = it_ms();
	uid = pod_create("web", NULL);
	if ((pod = pod_runs("web", since, RUN_MS)) == NULL)
		return;
	ready = kube_await_one(KUBE_PODS, "web", is_ready, NULL, RUN_MS);
	it_took(since, ready != NULL && is_ready(ready, NULL),
	    "the pod is Ready");
	look_with_podman();
	since = it_ms();
	pod_delete("web");
	it_took(since, flight_await_removed(uid, GONE_MS),
	    "it is gone from the device's report");
	it_took(since, kube_await_gone(KUBE_PODS, "web", GONE_MS),
	    "its object is gone");
	look_for_remains();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("edge-pod", scenario);
}
