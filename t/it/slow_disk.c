/* SPDX-License-Identifier: ISC */
/*
 * slow_disk: each sync of the placer's database takes seconds.  It decides
 * late, and that is all: the node stays Ready, its Lease is renewed, nobody
 * takes the placer for hung, no write is refused because it came too late, and
 * what runs is left alone.
 * NIGHTLY=1: slow from the first start, and slower than a Lease lasts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/least.h"
#include "common/xmem.h"
#include "t/it/altered.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/strain.h"
#include "t/it/world.h"

#define NO_PLACEMENTS "no new placements until the database can be written"

enum {
	SLOW_MS = 2000,
	SLOWER_MS = 12000,
	SYNCS = 4, /* of one turn at most, in a row */
	READY_MS = 240000,
	RUN_MS = 240000,
	LISTENER_MS = 30000,
	LEASE_MS = 20000, /* it lasts 40 s and is renewed each 10 s */
};

static struct strain *plan;

/* When a line of the log was written, wall; -1: it does not say. */
static int64_t
time_of(const char *line)
{
	struct tm tm = { 0 };
	const char *rest;

	if (strncmp(line, "{\"time\":\"", 9) != 0 ||
	    (rest = strptime(line + 9, "%Y-%m-%dT%H:%M:%S.", &tm)) == NULL)
		return -1;
	return timegm(&tm) * INT64_C(1000) + atoi(rest);
}

/* The longest time without a renewal of the node's Lease, until now. */
static int64_t
longest_gap(const struct provider *p, unsigned int *renewals)
{
	AUTO_FREE char *log = provider_log(p);
	AUTO_FREE char *lease =
	    xasprintf("kube-node-lease/leases/%s status=200", world_node());
	int64_t at, last = -1, gap = 0;
	char *line, *rest = log;

	*renewals = 0;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((at = time_of(line)) == -1)
			continue;
		if (last == -1)
			last = at; /* its start */
		gap = most(gap, at - last);
		if (strstr(line, lease) == NULL ||
		    strstr(line, "PATCH") == NULL)
			continue;
		last = at;
		++*renewals;
	}
	return gap;
}

/* Never later than what it is busy with may take. */
static void
health(const struct provider *p, int sync_ms)
{
	struct http *client = provider_listener(p, LISTENER_MS);
	int64_t began = it_ms();

	it_took(began, http_await(client, "/healthz", 200, SYNCS * sync_ms),
	    "the health port answers");
	http_free(client);
}

static void
run_one(const struct provider *p, const char *name, int sync_ms)
{
	int64_t began = it_ms();
	uint32_t before = plan->syncs;

	free(pod_create(name, &(struct pod_conf){ .app = "kept" }));
	health(p, sync_ms);
	json_object_put(pod_runs(name, began, RUN_MS));
	it_ok(plan->syncs > before, "%u syncs of %d ms", plan->syncs - before,
	    sync_ms);
}

/* What it could not save it does not send, and says so; the rest goes on. */
static void
refuse(struct provider *p, int error)
{
	AUTO_FREE char *late = xasprintf("late-%d", error);
	AUTO_FREE char *gone = xasprintf("gone-%d", error);
	AUTO_JSON struct json_object *devices = NULL;
	struct http *client = provider_listener(p, LISTENER_MS);
	size_t told = provider_lines(p, NO_PLACEMENTS);
	int64_t began;

	free(pod_create(gone, &(struct pod_conf){ .app = gone }));
	json_object_put(pod_runs(gone, it_ms(), RUN_MS));
	plan->error = error;
	free(pod_create(late, &(struct pod_conf){ .app = "late" }));
	it_ok(provider_await_lines(p, NO_PLACEMENTS, told + 1, RUN_MS) ==
		told + 1,
	    "%s: it says so, once", strerror(error));
	it_ok(http_await(client, "/readyz", 503, LISTENER_MS) &&
		http_await(client, "/healthz", 200, LISTENER_MS),
	    "it lives and is not ready");
	pod_delete(gone);
	it_ok(pods_gone(gone, RUN_MS), "a pod is deleted meanwhile");
	devices = flight_devices();
	it_ok(flight_count(devices) == 1, "and none placed: %zu applications",
	    flight_count(devices));
	plan->error = 0;
	began = it_ms();
	json_object_put(pod_runs(late, began, RUN_MS));
	it_ok(http_await(client, "/readyz", 200, LISTENER_MS),
	    "it is ready again");
	pod_delete(late);
	it_ok(pods_gone("late", RUN_MS), "the late one is deleted");
	http_free(client);
}

static void
look(const struct provider *p, unsigned int pods)
{
	AUTO_JSON struct json_object *devices = flight_devices();

	it_ok(provider_lines(p, "did not answer|ended:") == 0,
	    "nobody takes the placer for hung");
	it_ok(provider_lines(p, "DENIED|not the writer") == 0,
	    "no write is refused because it came too late");
	it_ok(flight_count(devices) == pods, "%zu applications",
	    flight_count(devices));
	it_ok(flight_is_undisturbed(devices), "no container was restarted");
	json_object_put(node_is_ready(1));
}

static void
scenario(void)
{
	const int whole = getenv("NIGHTLY") != NULL;
	const int slow_ms = whole ? SLOWER_MS : SLOW_MS;
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", it_folder());
	unsigned int renewals;
	struct provider *p;
	int64_t gap;

	world_open(&(struct world_conf){ .fleet = "slow-disk", .devices = 2 });
	altered_programs("strain");
	plan = altered_plan("strain", "placer", sizeof(*plan));
	plan->sync_ms = whole ? SLOWER_MS : 0;
	p = provider_start("slow", (const char *const[]){ state, NULL });
	json_object_put(node_is_ready(READY_MS));
	plan->sync_ms = (uint32_t)slow_ms;
	run_one(p, "kept-0", slow_ms);
	if (whole)
		run_one(p, "kept-1", slow_ms);
	look(p, whole ? 2 : 1);
	plan->sync_ms = 0;
	provider_expect(p, NO_PLACEMENTS);
	refuse(p, ENOSPC);
	refuse(p, EROFS);
	gap = longest_gap(p, &renewals);
	it_ok(renewals > 0 && gap <= LEASE_MS,
	    "the node's Lease is renewed on time: %u times, %lld ms at most",
	    renewals, (long long)gap);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("slow_disk", scenario);
}
