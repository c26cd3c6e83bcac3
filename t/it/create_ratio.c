/* SPDX-License-Identifier: ISC */
/*
 * create_ratio: how fast pods that are there and bound become Running once the
 * provider starts, against what the apiserver gives to a bare loop in the same
 * run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "t/it/crowd.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	DEVICES = 20,
	PODS = 500,
	RUN_MS = 120000,
	LOOP_MS = 3000,
};

static void
scenario(void)
{
	static const struct pod_conf load = { .app = "ratio",
		.cpu = "1m",
		.memory = "1Mi",
		.bound = 1 };
	static const char *const fast[] = { "FLIGHTCTL_RATE=1000000",
		"CHANGE_RATE=1000000", "DEVICE_MAX_PODS=500", NULL };
	struct provider *p;
	double bare, ours;
	int64_t since;

	world_open(&(struct world_conf){ .devices = DEVICES, .apply_ms = -1 });
	crowd_create(&load, 0, PODS);
	crowd_end();
	since = it_ms();
	p = provider_start("provider", fast);
	if (!it_took(since,
		pods_in_phase("ratio", "Running", PODS, RUN_MS) == PODS,
		"%d pods are Running, start included", PODS))
		return;
	ours = PODS * 1e3 / (double)(it_ms() - since);
	bare = crowd_patch_rate(&load, PODS, LOOP_MS);
	printf("figure create_rate_real %.0f 1/s\n", ours);
	printf("figure patch_rate_real %.0f 1/s\n", bare);
	printf("figure create_ratio_real %.2f 1\n", ours / bare);
	crowd_delete(&load, 0, PODS);
	crowd_end();
	it_ok(pods_gone("ratio", RUN_MS), "and gone again");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("create-ratio", scenario);
}
