/* SPDX-License-Identifier: ISC */
/*
 * starved: while pods come, change and go each allocation of each worker fails
 * once (starve.c), and then each so many'th, and some of the supervisor's, too.
 * A worker goes on or ends in order and is started again; the supervisor says
 * why it ends, and is started again by whoever started it.  None crashes,
 * hangs, or is wrong afterwards: every pod runs, once.
 * NIGHTLY=1: until no new place in the programs is found; else for some.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/altered.h"
#include "t/it/child.h"
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
	STARTS = 6,	/* of a worker in a session, then it is left alone */
};

static const char *const programs[] = { "kubeside", "flightside", "placer",
	"vk-flightctl-provider" };

enum {
	PROGRAMS = sizeof(programs) / sizeof(programs[0]),
	WORKERS = PROGRAMS - 1,
	SUPERVISOR = WORKERS,
};

enum want {
	NOTHING,
	ONCE, /* each place of the workers */
	NTH,  /* each so many'th of theirs, and each place of the supervisor */
};

/* Often: no start goes well; seldom: more than starts are met. */
static const uint32_t periods[] = { 4999, 997, 9973, 1999 };

static struct starve *plans[PROGRAMS];
static uint32_t period;	  /* of this session */
static unsigned int ends; /* of the supervisor */

static void
arm_one(size_t i, enum want want)
{
	struct starve *s = plans[i];

	s->armed = 0;
	if (want == NOTHING || (want == ONCE && i == SUPERVISOR))
		return;
	s->starts = s->nth = 0;
	s->starts_max = STARTS;
	s->own_left = 2;
	s->period = want == NTH && i != SUPERVISOR ? period : 0;
	if (i == SUPERVISOR && getenv("NIGHTLY") == NULL)
		s->starts_max = 0; /* the next waits for a Lease of before */
	s->armed = 1;
}

static void
arm(enum want want)
{
	size_t i;

	for (i = 0; i < PROGRAMS; i++)
		arm_one(i, want);
}

/* As systemd or a kubelet does: a supervisor that ended is started again. */
static void
tend(struct provider *p)
{
	int status = child_wait(provider_pid(p), 0);

	if (status == -1)
		return;
	it_ok(status == 128 + SIGABRT || status == EX_OSERR,
	    "the supervisor ends: status %d", status);
	ends++;
	it_say("%s ended after %s", programs[SUPERVISOR],
	    plans[SUPERVISOR]->last);
	provider_again(p);
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
churn(struct provider *p, int session)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		AUTO_FREE char *name = xasprintf("guest-%d-%d", session, i);

		free(pod_create(name, &(struct pod_conf){ .app = "guest" }));
		it_pause(ROUND_MS);
		tend(p);
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
			it_say("%s ended after %s", programs[i],
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
	it_ok(ends == 0 ||
		provider_lines(p,
		    "^vk-flightctl-provider: (out of memory|.* failed)") > 0,
	    "the supervisor says why it ends");
	it_ok(provider_lines(p, "ended: signal (4|7|8|11|31)") == 0,
	    "no worker crashed, none broke out of its sandbox");
	it_ok(provider_lines(p, "left alone") == 0,
	    "no want of memory was taken for a fault of what was read");
	it_ok(provider_lines(p, "(did not answer|silent for)") == 0,
	    "none hung");
}

/* 1: something failed that never did before. */
static int
starve(int session, enum want want)
{
	AUTO_FREE char *name = xasprintf("starved-%d", session);
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", it_folder());
	AUTO_JSON struct json_object *node = NULL;
	uint32_t before = sum_failed();
	struct provider *p;
	int i;

	arm(NOTHING);
	p = provider_start(name, (const char *const[]){ state, NULL });
	if ((node = node_is_ready(READY_MS)) == NULL ||
	    provider_await_lines(p, "all workers are ready", 1, READY_MS) == 0)
		return 0;
	for (i = 0; session == 0 && i < KEPT; i++) {
		AUTO_FREE char *kept = xasprintf("kept-%d", i);

		free(pod_create(kept, &(struct pod_conf){ .app = "kept" }));
	}
	it_ok(pods_in_phase("kept", "Running", KEPT, RUN_MS) == KEPT,
	    "%d pods are Running", KEPT);
	arm(want);
	churn(p, session);
	arm(NOTHING);
	tend(p);
	look(p, session);
	show_ends();
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	return sum_failed() > before;
}

/* Each so many'th, and the supervisor's. */
static int
starve_all(int number, int session)
{
	const struct starve *s = plans[SUPERVISOR];
	uint32_t before = s->failed;
	size_t i;

	period =
	    periods[(size_t)session % (sizeof(periods) / sizeof(*periods))];
	(void)starve(number, NTH);
	for (i = 0; i < WORKERS; i++)
		it_ok(plans[i]->nth >= period, "%s: each %u'th failed, of %u",
		    programs[i], period, plans[i]->nth);
	return s->failed > before;
}

static void
judge(void)
{
	size_t i;

	for (i = 0; i < WORKERS; i++) {
		printf("figure starved_%s %u 1\n", programs[i],
		    plans[i]->failed);
		it_ok(plans[i]->failed >= LEAST_EACH,
		    "%s: %u allocations failed", programs[i], plans[i]->failed);
	}
	it_ok(sum_failed() >= LEAST, "%u allocations failed", sum_failed());
	it_ok(ends > 0, "the supervisor ended %u times for want of memory",
	    ends);
}

static void
scenario(void)
{
	const int whole = getenv("NIGHTLY") != NULL;
	int session = 0;
	size_t i;

	world_open(&(struct world_conf){ .devices = 2 });
	altered_programs("starve");
	for (i = 0; i < PROGRAMS; i++)
		plans[i] =
		    altered_plan("starve", programs[i], sizeof(struct starve));
	while (starve(session++, ONCE) && session < SESSIONS &&
	    (whole || sum_failed() < LEAST))
		;
	for (i = 0; starve_all(session++, (int)i) && whole && i < SESSIONS; i++)
		;
	judge();
}

int
main(void)
{
	return it_run("starved", scenario);
}
