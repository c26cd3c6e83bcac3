/* SPDX-License-Identifier: ISC */
/*
 * endurance: the four processes through pods that come and go and faults drawn
 * at random, in watches.  In each watch some workers are killed again and
 * again and the others live through all of it: what each of these holds when
 * nothing is left to do does not grow, and is looked at after each round.
 *	IT_SEED		the random numbers of an earlier run
 *	IT_ENDURANCE_S	seconds; else two watches, and 600 s with NIGHTLY=1
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/crowd.h"
#include "t/it/flight.h"
#include "t/it/holding.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	DEVICES = 8,
	PODS = 40, /* of a round */
	READY_MS = 30000,
	STEP_MS = 60000,
	REST_MS = 20000,
	HEALTHY_MS = 61000, /* its next start is at once again */
	DEATHS = 3,	    /* until then */
	ROUNDS = 5,	    /* of a watch */
	NIGHT_ROUNDS = 25,  /* at most HOLDING_ROUNDS */
	NIGHT_S = 600,
	PAGE = 4096,
	PAGES = 64,	    /* of the database, whoever came and went */
	LOG_PAGES = 500,    /* its log is emptied at 400 */
	LINES_A_ROUND = 30, /* of the log, fewer than pods */
};

static struct provider *provider;
static struct http *listener;
static unsigned int number, pods;
static int by_night;

/* --- faults --------------------------------------------------------------- */

/* None answers the scenario's own requests; down and hang end in time. */
static const struct fault {
	enum world_sim sim;
	const char *begin, *end; /* end NULL: it ends by itself */
	int slow;		 /* its end is waited for; by night */
} faults[] = {
	{ SIM_KUBE, "fail-next PATCH *status* 500 20", "clear", 1 },
	{ SIM_KUBE, "fail-next PUT *leases* 503 3", "clear", 0 },
	{ SIM_KUBE, "fail-next POST *events* 429 10", "clear", 0 },
	{ SIM_KUBE, "cut-next GET *watch=* 300 3", "clear", 0 },
	{ SIM_KUBE, "drop-watches", NULL, 0 },
	{ SIM_KUBE, "expire-watches", NULL, 0 },
	{ SIM_KUBE, "pause", "up", 1 },
	{ SIM_KUBE, "down", "up", 0 },
	{ SIM_KUBE, "latency 100", "clear", 0 },
	{ SIM_FLIGHT, "fail-next PUT * 503 5", NULL, 0 },
	{ SIM_FLIGHT, "fail-next PUT * 409 5", NULL, 0 },
	{ SIM_FLIGHT, "fail-next PUT * 429 2", NULL, 1 },
	{ SIM_FLIGHT, "cut-next PUT * 100 3", NULL, 0 },
	{ SIM_FLIGHT, "hang", "hang off", 1 },
	{ SIM_FLIGHT, "down", "up", 0 },
	{ SIM_FLIGHT, "latency 100", "latency 0", 0 },
	{ SIM_EDGE, "disconnect *-1", "connect *-1", 0 },
	{ SIM_EDGE, "flap *", NULL, 0 },
	{ SIM_EDGE, "agent-restart *-2", NULL, 0 },
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static unsigned int
below(unsigned int n)
{
	return (unsigned int)random() % n;
}

/* Each comes once before any comes again. */
static const struct fault *
draw(void)
{
	static size_t deck[FAULTS], left;
	size_t i, drawn;

	if (left == 0)
		for (; left < FAULTS; left++)
			deck[left] = left;
	i = below((unsigned int)left);
	drawn = deck[i];
	deck[i] = deck[--left];
	return faults[drawn].slow && !by_night ? draw() : &faults[drawn];
}

/* One that dies again and again is started at a growing distance. */
static int
may_be_killed(enum holder h)
{
	static int64_t latest[HOLDERS];
	static unsigned int deaths[HOLDERS];

	if (it_ms() - latest[h] > HEALTHY_MS)
		deaths[h] = 0;
	if (deaths[h] == DEATHS)
		return 0;
	deaths[h]++;
	latest[h] = it_ms();
	return 1;
}

static void
strike(enum holder victim)
{
	const struct fault *f = draw();
	pid_t pid = -1;

	if (may_be_killed(victim))
		pid = provider_worker(provider, holder_name(victim));
	it_say("round %u: %s%s%s", number, f->begin,
	    pid == -1 ? "" : ", SIGKILL ",
	    pid == -1 ? "" : holder_name(victim));
	free(world_tell(f->sim, "%s", f->begin));
	if (pid != -1)
		kill(pid, SIGKILL);
	it_pause(200 + (int)below(600));
	if (f->end != NULL)
		free(world_tell(f->sim, "%s", f->end));
}

/* --- a round -------------------------------------------------------------- */

static int
are_bare(struct json_object *set, void *arg)
{
	(void)arg;
	return flight_count(set) == 0 && flight_reported(set) == 0;
}

/* What waits for something, by the provider's own word: nothing does. */
static int
is_idle(void)
{
	static const char *const none[] = { "vk_flightctl_pods_waiting{",
		"vk_flightctl_writes_queued{", "vk_flightctl_pods_withheld{",
		"vk_flightctl_render_oldest_seconds{",
		"vk_flightctl_budget_requests_waiting{" };
	struct http_answer a;
	const char *at;
	size_t i;
	int idle;

	idle = http_send(listener, "GET", "/metrics", NULL, NULL, &a) == 200;
	for (i = 0; idle && i < sizeof(none) / sizeof(none[0]); i++)
		for (at = a.body; (at = strstr(at, none[i])) != NULL; at++)
			if (strtod(strchr(at, '}') + 1, NULL) > 0)
				idle = 0;
	http_answer_clear(&a);
	return idle;
}

static int
comes_to_rest(void)
{
	int64_t until = it_ms() + REST_MS;

	if (!http_await(listener, "/readyz", 200, REST_MS))
		return 0;
	while (!is_idle() && it_ms() < until)
		it_pause(100);
	return is_idle();
}

static int
play_round(enum holder victim)
{
	AUTO_FREE char *app = xasprintf("r%u", ++number);
	struct pod_conf conf = { .app = app, .cpu = "10m", .memory = "4Mi" };

	crowd_create(&conf, 0, PODS);
	crowd_end();
	strike(victim);
	if (pods_in_phase(app, "Running", PODS, STEP_MS) != PODS)
		return it_ok(0, "round %u: not all pods are Running", number);
	crowd_delete(&conf, 0, PODS);
	crowd_end();
	strike(victim);
	if (!pods_gone(app, STEP_MS) || !flight_await(are_bare, NULL, STEP_MS))
		return it_ok(0, "round %u: not all pods are gone", number);
	pods += PODS;
	return comes_to_rest() ||
	    it_ok(0, "round %u: something still waits", number);
}

/* --- a watch -------------------------------------------------------------- */

static off_t
size_of(const char *file)
{
	AUTO_FREE char *path =
	    xasprintf("%s/provider/state/%s", it_folder(), file);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static enum holder
victim(unsigned int watch)
{
	if (watch % 2 != 0)
		return HOLDER_PLACER;
	return below(2) == 0 ? HOLDER_KUBESIDE : HOLDER_FLIGHTSIDE;
}

static int
is_victim(enum holder h, unsigned int watch)
{
	return watch % 2 != 0 ? h == HOLDER_PLACER :
				h == HOLDER_KUBESIDE || h == HOLDER_FLIGHTSIDE;
}

static off_t
larger(off_t a, off_t b)
{
	return a > b ? a : b;
}

static int
watch(unsigned int n, unsigned int rounds)
{
	struct holding_book book = { 0 };
	off_t database = 0, log = 0;
	unsigned int i;
	enum holder h;

	for (i = 0; i < rounds; i++) {
		if (!play_round(victim(n)))
			return 0;
		holding_note(&book, provider, listener);
		database = larger(database, size_of("placer.db"));
		log = larger(log, size_of("placer.db-wal"));
	}
	for (h = 0; h < HOLDERS; h++)
		if (!is_victim(h, n))
			holding_judge(&book, h);
	it_ok(database <= PAGES * PAGE && log <= LOG_PAGES * (PAGE + 24),
	    "the database: at most %lld bytes, its log %lld",
	    (long long)database, (long long)log);
	return 1;
}

static void
judge_log(void)
{
	size_t lines = provider_lines(provider, "^.");

	it_ok(lines <= number * LINES_A_ROUND,
	    "%zu lines of log of %u pods in %u rounds", lines, pods, number);
}

static void
scenario(void)
{
	const char *given = getenv("IT_ENDURANCE_S");
	int night = getenv("NIGHTLY") != NULL;
	int64_t since = it_ms(),
		s = given != NULL ? atoi(given) :
	    night		  ? NIGHT_S :
				    0;
	unsigned int n;

	by_night = s > 0;
	srandom(it_seed());
	world_open(&(struct world_conf){ .devices = DEVICES, .apply_ms = 50 });
	provider = provider_start("provider",
	    (const char *const[]){ "FLIGHTCTL_RATE=100000", "LOG_LEVEL=info",
		NULL });
	provider_expect(provider, ".");
	listener = provider_listener(provider, READY_MS);
	json_object_put(node_is_ready(READY_MS));
	for (n = 0; n < 2 || it_ms() < since + s * 1000; n++)
		if (!watch(n, s > 0 ? NIGHT_ROUNDS : ROUNDS))
			break;
	judge_log();
	it_say("%u pods in %u rounds of %u watches", pods, number, n);
	http_free(listener);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	if (world_kind() != WORLD_SIM) {
		puts("skipped: the faults are the simulators'\n"
		     "0 passed, 0 failed, 1 skipped");
		return 0;
	}
	return it_run("endurance", scenario);
}
