/* SPDX-License-Identifier: ISC */
/*
 * kill_each: SIGKILL at system calls of every process of the provider while 20
 * pods come, some get another image and some go.  Each round ends as one that
 * nobody disturbed: no pod lost, none ever on two devices, none started once
 * too often, Kubernetes' statuses right.
 *	NIGHTLY=1	each call that a process makes in such a round is one
 *			at which it is killed; else a sample of them all
 *	KILL_AT=PROCESS:N[+PROCESS][,...]	one round, killed at just
 *			those N-th calls, as a round that failed prints them;
 *			+: and that one in the same moment
 *	KILL_SAY=1	a line for each round
 *	IT_SEED		the random numbers of an earlier run
 */
#include <sys/mman.h>
#include <sys/prctl.h>
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
#include "t/it/hunt.h"
#include "t/it/it.h"
#include "t/it/kill_aim.h"
#include "t/it/kill_round.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/vk-flightctl/leases"

enum {
	DEVICES = 5,
	STEP_MS = 60000,
	ORPHANS_MS = 1000,
	WORLDS = 4,	    /* side by side; most of the time they wait */
	SAMPLE_KILLS = 500, /* in all worlds */
	SAMPLE_AIMED = 560, /* for some it does not come to that call */
	MORE_ROUNDS = 20,
	FAILED_MAX = 5,
	WAIT_EVERY = 50,
	POINTS_PERCENT = 97,
};

/* What the worlds found, of all of them. */
struct total {
	uint32_t rounds, aimed, kills, pairs, supervisors;
	kill_points calm; /* of the rounds that nobody disturbed */
	kill_points seen, killed;
};

static struct total *total;
static uint32_t world_number;
static struct hunt_board *board;
static struct provider *provider;

/* --- a round -------------------------------------------------------------- */

static int
is_nightly(void)
{
	const char *nightly = getenv("NIGHTLY");

	return nightly != NULL && *nightly != '\0';
}

static void
say_kill(FILE *fp, const struct hunt_target *t)
{
	uint32_t i;

	fprintf(fp, "%s%s:%u", ftell(fp) > 0 ? "," : "",
	    hunt_name((enum hunt_prey)t->prey), t->hit);
	for (i = 0; i < HUNT_PREYS; i++)
		if ((t->with & 1U << i) != 0)
			fprintf(fp, "+%s", hunt_name((enum hunt_prey)i));
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
			say_kill(fp, t);
	}
	fclose(fp);
	it_say("KILL_AT=%s", text);
	for (i = 0; i < board->ntargets; i++) {
		t = &board->target[i];
		if (t->hit != 0)
			it_say("%s:%u is %s",
			    hunt_name((enum hunt_prey)t->prey), t->hit,
			    hunt_call(t->nr));
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
	__sync_add_and_fetch(&total->aimed, n);
	hunt_aim(board, targets, n, 1);
	good = kill_round(number, &board->phase);
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
 * and who comes next need not wait until they have run out; by night it does
 * now and then.
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
			if (!is_nightly() || board->ended % WAIT_EVERY != 0)
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

	for (round = 1; total->aimed < SAMPLE_AIMED; round++)
		if (!do_round(round, targets,
			kill_aim_some(total->killed, targets)))
			return;
}

/* What a round that failed has left; 0: no other can be played. */
static int
clear(void)
{
	struct hunt_target none;

	hunt_aim(board, &none, 0, 0);
	return it_failed() < FAILED_MAX && kill_round_clear();
}

/* Then the points that were met too seldom to be hit by their number. */
static void
each(void)
{
	struct hunt_target targets[HUNT_TARGETS];
	unsigned int round, calls = kill_aim_calls(), more;

	it_say("at the calls 1 to %u of each round", calls);
	for (round = 1 + world_number; round <= calls; round += WORLDS)
		if (!do_round(round, targets, kill_aim_nth(round, targets)) &&
		    !clear())
			return;
	for (more = 0; more < MORE_ROUNDS && kill_aim_left(total->killed) > 0;
	     more++)
		if (!do_round(round++, targets,
			kill_aim_some(total->killed, targets)) &&
		    !clear())
			return;
}

static void
scenario(void)
{
	struct hunt_target targets[HUNT_TARGETS];
	AUTO_FREE char *diary = xasprintf("%s/diary", it_folder());
	const char *at = getenv("KILL_AT");

	world_open(&(struct world_conf){ .devices = DEVICES });
	free(world_tell(SIM_FLIGHT, "diary %s", diary));
	diary_open(diary);
	start_hunted();
	json_object_put(node_is_ready(STEP_MS));
	if (!do_round(0, targets, 0))
		return;
	kill_aim_learn(board, total->calm);
	if (at != NULL)
		it_ok(do_round(1, targets, kill_aim_read(at, targets)),
		    "killed at %s", at);
	else if (is_nightly())
		each();
	else
		sample();
	hunt_aim(board, targets, 0, 0);
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

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	world_number = n;
	srandom(seed + n);
	(void)snprintf(name, sizeof(name), "kill-each-%u", n);
	_exit(it_run(name, scenario));
}

static int
ask(int ok, const char *what)
{
	printf("%s %s\n%d passed, %d failed\n", ok ? "ok" : "not ok", what, ok,
	    !ok);
	return ok ? 0 : 1;
}

/* A point is a call of a process in a phase. */
static int
judge_all(void)
{
	const uint8_t *calm = &total->calm[0][0][0];
	const uint8_t *seen = &total->seen[0][0][0];
	const uint8_t *killed = &total->killed[0][0][0];
	size_t i, ncalm = 0, nseen = 0, nkilled = 0, both = 0;

	for (i = 0; i < sizeof(kill_points); i++) {
		ncalm += calm[i];
		nseen += seen[i];
		nkilled += killed[i];
		both += calm[i] && killed[i];
	}
	printf("   %u rounds; %u kills of %u that were aimed at, %u of them of "
	       "two at once, %u of the supervisor\n"
	       "   points (process, call, phase): %zu seen, %zu killed at; of "
	       "the %zu of undisturbed rounds: %zu\n",
	    total->rounds, total->kills, total->aimed, total->pairs,
	    total->supervisors, nseen, nkilled, ncalm, both);
	if (is_nightly())
		return ask(both * 100 >= ncalm * POINTS_PERCENT,
		    "they were killed at all points but very rare ones");
	return ask(total->kills >= SAMPLE_KILLS, "the sample is large enough");
}

static int
run_all(void)
{
	unsigned int seed = it_seed();
	uint32_t i, worlds = getenv("KILL_AT") != NULL ? 1 : WORLDS;
	int status, failed = 0;

	fflush(stdout);
	for (i = 0; i < worlds; i++)
		if (fork() == 0)
			run_world(i, seed);
	while (wait(&status) > 0)
		failed |= status != 0;
	return worlds > 1 ? failed | judge_all() : failed;
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
