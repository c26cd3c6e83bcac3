/* SPDX-License-Identifier: ISC */
/*
 * edge_life: what happens to pods on one real device when its agent starts
 * again, its cable is pulled while a pod is deleted, it cannot be without one,
 * it reports less often, the provider is away while a job ends, and it boots.
 * Pods end as Kubernetes says, and what is told is true within 15 s.
 */
#include <stdint.h>
#include <stdio.h>
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
#include "t/it/provider.h"

#define PODS "t/edge/pods/life.yaml"
#define STUCK "/var/lib/vk-flightctl/k8s-*-stuck-*/about/name"

enum {
	RUN_MS = 60000,
	TRUE_MS = 15000, /* after which what is told is true */
	AGAIN_MS = 30000,
	DOWN_S = 20,
	GONE_MS = 30000,
	WATCH_MS = 20000,
	REFUSED_MS = 20000,
	RETRY_MS = 120000,
	CUT_MS = 10000,
};

static const char *const settings[] = { "ALLOW_PRIVILEGED=yes", NULL };

/* --- what is told -------------------------------------------------------- */

struct wish {
	const char *phase;
	int ready;
	int64_t restarts;
};

static int
is_as_wished(struct json_object *pod, void *arg)
{
	const struct wish *w = arg;

	return strcmp(js_str(pod, "/status/phase"), w->phase) == 0 &&
	    (strcmp(js_condition(pod, "Ready"), "True") == 0) == w->ready &&
	    js_int(pod, "/status/containerStatuses/0/restartCount") >=
	    w->restarts;
}

static void
await(const char *name, struct wish w, int ms, const char *when)
{
	int64_t since = it_ms();
	AUTO_JSON struct json_object *pod =
	    kube_await_one(KUBE_PODS, name, is_as_wished, &w, ms);

	if (!it_took(since, pod != NULL && is_as_wished(pod, &w),
		"%s: %s is %s%s", when, name, w.phase,
		w.ready ? " and Ready" : ", not Ready"))
		it_say("%s",
		    json_object_to_json_string(js_get(pod, "/status")));
}

/* Anything but Running and Ready. */
static int
wavers(struct json_object *pod, void *arg)
{
	struct wish w = { "Running", 1, 0 };

	(void)arg;
	return !is_as_wished(pod, &w);
}

/* For so long it is not told to be anything else. */
static void
stays(const char *name, const char *when)
{
	AUTO_JSON struct json_object *pod =
	    kube_await_one(KUBE_PODS, name, wavers, NULL, WATCH_MS);

	if (!it_ok(pod != NULL && !wavers(pod, NULL),
		"%s: %s is said to run all the time", when, name))
		it_say("%s",
		    json_object_to_json_string(js_get(pod, "/status")));
}

/* How often its container began. */
static void
began(const char *name, int times, const char *when)
{
	AUTO_FREE char *lines = edge_sh("wc -l </srv/life/%s", name);

	it_ok(atoi(lines) == times, "%s: %s began %s times, as it should", when,
	    name, lines);
}

/*
 * That it does not run is told in time, and that it does again.  It is down for
 * longer than the time to tell it: a shorter pause may well be over before any
 * report says so.
 */
static void
dies(const char *name, int64_t restarts)
{
	free(edge_sh("c=$(podman ps -q --filter label=vk.flightctl.io/pod=%s) "
		     "u=$(podman inspect $c --format "
		     "'{{index .Config.Labels \"PODMAN_SYSTEMD_UNIT\"}}') && "
		     "mkdir -p /run/systemd/system/$u.d && "
		     "printf '[Service]\\nRestartSec=%d\\n' "
		     ">/run/systemd/system/$u.d/test.conf && "
		     "systemctl daemon-reload && podman kill $c",
	    name, DOWN_S));
	await(name, (struct wish){ "Running", 0, restarts - 1 }, TRUE_MS,
	    "its container was killed");
	await(name, (struct wish){ "Running", 1, restarts }, AGAIN_MS,
	    "and starts again");
	free(edge_sh("rm -r /run/systemd/system/*.service.d/test.conf && "
		     "systemctl daemon-reload"));
}

/* --- scenes -------------------------------------------------------------- */

static void
agent_restarts(void)
{
	free(edge_sh("systemctl restart flightctl-agent"));
	stays("steady", "the agent starts again");
	began("steady", 1, "after it");
	dies("steady", 1);
	began("steady", 2, "after that");
}

static void
cable_is_pulled(void)
{
	int64_t since;

	edge_cable(0);
	kubectl("delete --wait=false pod/leaving");
	it_ok(!kube_await_gone(KUBE_PODS, "leaving", CUT_MS),
	    "with the cable out a deleted pod stays, it may run");
	edge_cable(1);
	since = it_ms();
	it_took(since, kube_await_gone(KUBE_PODS, "leaving", GONE_MS),
	    "the cable is back: it is gone");
}

/* Its file is a mount, that nobody unlinks: the version fails. */
static void
removal_fails(void)
{
	AUTO_FREE char *runs = NULL;
	int64_t since;

	free(edge_sh("mount --bind " STUCK " " STUCK));
	kubectl("delete --wait=false pod/stuck");
	it_ok(!kube_await_gone(KUBE_PODS, "stuck", REFUSED_MS),
	    "the device refuses to be without a pod: it stays");
	runs = edge_sh("podman ps -q "
		       "--filter label=vk.flightctl.io/pod=stuck | wc -l");
	it_ok(atoi(runs) > 0, "and runs");
	free(edge_sh("umount " STUCK));
	since = it_ms();
	it_took(since, kube_await_gone(KUBE_PODS, "stuck", RETRY_MS),
	    "the device can: it is asked again, and the pod is gone");
	began("steady", 2, "all that while");
}

static void
reports_less_often(void)
{
	free(edge_sh("sed -i 's/^status-update-interval:.*/"
		     "status-update-interval: 4s/' "
		     "/etc/flightctl/config.yaml; "
		     "systemctl restart flightctl-agent"));
	stays("steady", "the agent reports each 4 s");
	dies("steady", 2);
	free(edge_sh("sed -i 's/^status-update-interval:.*/"
		     "status-update-interval: 2s/' "
		     "/etc/flightctl/config.yaml; "
		     "systemctl restart flightctl-agent"));
}

/* The job ends while nobody looks, and the device boots before anybody does. */
static struct provider *
boots(struct provider *p)
{
	AUTO_FREE char *ended = NULL;

	provider_judge(p);
	provider_leaves(p, "an agent that was just started reports later");
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	ended = edge_sh("touch /srv/life/go; "
			"for i in $(seq 50); do podman ps -q --filter "
			"label=vk.flightctl.io/pod=once | grep -q . || break; "
			"sleep 0.2; done; podman ps -q --filter "
			"label=vk.flightctl.io/pod=once");
	it_ok(*ended == '\0', "the job has ended meanwhile");
	edge_reboot();
	p = provider_start("again", settings);
	await("steady", (struct wish){ "Running", 1, 0 }, RUN_MS,
	    "the device has booted");
	await("once", (struct wish){ "Succeeded", 0, 0 }, RUN_MS,
	    "the device has booted");
	began("once", 1, "nothing that ended runs again");
	began("steady", 4, "what should run does");
	return p;
}

static void
scenario(void)
{
	AUTO_FREE char *pods = child_source(PODS);
	struct provider *p = edge_open(settings);

	if (p == NULL)
		return;
	kubectl("apply -f %s", pods);
	await("steady", (struct wish){ "Running", 1, 0 }, RUN_MS, "applied");
	await("once", (struct wish){ "Running", 1, 0 }, RUN_MS, "applied");
	await("leaving", (struct wish){ "Running", 1, 0 }, RUN_MS, "applied");
	await("stuck", (struct wish){ "Running", 1, 0 }, RUN_MS, "applied");
	agent_restarts();
	cable_is_pulled();
	removal_fails();
	reports_less_often();
	p = boots(p);
	kubectl("delete --wait=false pod/steady pod/once");
	edge_close(p);
}

int
main(void)
{
	return it_run("edge-life", scenario);
}
