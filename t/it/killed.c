/* SPDX-License-Identifier: ISC */
/*
 * killed: workers die by SIGKILL, at random, again and again, while 50 pods
 * are deployed.  They come back, no pod is lost, none is on two devices, and
 * what ran goes on without a restart.
 *	IT_SEED		the random numbers of an earlier run
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
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	DEVICES = 5,
	PODS = 50,
	READY_MS = 20000,
	RUN_MS = 90000,
	AGAIN_MS = 30000,
	STEP_MS = 1000, /* at most, from one pod to the next */
};

static const char *const workers[] = { "kubeside", "flightside", "placer" };

static struct provider *provider;
static char *uids[PODS];
static unsigned int kills, doubled;

static void
kill_one(const char *name)
{
	pid_t pid = provider_worker(provider, name);

	if (pid == -1)
		return; /* not back yet */
	kill(pid, SIGKILL);
	kills++;
}

static void
look_for_doubles(struct json_object *set)
{
	size_t i, n;

	for (i = 0; i < PODS && uids[i] != NULL; i++) {
		flight_holder(set, uids[i], &n);
		doubled += n > 1;
	}
}

/* How many are placed, of n that were created. */
static int
has_placed(struct json_object *set, void *n)
{
	look_for_doubles(set);
	return flight_count(set) >= *(size_t *)n;
}

/*
 * Each time some are on their way and some are not yet sent, so that a worker
 * dies before, between and after its writes.
 */
static void
deploy_and_kill(void)
{
	char name[16];
	size_t i, n;

	for (i = 0; i < PODS; i++) {
		(void)snprintf(name, sizeof(name), "kill-%zu", i);
		uids[i] = pod_create(name, &(struct pod_conf){ .app = "kill" });
		if (random() % 3 == 0)
			kill_one(workers[random() % 3]);
		n = i - i % 3;
		flight_await(has_placed, &n, (int)(random() % STEP_MS));
	}
}

static int
all_placed(struct json_object *set, void *arg)
{
	(void)arg;
	look_for_doubles(set);
	return flight_count(set) >= PODS;
}

/* All three at once, with nothing to be done: nothing may be done. */
static void
kill_all(void)
{
	AUTO_JSON struct json_object *before = flight_devices(), *after = NULL;
	int64_t was = flight_generations(before), is;
	size_t i, ready;

	ready = provider_lines(provider, "\"msg\":\"[a-z]+ is ready");
	for (i = 0; i < 3; i++)
		kill_one(workers[i]);
	it_ok(provider_await_lines(provider, "\"msg\":\"[a-z]+ is ready",
		  ready + 3, AGAIN_MS) >= ready + 3,
	    "all three are back after they were killed at once");
	it_ok(pods_in_phase("kill", "Running", PODS, AGAIN_MS) == PODS,
	    "all pods are Running still");
	free(pod_create("last", NULL));
	json_object_put(pod_runs("last", it_ms(), AGAIN_MS));
	pod_delete("last");
	it_ok(pods_gone("last", AGAIN_MS), "a pod comes and goes as before");
	after = flight_devices();
	it_ok(flight_is_undisturbed(after), "no container was restarted (%lld)",
	    (long long)flight_restarts(after));
	it_ok(flight_count(after) == PODS, "%zu applications, as before",
	    flight_count(after));
	is = flight_generations(after);
	it_ok(is - was <= 2,
	    "no spec was written but for that pod (%lld writes)",
	    (long long)(is - was));
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	unsigned int running;
	int64_t since;

	srandom(it_seed());
	world_open(&(struct world_conf){ .devices = DEVICES });
	provider = provider_start("provider", NULL);
	provider_expect(provider, "ended: signal 9");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	since = it_ms();
	deploy_and_kill();
	running = pods_in_phase("kill", "Running", PODS, RUN_MS);
	it_took(since, running == PODS, "%u of %d pods are Running, %u kills",
	    running, PODS, kills);
	it_ok(flight_await(all_placed, NULL, READY_MS),
	    "each pod is in the spec of a device");
	set = flight_devices();
	it_ok(flight_count(set) == PODS, "and in no other (%zu)",
	    flight_count(set));
	it_ok(doubled == 0, "none was on two devices at any time (%u)",
	    doubled);
	kill_all();
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("killed", scenario);
}
