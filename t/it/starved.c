/* SPDX-License-Identifier: ISC */
/*
 * starved: while pods come, change and go each allocation of each worker fails
 * once (starve.c).  A worker goes on or ends in order and is started again; it
 * never crashes, hangs, or is wrong afterwards: every pod runs, once.
 * NIGHTLY=1: until no new place in the programs is found; else for some.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/altered.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/starve.h"
#include "t/it/world.h"

enum {
	KEPT = 3,   /* pods that are there all the time */
	ROUNDS = 6, /* pods that come and go while memory fails */
	ROUND_MS = 1000,
	READY_MS = 30000,
	RUN_MS = 90000, /* a worker that often ended waits for its start */
	SESSIONS = 200,
	LEAST = 50,	/* places */
	LEAST_EACH = 8, /* of a worker's */
};

static const char *const workers[] = { "kubeside", "flightside", "placer" };

enum {
	WORKERS = sizeof(workers) / sizeof(workers[0])
};

static struct starve *plans[WORKERS];

static void
arm(int on)
{
	size_t i;

	for (i = 0; i < WORKERS; i++) {
		plans[i]->armed = 0;
		if (!on)
			continue;
		plans[i]->starts = 0;
		plans[i]->starts_max = 6;
		plans[i]->own_left = 2;
		plans[i]->armed = (uint32_t)on;
	}
}

static uint32_t
sum_failed(void)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < WORKERS; i++)
		n += plans[i]->failed;
	return n;
}

static void
churn(int session)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		AUTO_FREE char *name = xasprintf("guest-%d-%d", session, i);

		free(pod_create(name, &(struct pod_conf){ .app = "guest" }));
		it_pause(ROUND_MS);
		if (i % 2 == 0)
			pod_delete(name);
	}
}

/* What failed before each end of a worker. */
static void
show_ends(void)
{
	uint32_t i, k;

	for (i = 0; i < WORKERS; i++)
		for (k = 0; k < plans[i]->starts && k < STARVE_ENDS; k++)
			it_say("%s ended after %s", workers[i],
			    plans[i]->ended[k]);
}

static void
look(struct provider *p, int session)
{
	AUTO_JSON struct json_object *devices = NULL;
	int i;

	for (i = 1; i < ROUNDS; i += 2) {
		AUTO_FREE char *name = xasprintf("guest-%d-%d", session, i);

		json_object_put(pod_runs(name, it_ms(), RUN_MS));
		pod_delete(name);
	}
	it_ok(pods_gone("guest", RUN_MS), "all guests are gone");
	it_ok(pods_in_phase("kept", "Running", KEPT, RUN_MS) == KEPT,
	    "the pods that were there are Running");
	devices = flight_devices();
	it_ok(flight_count(devices) == KEPT, "%zu applications, as before",
	    flight_count(devices));
	it_ok(flight_is_undisturbed(devices), "no container was restarted");
	it_ok(provider_lines(p, "ended: signal (4|7|8|11|31)") == 0,
	    "no worker crashed, none broke out of its sandbox");
	it_ok(provider_lines(p, "left alone") == 0,
	    "no want of memory was taken for a fault of what was read");
	it_ok(provider_lines(p, "(did not answer|silent for)") == 0,
	    "none hung");
}

/* 1: something failed that never did before. */
static int
starve(int session)
{
	AUTO_FREE char *name = xasprintf("starved-%d", session);
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", it_folder());
	AUTO_JSON struct json_object *node = NULL;
	uint32_t before = sum_failed();
	struct provider *p;
	int i;

	arm(0);
	p = provider_start(name, (const char *const[]){ state, NULL });
	if ((node = node_is_ready(READY_MS)) == NULL)
		return 0;
	for (i = 0; session == 0 && i < KEPT; i++) {
		AUTO_FREE char *kept = xasprintf("kept-%d", i);

		free(pod_create(kept, &(struct pod_conf){ .app = "kept" }));
	}
	it_ok(pods_in_phase("kept", "Running", KEPT, RUN_MS) == KEPT,
	    "%d pods are Running", KEPT);
	arm(1);
	churn(session);
	arm(0);
	look(p, session);
	show_ends();
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	return sum_failed() > before;
}

static void
scenario(void)
{
	int session = 0;
	size_t i;

	world_open(&(struct world_conf){ .devices = 2 });
	altered_programs("starve");
	for (i = 0; i < WORKERS; i++)
		plans[i] =
		    altered_plan("starve", workers[i], sizeof(struct starve));
	while (starve(session++) && session < SESSIONS &&
	    (getenv("NIGHTLY") != NULL || sum_failed() < LEAST))
		;
	for (i = 0; i < WORKERS; i++) {
		printf("figure starved_%s %u 1\n", workers[i],
		    plans[i]->failed);
		it_ok(plans[i]->failed >= LEAST_EACH,
		    "%s: %u allocations failed", workers[i], plans[i]->failed);
	}
	it_ok(sum_failed() >= LEAST, "%u allocations failed", sum_failed());
}

int
main(void)
{
	return it_run("starved", scenario);
}
