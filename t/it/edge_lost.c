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

/* --- pods ----------------------------------------------------------------- */

struct wish {
	const char *except; /* a name that is not meant */
	const char *ready;
	char *name;
};

static int
is_there(struct json_object *set, void *arg)
{
	struct wish *w = arg;
	struct json_object *pod;
	struct lh_entry *at = NULL;
	const char *name;

	while (js_next(set, &at, &name, &pod)) {
		if (strcmp(js_condition(pod, "Ready"), w->ready) != 0 ||
		    (w->except != NULL && strcmp(name, w->except) == 0))
			continue;
		free(w->name);
		w->name = xstrdup(name);
		return 1;
	}
	return 0;
}

/* The pod that is so; its name, the caller's, NULL: none. */
static char *
await(const char *ready, const char *except, int ms, const char *what)
{
	struct wish w = { except, ready, NULL };
	int64_t since = it_ms();

	it_took(since, kube_await(KUBE_PODS, is_there, &w, ms), "%s", what);
	return w.name;
}

static struct json_object *
pod_named(const char *name)
{
	AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", name);

	return kube_get(path);
}

static char *
uid_of(const char *name)
{
	AUTO_JSON struct json_object *pod = pod_named(name);

	return xstrdup(js_str(pod, "/metadata/uid"));
}

static int
is_leaving(const char *name)
{
	AUTO_JSON struct json_object *pod = pod_named(name);

	return *js_str(pod, "/metadata/deletionTimestamp") != '\0';
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
back_in_time(const char *pod, const char *device)
{
	AUTO_FREE char *before = began(device, pod), *after = NULL;
	AUTO_FREE char *lost = NULL, *again = NULL, *uid = uid_of(pod);

	edge_lose(device);
	lost = await("Unknown", NULL, TOLD_MS, "its pod's Ready is Unknown");
	it_ok(pod_has_event(uid, "DeviceDisconnected", "disconnected", TOLD_MS),
	    "an Event says DeviceDisconnected");
	come_back(device);
	again = await("True", NULL, BACK_MS, "back in time: Ready again");
	it_ok(again != NULL && strcmp(again, pod) == 0, "it is the same pod");
	it_ok(pod_has_event(uid, "DeviceReconnected", "connected again",
		  TOLD_MS),
	    "an Event says DeviceReconnected");
	after = began(device, pod);
	it_ok(*before != '\0' && strcmp(before, after) == 0,
	    "its container runs on (%s)", after);
}

static void
out_of_time(const char *pod, const char *device)
{
	const char *other = strcmp(device, OTHER) == 0 ? edge_name() : OTHER;
	AUTO_FREE char *next = NULL, *here = NULL, *there = NULL, *now = NULL;
	AUTO_FREE char *uid = uid_of(pod);
	int64_t since;

	edge_lose(device);
	next = await("True", pod, TOLD_MS + TIMEOUT_MS + RUN_MS,
	    "out of time: another pod is Ready");
	if (next == NULL)
		return;
	it_ok(pod_has_event(uid, "DeviceTimeoutExceeded", "", TOLD_MS),
	    "an Event says DeviceTimeoutExceeded");
	here = began(device, pod);
	there = began(other, next);
	it_ok(*here != '\0' && is_leaving(pod),
	    "the old one is Terminating, for it runs there still (%s)", here);
	it_ok(*there != '\0', "the next runs on the other device (%s)", there);
	since = it_ms();
	come_back(device);
	it_took(since, kube_await_gone(KUBE_PODS, pod, GONE_MS),
	    "the device is back: the old one is gone");
	free(here);
	here = began(device, pod);
	now = began(other, next);
	it_ok(*here == '\0', "and its container (%s)", here);
	it_ok(strcmp(there, now) == 0, "the next runs on (%s)", now);
}

static void
scenario(void)
{
	AUTO_FREE char *file = child_source(WANDERER), *pod = NULL;
	struct provider *p = edge_open(
	    (const char *const[]){ "DEVICE_RECONNECT_TIMEOUT=1m", NULL });

	if (p == NULL)
		return;
	edge_up(OTHER);
	kubectl("apply -f %s", file);
	pod = await("True", NULL, RUN_MS, "its pod is Ready");
	if (pod == NULL)
		return;
	back_in_time(pod, device_of(pod));
	out_of_time(pod, device_of(pod));
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
