/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <json-c/json_tokener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/hunt.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define NEW "busybox:1.37"

enum {
	DEVICES = 5,
	PODS = 20,
	CHANGED = 7, /* get another image */
	REMOVED = 7,
	STEP_MS = 60000,
};

#define PHASES(X) X(CREATE, creating) X(UPDATE, updating) X(REMOVE, removing)

enum phase {
#define X(id, name) PHASE_##id,
	PHASES(X)
#undef X
	NPHASES
};

static struct hunt_board *board;
static struct provider *provider;

static int
shows_new(struct json_object *set, void *arg)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	unsigned int n = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &pod))
		n += strcmp(js_str(pod, "/status/phase"), "Running") == 0 &&
		    strstr(js_str(pod, "/status/containerStatuses/0/image"),
			NEW) != NULL;
	return n == CHANGED;
}

static int
are_left(struct json_object *set, void *n)
{
	return json_object_object_length(set) == *(int *)n;
}

static int
play(unsigned int number)
{
	AUTO_FREE char *app = xasprintf("r%u", number);
	AUTO_FREE char *collection =
	    xasprintf("%s?labelSelector=app%%3D%s", KUBE_PODS, app);
	char name[32], path[128];
	int i, left = PODS - REMOVED;
	int64_t since = it_ms(), t[4];

	board->phase = PHASE_CREATE;
	for (i = 0; i < PODS; i++) {
		(void)snprintf(name, sizeof(name), "%s-%d", app, i);
		free(pod_create(name, &(struct pod_conf){ .app = app }));
	}
	if (pods_in_phase(app, "Running", PODS, STEP_MS) != PODS)
		return it_ok(0, "all run");
	t[0] = it_ms() - since;
	board->phase = PHASE_UPDATE;
	for (i = 0; i < CHANGED; i++) {
		(void)snprintf(path, sizeof(path), KUBE_PODS "/%s-%d", app, i);
		if (kube_patch(path, "application/strategic-merge-patch+json",
			js_make("{\"spec\":{\"containers\":[{\"name\":\"main\","
				"\"image\":\"" NEW "\"}]}}")) != 200)
			it_die("the image cannot be changed");
	}
	if (!kube_await(collection, shows_new, NULL, STEP_MS))
		return it_ok(0, "all are updated");
	t[1] = it_ms() - since;
	board->phase = PHASE_REMOVE;
	for (i = 0; i < REMOVED; i++) {
		(void)snprintf(name, sizeof(name), "%s-%d", app, i * 2);
		pod_delete(name);
	}
	if (!kube_await(collection, are_left, &left, STEP_MS))
		return it_ok(0, "those are gone");
	t[2] = it_ms() - since;
	for (i = 0; i < PODS; i++) {
		(void)snprintf(name, sizeof(name), "%s-%d", app, i);
		if (i % 2 != 0 || i >= REMOVED * 2)
			pod_delete(name);
	}
	if (!pods_gone(app, STEP_MS))
		return it_ok(0, "all are gone");
	t[3] = it_ms() - since;
	it_say("round %u: %d %d %d %d ms, %u kills %u starts, calls: %u %u %u %u %u", number, (int)t[0],
	    (int)t[1], (int)t[2], (int)t[3], board->kills, board->starts,
	    board->count[0],  board->count[1], board->count[2],
	    board->count[3], board->count[4]);
	return 1;
}

static void
start_hunted(void)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	AUTO_FREE char *path = NULL, *hunted = NULL;

	self[len < 0 ? 0 : len] = '\0';
	board = hunt_new(&path);
	hunted = xasprintf("HUNT_BOARD=%s", path);
	provider_program(self);
	provider = provider_start("provider",
	    (const char *const[]){ hunted, "FLIGHTCTL_RATE=100000", NULL });
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	unsigned int i;

	world_open(&(struct world_conf){ .devices = DEVICES });
	start_hunted();
	if ((node = node_is_ready(STEP_MS)) == NULL)
		return;
	for (i = 0; i < 6; i++) {
		struct hunt_target t[16];
		uint32_t n = 0;
		if (i > 1) for (uint32_t p = HUNT_KUBESIDE; p <= HUNT_PLACER; p++) {
			for (int k = 1; k < 4; k++)
				t[n++] = (struct hunt_target){ .prey = p, .at = 700 * k};
		}
		if (i > 1) t[n++] = (struct hunt_target){ .prey = 0, .at = 700};
		hunt_aim(board, t, n);
		if (!play(i))
			break;
	}
	provider_expect(provider, "ended: signal 9");
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	const char *path = getenv("HUNT_BOARD");
	char *program;

	if (path == NULL)
		return it_run("kill-each", scenario);
	program = child_program("vk-flightctl-provider");
	path = xstrdup(path);
	unsetenv("HUNT_BOARD");
	return hunt(path, (char *[]){ program, NULL });
}
