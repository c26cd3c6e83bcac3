/* SPDX-License-Identifier: ISC */
/*
 * upgrade: the next version takes over the database of this one, with what
 * operators ordered, and renders pods a little differently; what runs is
 * neither written nor restarted.  Then this version comes back: the newer
 * database is kept aside, and all is found again on both sides.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/vkfctl.h"
#include "t/it/world.h"

enum {
	DEVICES = 4,
	PODS = 3,
	READY_MS = 30000,
	RUN_MS = 30000,
};

static char *state;
static char *uids[PODS], *drained;
static struct json_object *rendered[PODS]; /* as they were written first */

static struct json_object *
application(struct json_object *set, const char *uid)
{
	struct json_object *device = flight_holder(set, uid, NULL);

	return device == NULL ? NULL : flight_application(device, uid);
}

static int
is_next(struct json_object *app)
{
	return app != NULL &&
	    strstr(json_object_to_json_string(app), "RestartSec=11") != NULL;
}

static struct provider *
start(const char *run, const char *program)
{
	AUTO_JSON struct json_object *node = NULL;
	AUTO_FREE char *setting = xasprintf("STATE_DIR=%s", state);
	struct provider *p;

	provider_program(program);
	p = provider_start(run, (const char *const[]){ setting, NULL });
	provider_expect(p, "kept as placer.db.set-aside and rebuilt");
	node = node_is_ready(READY_MS);
	return p;
}

/* One pod more, by whoever serves now; all others are as they were. */
static void
look(const char *run, int next, int64_t generations)
{
	AUTO_JSON struct json_object *set = NULL;
	AUTO_FREE char *uid = pod_create(run, NULL);
	int64_t writes;
	size_t i, same = 0;

	json_object_put(pod_runs(run, it_ms(), RUN_MS));
	it_ok(pods_in_phase("up", "Running", PODS, RUN_MS) == PODS,
	    "%s: all pods are Running", run);
	set = flight_devices();
	it_ok(is_next(application(set, uid)) == next,
	    "%s: a new pod is rendered by the %s version", run,
	    next ? "next" : "old");
	for (i = 0; i < PODS; i++)
		same += json_object_equal(application(set, uids[i]),
			    rendered[i]) != 0;
	it_ok(same == PODS, "%s: what runs is as it was written first", run);
	it_ok(flight_is_undisturbed(set), "%s: no container was restarted",
	    run);
	writes = flight_generations(set) - generations;
	it_ok(writes == 1, "%s: no spec was written but for that pod (%lld)",
	    run, (long long)writes);
}

static int64_t
generations(void)
{
	AUTO_JSON struct json_object *set = flight_devices();

	return flight_generations(set);
}

static void
begin(void)
{
	AUTO_JSON struct json_object *set = NULL;
	struct provider *p = start("this", NULL);
	size_t i;

	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = xasprintf("up-%zu", i);

		uids[i] = pod_create(name, &(struct pod_conf){ .app = "up" });
	}
	it_ok(pods_in_phase("up", "Running", PODS, RUN_MS) == PODS,
	    "%d pods are Running", PODS);
	set = flight_devices();
	for (i = 0; i < PODS; i++)
		rendered[i] = json_object_get(application(set, uids[i]));
	drained = xstrdup(flight_unused(set));
	vkfctl_says("this",
	    (const char *const[]){ "-y", "drain", drained, NULL }, 0, "done");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static void
go_on(const char *run, const char *program, const char *says)
{
	int64_t before = generations();
	struct provider *p = start(run, program);

	it_ok(provider_await_lines(p, says, 1, READY_MS) == 1, "%s: %s", run,
	    says);
	look(run, program != NULL, before);
	vkfctl_says(run,
	    (const char *const[]){ "explain", "device", drained, NULL }, 0,
	    "drained");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "%s: it ends by SIGTERM", run);
}

static void
scenario(void)
{
	AUTO_FREE char *next = child_program("../next/bin/"
					     "vk-flightctl-provider");
	size_t i;

	world_open(&(struct world_conf){ .devices = DEVICES });
	state = xasprintf("%s/this/state", it_folder());
	begin();
	go_on("next", next, "placer.db was of version 4 and is now of 5");
	go_on("back", NULL,
	    "placer.db: version 5, and this program knows .* kept as");
	for (i = 0; i < PODS; i++) {
		json_object_put(rendered[i]);
		free(uids[i]);
	}
	free(drained);
	free(state);
}

int
main(void)
{
	return it_run("upgrade", scenario);
}
