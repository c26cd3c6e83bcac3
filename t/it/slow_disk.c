/* SPDX-License-Identifier: ISC */
/*
 * slow_disk: each sync of the database takes seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/altered.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/strain.h"
#include "t/it/world.h"

enum { KEPT = 3, READY_MS = 400000, RUN_MS = 200000 };

static void
scenario(void)
{
	AUTO_FREE char *state = NULL;
	struct provider *p;
	struct strain *plan;
	int i, s = atoi(getenv("S"));
	int64_t t0;

	world_open(&(struct world_conf){ .fleet = "slow-disk", .devices = 2 });
	altered_programs("strain");
	state = xasprintf("STATE_DIR=%s/state", it_folder());
	plan = altered_plan("strain", "placer", sizeof(*plan));
	plan->sync_ms = getenv("LATE") ? 0 : (uint32_t)s;
	t0 = it_ms();
	p = provider_start("slow", (const char *const[]){ state, NULL });
	json_object_put(node_is_ready(READY_MS));
	it_say("ready after %lld, syncs %u", (long long)(it_ms() - t0), plan->syncs);
	plan->sync_ms = (uint32_t)s;
	for (i = 0; i < KEPT; i++) {
		AUTO_FREE char *kept = xasprintf("kept-%d", i);

		t0 = it_ms();
		free(pod_create(kept, &(struct pod_conf){ .app = "kept" }));
		json_object_put(pod_runs(kept, t0, RUN_MS));
		it_say("%s after %lld, syncs %u", kept, (long long)(it_ms() - t0), plan->syncs);
	}
	it_ok(provider_lines(p, "did not answer") == 0, "none hung");
	printf("%s\n", provider_log(p));
	plan->sync_ms = 0;
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("slow_disk", scenario);
}
