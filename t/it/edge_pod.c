/* SPDX-License-Identifier: ISC */
/*
 * edge_pod: one pod on one real device: podman runs it there as the pod says,
 * and when the pod is deleted nothing of it is left.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "t/it/edge.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"

enum {
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
	AUTO_FREE char *images = edge_sh("podman ps --format '{{.Image}}'");
	AUTO_FREE char *command =
	    edge_sh("podman inspect $(podman ps -q) "
		    "--format '{{.Config.Cmd}} {{.Config.Entrypoint}}'");
	/* What systemd asks podman for; the host may have no controllers. */
	AUTO_FREE char *memory = edge_sh("systemctl cat 'k8s-*.service' | "
					 "grep -o -e '--memory=[0-9]*' | uniq");

	it_ok(strcmp(images, "docker.io/library/busybox:latest") == 0,
	    "podman runs one container of the pod's image (%.80s)", images);
	it_ok(strstr(command, "sleep") != NULL &&
		strstr(command, "100000") != NULL,
	    "with the pod's command (%.80s)", command);
	it_ok(strcmp(memory, "--memory=33554432") == 0,
	    "and the pod's memory limit (%.20s)", memory);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *pod = NULL, *ready = NULL;
	AUTO_FREE char *uid = NULL;
	struct provider *p = edge_open(NULL);
	int64_t since = it_ms();

	if (p == NULL)
		return;
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
	edge_close(p);
}

int
main(void)
{
	return it_run("edge-pod", scenario);
}
