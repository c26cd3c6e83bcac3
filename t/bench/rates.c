/* SPDX-License-Identifier: ISC */
/*
 * rates.c: figures of the whole provider between simulators: memory when idle,
 * pods created and deleted per second until the API shows it, requests to
 * Flightctl a pod, commits of the database, bytes a pod.  Flightctl's rate is
 * raised and its worker renders at once (the real one takes 17 ms a device), so
 * that neither is the limit; devices apply at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/crowd.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/requests.h"
#include "t/it/world.h"

enum {
	DEVICES = 50,
	PODS = 500,
	MANY = 5000,
	LIVES = 1000, /* of pods, whose commits are counted */
	ALONE = 20,   /* of pods that come and go one by one */
	WAIT_MS = 120000,
	SETTLED_MS = 8000, /* longer than a worker waits: common/lean.c */
	STEP_MS = 200,
	SLACK = 16384, /* bytes: others that share pages come and go */
};

static struct provider *provider;

static void
figure(const char *name, double value, const char *unit)
{
	printf("figure %s %.*f %s\n", name, value < 100 ? 2 : 0, value, unit);
}

/* Proportional set size in bytes of the supervisor and its workers. */
static double
pss(void)
{
	pid_t pids[16];
	size_t i, n;
	double sum = 0;

	n = child_list(provider_pid(provider), pids, 15);
	pids[n++] = provider_pid(provider);
	for (i = 0; i < n; i++) {
		AUTO_FREE char *path =
		    xasprintf("/proc/%d/smaps_rollup", (int)pids[i]);
		AUTO_FREE char *text = it_file(path, NULL);
		char *p = text == NULL ? NULL : strstr(text, "\nPss:");

		if (p != NULL)
			sum += 1024 * strtod(p + 5, NULL);
	}
	return sum;
}

/* When it has stopped falling: what was only for the work is given back. */
static double
idle_pss(void)
{
	double now = pss(), least = now;
	int64_t since = it_ms();

	while (it_ms() - since < SETTLED_MS) {
		it_pause(STEP_MS);
		now = pss();
		if (now < least - SLACK) {
			least = now;
			since = it_ms();
		}
	}
	return now;
}

static const struct pod_conf load = { .app = "load",
	.cpu = "1m",
	.memory = "1Mi" };

static void
rates(void)
{
	struct requests before = requests_of(provider), after;
	int64_t since = it_ms();

	crowd_create(&load, 0, PODS);
	if (pods_in_phase("load", "Running", PODS, WAIT_MS) != PODS)
		it_die("not all pods are Running");
	figure("create_rate", PODS * 1e3 / (double)(it_ms() - since), "1/s");
	crowd_end();
	after = requests_of(provider);
	figure("flightctl_requests", (double)(after.sent - before.sent) / PODS,
	    "1/pod");
	since = it_ms();
	crowd_delete(&load, 0, PODS);
	if (!pods_gone("load", WAIT_MS))
		it_die("not all pods are gone");
	figure("delete_rate", PODS * 1e3 / (double)(it_ms() - since), "1/s");
	crowd_end();
}

#define COMMITS "\nvk_flightctl_store_commits_total "

static double
commits(void)
{
	struct http *h = provider_listener(provider, WAIT_MS);
	struct http_answer a;
	char *at;
	double n;

	if (http_send(h, "GET", "/metrics", NULL, NULL, &a) != 200 ||
	    (at = strstr(a.body, COMMITS)) == NULL)
		it_die("no count of commits");
	n = strtod(at + strlen(COMMITS), NULL);
	http_answer_clear(&a);
	http_free(h);
	return n;
}

/* Bound, running, deleted and gone: together, and one after another. */
static void
lives(void)
{
	static const struct pod_conf life = { .app = "life",
		.cpu = "1m",
		.memory = "1Mi" };
	double before = commits();
	unsigned int i;

	crowd_create(&life, 0, LIVES);
	if (pods_in_phase("life", "Running", LIVES, WAIT_MS) != LIVES)
		it_die("not all pods are Running");
	crowd_end();
	crowd_delete(&life, 0, LIVES);
	if (!pods_gone("life", WAIT_MS))
		it_die("not all pods are gone");
	crowd_end();
	figure("commits_1000", commits() - before, "");
	before = commits();
	for (i = 0; i < ALONE; i++) {
		crowd_create(&life, i, i + 1);
		crowd_end();
		if (pods_in_phase("life", "Running", 1, WAIT_MS) != 1)
			it_die("the pod is not Running");
		crowd_delete(&life, i, i + 1);
		crowd_end();
		if (!pods_gone("life", WAIT_MS))
			it_die("the pod is not gone");
	}
	figure("commits_alone", (commits() - before) / ALONE, "1/pod");
}

static void
bytes(double idle)
{
	crowd_create(&load, 0, MANY);
	crowd_end();
	if (pods_in_phase("load", "Running", MANY, WAIT_MS) != MANY)
		it_die("not all pods are Running");
	figure("pod_bytes", (idle_pss() - idle) / MANY, "B");
}

static void
scenario(void)
{
	static const char *const fast[] = { "FLIGHTCTL_RATE=1000000",
		"CHANGE_RATE=1000000", "DEVICE_MAX_PODS=500", NULL };
	AUTO_JSON struct json_object *node = NULL;
	double idle;

	world_open(&(struct world_conf){ .devices = DEVICES,
	    .apply_ms = -1,
	    .status_ms = -1 });
	free(world_tell(SIM_FLIGHT, "render-delay 0"));
	provider = provider_start("provider", fast);
	if ((node = node_is_ready(WAIT_MS)) == NULL)
		return;
	idle = idle_pss();
	figure("idle_pss", idle / 1e6, "MB");
	rates();
	lives();
	bytes(idle);
}

int
main(void)
{
	return it_run("bench", scenario);
}
