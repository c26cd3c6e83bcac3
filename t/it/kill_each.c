/* SPDX-License-Identifier: ISC */
/*
 * kill_each: SIGKILL at system calls of every process of the provider while 20
 * pods come, some get another image and some go.  Each round ends as one that
 * nobody disturbed: no pod lost, none ever on two devices, none started once
 * too often, Kubernetes' statuses right.
 *	NIGHTLY=1	each call that a process makes in such a round is one
 *			at which it is killed; else a sample of them all
 *	KILL_AT=PROCESS:N[,...]	one round, killed at just its N-th calls, as
 *			a round that failed prints them
 *	IT_SEED		the random numbers of an earlier run
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/diary.h"
#include "t/it/flight.h"
#include "t/it/hunt.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kill_aim.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define NEW "busybox:1.37"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/vk-flightctl/leases"

enum {
	DEVICES = 5,
	PODS = 20,
	CHANGED = 7, /* the first ones get another image */
	REMOVED = 7, /* and each second one goes */
	STEP_MS = 60000,
	ORPHANS_MS = 1000,
	WORLDS = 4,	   /* side by side; most of the time they wait */
	SAMPLE_KILLS = 500, /* in all worlds */
	ROUNDS_MAX = 60,   /* of a sample, in one world */
};

/* What the worlds found, of all of them. */
struct total {
	uint32_t rounds, kills, pairs, supervisors;
	kill_points calm; /* of the rounds that nobody disturbed */
	kill_points seen, killed;
};

static struct total *total;
static uint32_t world_number;
static struct hunt_board *board;
static struct provider *provider;

/* --- a round -------------------------------------------------------------- */

static char *
pod_name(unsigned int number, int i)
{
	return xasprintf("r%u-%d", number, i);
}

static int
stays(int i)
{
	return i % 2 != 0 || i >= REMOVED * 2;
}

static int
has_image(struct json_object *pod, int is_new)
{
	const char *image =
	    js_str(pod, "/status/containerStatuses/0/image");

	return *image != '\0' && (strstr(image, NEW) != NULL) == is_new;
}

/* All of the round that are there run what they should, and n are. */
static int
are_right(struct json_object *set, void *n)
{
	struct json_object *pod;
	struct lh_entry *at = NULL;
	const char *name;
	int count = 0, i;

	while (js_next(set, &at, &name, &pod)) {
		i = atoi(strchr(name, '-') + 1);
		count++;
		if (strcmp(js_str(pod, "/status/phase"), "Running") != 0 ||
		    strcmp(js_condition(pod, "Ready"), "True") != 0 ||
		    !has_image(pod, board->phase >= PHASE_UPDATE && i < CHANGED))
			return 0;
	}
	return count == *(int *)n;
}

/* Those that are not, for the reader. */
static void
say_pods(const char *collection, int n)
{
	AUTO_JSON struct json_object *list = kube_get(collection);
	struct json_object *pod;
	size_t i;

	it_say("%zu pods of %d", js_len(list, "/items"), n);
	for (i = 0; (pod = js_item(list, "/items", i)) != NULL; i++)
		it_say("%s %s%s ready %s, %s, %s",
		    js_str(pod, "/metadata/name"), js_str(pod, "/status/phase"),
		    pod_leaves(pod, NULL) ? ", leaving" : "",
		    js_condition(pod, "Ready"),
		    js_str(pod, "/status/containerStatuses/0/image"),
		    js_str(pod, "/status/reason"));
}

static int
await_right(const char *app, int n, const char *what)
{
	AUTO_FREE char *collection =
	    xasprintf("%s?labelSelector=app%%3D%s", KUBE_PODS, app);

	if (kube_await(collection, are_right, &n, STEP_MS))
		return 1;
	say_pods(collection, n);
	return it_ok(0, "%s: not %d pods that run and are as they should be",
	    what, n);
}

static void
create(unsigned int number, const char *app)
{
	int i;

	board->phase = PHASE_CREATE;
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = pod_name(number, i);
		AUTO_FREE char *uid =
		    pod_create(name, &(struct pod_conf){ .app = app });

		diary_expect(uid, i < CHANGED ? 2 : 1);
	}
}

static void
update(unsigned int number)
{
	int i;

	board->phase = PHASE_UPDATE;
	for (i = 0; i < CHANGED; i++) {
		AUTO_FREE char *name = pod_name(number, i);
		AUTO_FREE char *path = xasprintf("%s/%s", KUBE_PODS, name);

		if (kube_patch(path, "application/strategic-merge-patch+json",
			js_make("{\"spec\":{\"containers\":[{\"name\":\"main\","
				"\"image\":\"" NEW "\"}]}}")) != 200)
			it_die("the image of %s cannot be changed", name);
	}
}

static void
delete(unsigned int number, int staying)
{
	int i;

	board->phase = PHASE_REMOVE;
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = pod_name(number, i);

		if (stays(i) == staying)
			pod_delete(name);
	}
}

static int
are_bare(struct json_object *set, void *arg)
{
	(void)arg;
	return flight_count(set) == 0 && flight_reported(set) == 0;
}

static int
play(unsigned int number)
{
	AUTO_FREE char *app = xasprintf("r%u", number);

	create(number, app);
	if (!await_right(app, PODS, "after creation"))
		return 0;
	update(number);
	if (!await_right(app, PODS, "after the update"))
		return 0;
	delete (number, 0);
	if (!await_right(app, PODS - REMOVED, "after removal"))
		return 0;
	delete (number, 1);
	if (!pods_gone(app, STEP_MS))
		return it_ok(0, "all pods are gone");
	if (!flight_await(are_bare, NULL, STEP_MS))
		return it_ok(0, "no application is left on a device");
	return 1;
}

static int
judge(void)
{
	struct diary_faults f = diary_judge();

	if (f.doubled + f.restarts + f.lost + f.strange == 0)
		return 1;
	return it_ok(0,
	    "pods on two devices: %u, started once too often: %u, never "
	    "started as asked: %u, applications that nobody asked for: %u",
	    f.doubled, f.restarts, f.lost, f.strange);
}

/* So that it can be played again alone. */
static void
say_kills(void)
{
	const struct hunt_target *t;
	size_t len;
	char *text;
	uint32_t i;
	FILE *fp = open_memstream(&text, &len);

	for (i = 0; i < board->ntargets; i++) {
		t = &board->target[i];
		if (t->hit != 0)
			fprintf(fp, "%s%s:%u", ftell(fp) > 0 ? "," : "",
			    hunt_name((enum hunt_prey)t->prey), t->hit);
	}
	fclose(fp);
	it_say("KILL_AT=%s", text);
	for (i = 0; i < board->ntargets; i++) {
		t = &board->target[i];
		if (t->hit != 0)
			it_say("%s:%u is %s, with %#x",
			    hunt_name((enum hunt_prey)t->prey), t->hit,
			    hunt_call(t->nr), t->with);
	}
	free(text);
}

static void
count(void)
{
	const struct hunt_target *t;
	uint32_t i;

	for (i = 0; i < board->ntargets; i++) {
		t = &board->target[i];
		if (t->hit == 0)
			continue;
		__sync_add_and_fetch(&total->kills, 1);
		if (t->with != 0)
			__sync_add_and_fetch(&total->pairs, 1);
		if (t->prey == HUNT_SUPERVISOR)
			__sync_add_and_fetch(&total->supervisors, 1);
	}
	__sync_add_and_fetch(&total->rounds, 1);
}

static void
add_up(void)
{
	size_t i, n = sizeof(total->seen);
	const uint32_t *seen = &board->seen[0][0][0];
	const uint32_t *killed = &board->killed[0][0][0];
	uint8_t *all_seen = &total->seen[0][0][0];
	uint8_t *all_killed = &total->killed[0][0][0];

	for (i = 0; i < n; i++) {
		if (seen[i] != 0)
			all_seen[i] = 1;
		if (killed[i] != 0)
			all_killed[i] = 1;
	}
}

static int
do_round(unsigned int number, const struct hunt_target *targets, uint32_t n)
{
	int64_t since = it_ms();
	int good;

	board->phase = PHASE_CREATE;
	hunt_aim(board, targets, n, 1);
	good = play(number) && judge();
	count();
	add_up();
	if (!good)
		say_kills();
	if (getenv("KILL_SAY") != NULL)
		it_say("round %u: %d ms, %u of %u, %u starts", number,
		    (int)(it_ms() - since), board->hits, n, board->starts);
	return good;
}

/* --- a world -------------------------------------------------------------- */

/*
 * Nobody of ours is left: an administrator who knows takes the Leases away,
 * and who comes next need not wait until they have run out.
 */
static void
free_leases(void)
{
	pid_t scenario = getpid();

	if (fork() != 0)
		return;
	world_reopen();
	while (getppid() == scenario) {
		if (board->freed != board->ended) {
			(void)kube_send("DELETE", LEASES, NULL, NULL);
			board->freed = board->ended;
		}
		it_pause(5);
	}
	_exit(0);
}

static void
start_hunted(void)
{
	AUTO_FREE char *board_path = NULL, *hunted = NULL, *self = NULL;

	self = xasprintf("/proc/%d/exe", getpid());
	board = hunt_new(&board_path);
	free_leases();
	hunted = xasprintf("HUNT_BOARD=%s", board_path);
	provider_program(self);
	provider = provider_start("provider",
	    (const char *const[]){ hunted, "FLIGHTCTL_RATE=100000",
		"LOG_LEVEL=info", NULL });
	provider_expect(provider, "ended: ");
}

static void
sample(void)
{
	struct hunt_target targets[HUNT_TARGETS];
	unsigned int round;

	for (round = 1; round <= ROUNDS_MAX && total->kills < SAMPLE_KILLS;
	     round++)
		if (!do_round(round, targets, kill_aim_some(total->killed, targets)))
			return;
}

static void
each(void)
{
	struct hunt_target targets[HUNT_TARGETS];
	unsigned int round, calls = kill_aim_calls();

	for (round = 1 + world_number; round <= calls; round += WORLDS)
		(void)do_round(round, targets,
		    kill_aim_nth(round, targets));
}

static void
scenario(void)
{
	struct hunt_target targets[HUNT_TARGETS];
	const char *at = getenv("KILL_AT");

	world_open(&(struct world_conf){ .devices = DEVICES });
	diary_open();
	start_hunted();
	json_object_put(node_is_ready(STEP_MS));
	if (!do_round(0, NULL, 0))
		return;
	kill_aim_learn(board, total->calm);
	if (at != NULL)
		it_ok(do_round(1, targets, kill_aim_read(at, targets)),
		    "killed at %s", at);
	else if (getenv("NIGHTLY") != NULL)
		each();
	else
		sample();
	hunt_aim(board, NULL, 0, 0);
	it_ok(board->orphans_ms < ORPHANS_MS,
	    "no worker outlived its supervisor for %d ms (%u)", ORPHANS_MS,
	    board->orphans_ms);
	provider_judge(provider);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

/* --- all of them ---------------------------------------------------------- */

static void
run_world(uint32_t n, unsigned int seed)
{
	char name[32];

	world_number = n;
	srandom(seed + n);
	(void)snprintf(name, sizeof(name), "kill-each-%u", n);
	_exit(it_run(name, scenario));
}

static int
run_all(void)
{
	const char *given = getenv("IT_SEED");
	unsigned int seed = given != NULL ?
	    (unsigned int)strtoul(given, NULL, 10) :
	    (unsigned int)it_ms();
	uint32_t i, worlds = getenv("KILL_AT") != NULL ? 1 : WORLDS;
	size_t points[3] = { 0 }, k;
	int status, failed = 0;

	printf("   IT_SEED=%u\n", seed);
	fflush(stdout);
	for (i = 0; i < worlds; i++)
		if (fork() == 0)
			run_world(i, seed);
	while (wait(&status) > 0)
		failed |= status != 0;
	for (k = 0; k < sizeof(kill_points); k++) {
		points[0] += (&total->calm[0][0][0])[k] != 0;
		points[1] += (&total->seen[0][0][0])[k] != 0;
		points[2] += (&total->killed[0][0][0])[k] != 0;
	}
	printf("   %u rounds, %u kills, %u of them of two at once, %u of the "
	       "supervisor;\n   points (process, call, phase): %zu of an "
	       "undisturbed round, %zu seen, %zu killed at\n",
	    total->rounds, total->kills, total->pairs, total->supervisors,
	    points[0], points[1], points[2]);
	if (worlds > 1 && total->kills < SAMPLE_KILLS) {
		printf("not ok fewer than %d kills\n", SAMPLE_KILLS);
		failed = 1;
	}
	return failed;
}

int
main(void)
{
	const char *path = getenv("HUNT_BOARD");
	char *program;

	if (path != NULL) {
		path = xstrdup(path);
		unsetenv("HUNT_BOARD");
		program = child_program("vk-flightctl-provider");
		return hunt(path, (char *[]){ program, NULL });
	}
	if (!hunt_can()) {
		puts("skipped: no process may be traced here\n"
		     "0 passed, 0 failed, 1 skipped");
		return 0;
	}
	total = mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (total == MAP_FAILED)
		err(1, "mmap");
	return run_all();
}
