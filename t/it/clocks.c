/* SPDX-License-Identifier: ISC */
/*
 * clocks: the wall's clock is set hours ahead and back while the provider
 * runs, and its machine sleeps (warp.h).  Nobody is lost, evicted or killed
 * for that; who is silent in earnest is lost when its time is over, and not
 * before.  The clocks of all four processes go RATE times as fast.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/silence.h"
#include "t/it/warp.h"
#include "t/it/world.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"
#define NODE_LEASES LEASES "kube-node-lease/leases"
#define RENEWED "/spec/renewTime"

enum {
	RATE = 15,
	DEVICES = 2,
	HOUR_MS = 3600 * 1000,
	JUMP_MS = 5 * HOUR_MS,
	TIMEOUT_MS = 60000, /* as set, of the provider's time */
	PING_MS = 10000,    /* the supervisor's, likewise */
	SILENT_MS = 1000,
	READY_MS = 20000,
	RUN_MS = 20000,
	RENEWALS = 2,
	RENEW_MS = 5000,
	SOON_MS = 10000,
};

static const char *const names[] = { "web-0", "web-1" };
static const char *const workers[] = { "kubeside", "flightside", "placer" };

static struct warp *clocks;
static struct provider *provider;
static char *devices[DEVICES], *uids[DEVICES];
static pid_t pids[3];

/* --- what stays ----------------------------------------------------------- */

static int
is_renewed(struct json_object *lease, void *before)
{
	return strcmp(js_str(lease, RENEWED), before) > 0;
}

static int
beats(void)
{
	AUTO_FREE char *last = xstrdup("");
	int i;

	for (i = 0; i < RENEWALS; i++) {
		AUTO_JSON struct json_object *lease =
		    kube_await_one(NODE_LEASES, world_node(), is_renewed, last,
			RENEW_MS);

		if (lease == NULL || !is_renewed(lease, last))
			return 0;
		free(last);
		last = xstrdup(js_str(lease, RENEWED));
	}
	return 1;
}

static int
is_as_it_was(int i)
{
	AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", names[i]);
	AUTO_JSON struct json_object *pod = kube_get(path);

	return pod != NULL && pod_is_ready(pod, NULL) &&
	    strcmp(js_str(pod, "/metadata/uid"), uids[i]) == 0 &&
	    js_get(pod, "/metadata/deletionTimestamp") == NULL;
}

static int
are_who_they_were(void)
{
	size_t i;

	for (i = 0; i < sizeof(pids) / sizeof(pids[0]); i++)
		if (provider_worker(provider, workers[i]) != pids[i])
			return 0;
	return 1;
}

/* pods: so many of the first are as they were. */
static void
goes_on(const char *when, int pods)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	int64_t since = it_ms();
	int i, same = 0;

	it_took(since, beats(),
	    "%s: the node's Lease is renewed, each time with a later time",
	    when);
	node = kube_await_one(KUBE_NODES, world_node(), pod_is_ready, NULL,
	    SOON_MS);
	for (i = 0; i < pods; i++)
		same += is_as_it_was(i);
	set = flight_devices();
	it_ok(node != NULL && pod_is_ready(node, NULL) && same == pods &&
		flight_restarts(set) == 0,
	    "%s: the node and %d pods are Ready, as before", when, same);
	it_ok(are_who_they_were(), "%s: no worker was started anew", when);
}

/* --- the wall ------------------------------------------------------------- */

static void
wall_jumps(void)
{
	clocks->wall_ms = JUMP_MS;
	goes_on("5 h ahead", DEVICES);
	clocks->wall_ms = 0;
	goes_on("5 h back", DEVICES);
	it_ok(provider_lines(provider, "disconnected|DeviceDis") == 0,
	    "nobody was taken for silent");
}

static void
silent_in_earnest(void)
{
	AUTO_JSON struct json_object *pod = NULL;
	int64_t since = it_ms();

	silence(&devices[1], 1);
	json_object_put(pod_whose_ready_is("Unknown", NULL, SOON_MS,
	    "its pod's Ready is Unknown"));
	clocks->wall_ms = JUMP_MS;
	it_pause(TIMEOUT_MS / RATE / 2);
	pod = kube_get(KUBE_PODS "/web-1");
	it_ok(pod != NULL && !pod_leaves(pod, NULL),
	    "5 h ahead its time is not over");
	json_object_put(pod);
	clocks->wall_ms = 0;
	pod = kube_await_one(KUBE_PODS, "web-1", pod_leaves, NULL,
	    3 * TIMEOUT_MS / RATE);
	it_took(since,
	    pod != NULL && pod_leaves(pod, NULL) &&
		it_ms() - since >= TIMEOUT_MS / RATE,
	    "and 5 h back it is over in its time");
	silence_ends(&devices[1], 1);
	it_ok(kube_await_gone(KUBE_PODS, "web-1", RUN_MS),
	    "the device is back: the pod is gone");
}

static void
create(int i)
{
	free(uids[i]);
	uids[i] = pod_create(names[i],
	    &(struct pod_conf){ .app = "web", .device = devices[i] });
	json_object_put(pod_runs(names[i], it_ms(), RUN_MS));
}

/* Certificates have their times by the wall. */
static void
wall_is_years_off(void)
{
	size_t n = provider_lines(provider, "certificate");
	int64_t since;

	clocks->wall_ms = (int64_t)HOUR_MS * 24 * 365 * 40;
	world_kube(0);
	world_kube(1);
	it_ok(provider_await_lines(provider, "certificate", n + 1, SOON_MS) > n,
	    "40 years ahead no certificate is good, and that is said");
	clocks->wall_ms = 0;
	since = it_ms();
	free(pod_create("late", &(struct pod_conf){ .app = "web" }));
	json_object_put(pod_runs("late", since, RUN_MS));
	goes_on("and back", DEVICES);
}

/* --- sleep ---------------------------------------------------------------- */

static void
all_get(int sig, int with_supervisor)
{
	size_t i;

	for (i = 0; i < sizeof(pids) / sizeof(pids[0]); i++)
		kill(pids[i], sig);
	if (with_supervisor)
		kill(provider_pid(provider), sig);
}

/* While it sleeps a device comes back. */
static void
sleeps(void)
{
	silence(&devices[1], 1);
	json_object_put(pod_whose_ready_is("Unknown", NULL, SOON_MS,
	    "its pod's Ready is Unknown"));
	all_get(SIGSTOP, 1);
	silence_ends(&devices[1], 1);
	clocks->boot_ms += HOUR_MS;
	all_get(SIGCONT, 1);
	json_object_put(
	    kube_await_one(KUBE_PODS, names[1], pod_is_ready, NULL, SOON_MS));
	goes_on("after an hour's sleep, in which the device came back",
	    DEVICES);
}

/* The supervisor has asked, and they sleep before they answer. */
static void
sleeps_when_asked(void)
{
	all_get(SIGSTOP, 0);
	it_pause(PING_MS / RATE + PING_MS / RATE / 4);
	kill(provider_pid(provider), SIGSTOP);
	clocks->boot_ms += HOUR_MS;
	kill(provider_pid(provider), SIGCONT);
	it_pause(PING_MS / RATE / 8);
	all_get(SIGCONT, 0);
	goes_on("after a sleep in mid-question", DEVICES);
	it_ok(provider_lines(provider, "did not answer") == 0,
	    "nobody was killed for it");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	size_t i;

	if (world_kind() != WORLD_SIM) {
		it_skip("only on simulators, which do not look at the time");
		return;
	}
	world_open(&(struct world_conf){ .devices = DEVICES,
	    .disconnect_ms = SILENT_MS });
	clocks = warp_open(RATE);
	provider = provider_start("clocks",
	    (const char *[]){ "STATUS_POLL_INTERVAL=1s",
		"DEVICE_RECONNECT_TIMEOUT=1m", NULL });
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	for (i = 0; i < DEVICES; i++) {
		devices[i] = xasprintf("%s-%zu", world_fleet(), i);
		create((int)i);
	}
	for (i = 0; i < sizeof(pids) / sizeof(pids[0]); i++)
		pids[i] = provider_worker(provider, workers[i]);
	wall_jumps();
	silent_in_earnest();
	create(1);
	wall_is_years_off();
	sleeps();
	sleeps_when_asked();
	provider_expect(provider, "certificate|token expired");
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("clocks", scenario);
}
