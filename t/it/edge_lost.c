/* SPDX-License-Identifier: ISC */
/*
 * edge_lost: scenario 5 on two real devices.  One with a pod goes silent: back
 * in time, its pod is as it was; out of time, the Deployment's next pod runs
 * on the other device, and the old one goes when its device is back.  podman
 * is the witness of what runs.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/edge.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/kubectl.h"
#include "t/it/pod.h"

#define WANDERER "t/edge/pods/wanderer.yaml"
#define OTHER "edge2"

enum {
	RUN_MS = 30000,
	TOLD_MS = 60000, /* half of it may be a blink */
	BACK_MS = 60000,
	TIMEOUT_MS = 60000,
	GONE_MS = 60000,
};

static int
leaves(const char *name)
{
	AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", name);
	AUTO_JSON struct json_object *pod = kube_get(path);

	return pod_leaves(pod, NULL);
}

/* --- what podman says ----------------------------------------------------- */

/* When the pod's container began there; "": it does not run there. */
static char *
began(const char *device, const char *pod)
{
	return edge_sh_on(device,
	    "podman ps --filter label=vk.flightctl.io/pod=%s "
	    "--format '{{.ID}} {{.StartedAt}}'",
	    pod);
}

static const char *
device_of(const char *pod)
{
	AUTO_FREE char *there = began(OTHER, pod);

	return *there != '\0' ? OTHER : edge_name();
}

/* Its agent has waited longer and longer: as a person would, begin anew. */
static void
come_back(const char *device)
{
	edge_cable_of(device, 1);
	free(edge_sh_on(device, "systemctl restart flightctl-agent"));
}

/* --- scenes --------------------------------------------------------------- */

static void
back_in_time(struct json_object *pod, const char *device)
{
	const char *name = js_str(pod, "/metadata/name");
	const char *uid = js_str(pod, "/metadata/uid");
	AUTO_FREE char *before = began(device, name), *after = NULL;
	AUTO_JSON struct json_object *lost = NULL, *again = NULL;

	edge_lose(device);
	lost = pod_whose_ready_is("Unknown", NULL, TOLD_MS,
	    "its pod's Ready is Unknown");
	pod_is_told(uid, "DeviceDisconnected", "disconnected", TOLD_MS);
	come_back(device);
	again = pod_whose_ready_is("True", NULL, BACK_MS,
	    "back in time: Ready again");
	it_ok(strcmp(js_str(again, "/metadata/uid"), uid) == 0,
	    "it is the same pod");
	pod_is_told(uid, "DeviceReconnected", "connected again", TOLD_MS);
	after = began(device, name);
	it_ok(*before != '\0' && strcmp(before, after) == 0,
	    "its container runs on (%s)", after);
}

static void
out_of_time(struct json_object *pod, const char *device)
{
	const char *name = js_str(pod, "/metadata/name");
	const char *uid = js_str(pod, "/metadata/uid"), *heir;
	const char *other = strcmp(device, OTHER) == 0 ? edge_name() : OTHER;
	AUTO_FREE char *here = NULL, *there = NULL, *now = NULL;
	AUTO_JSON struct json_object *next = NULL;
	int64_t since;

	edge_lose(device);
	next = pod_whose_ready_is("True", uid, TOLD_MS + TIMEOUT_MS + RUN_MS,
	    "out of time: another pod is Ready");
	if (next == NULL)
		return;
	heir = js_str(next, "/metadata/name");
	pod_is_told(uid, "DeviceTimeoutExceeded", "", TOLD_MS);
	here = began(device, name);
	there = began(other, heir);
	it_ok(*here != '\0' && leaves(name),
	    "the old one is Terminating, for it runs there still (%s)", here);
	it_ok(*there != '\0', "the next runs on the other device (%s)", there);
	since = it_ms();
	come_back(device);
	it_took(since, kube_await_gone(KUBE_PODS, name, GONE_MS),
	    "the device is back: the old one is gone");
	free(here);
	here = began(device, name);
	now = began(other, heir);
	it_ok(*here == '\0', "and its container (%s)", here);
	it_ok(strcmp(there, now) == 0, "the next runs on (%s)", now);
}

static void
scenario(void)
{
	AUTO_FREE char *file = child_source(WANDERER);
	AUTO_JSON struct json_object *pod = NULL;
	struct provider *p = edge_open(
	    (const char *const[]){ "DEVICE_RECONNECT_TIMEOUT=1m", NULL });

	if (p == NULL)
		return;
	edge_up(OTHER);
	kubectl("apply -f %s", file);
	pod = pod_whose_ready_is("True", NULL, RUN_MS, "its pod is Ready");
	if (pod == NULL)
		return;
	back_in_time(pod, device_of(js_str(pod, "/metadata/name")));
	out_of_time(pod, device_of(js_str(pod, "/metadata/name")));
	kubectl("delete -f %s", file);
	it_ok(pods_gone("wanderer", GONE_MS), "all are gone");
	edge_is_empty(OTHER);
	edge_close(p);
	edge_down(OTHER);
}

int
main(void)
{
	return it_run("edge-lost", scenario);
}
