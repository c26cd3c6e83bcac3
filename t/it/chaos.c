/* SPDX-License-Identifier: ISC */
/*
 * chaos: the programs of both real servers, ours, and devices are killed or
 * stopped, one or two at a time, in a random order that is printed, under 100
 * pods of which half come and go.  When it ends all converges: nothing is
 * lost, doubled or restarted, and what was never touched is the same still.
 *	IT_SEED		the random numbers of an earlier run
 *	IT_CHAOS_S	seconds; else 120, and 600 with NIGHTLY=1
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	DEVICES = 10,
	CALM = 50, /* pods of a Deployment */
	CHURN = 50,
	READY_MS = 30000,
	RUN_MS = 120000,
	CONVERGE_MS = 180000,
	TURN_MS = 300,
	STRIKE_MS = 1000, /* at least, at most */
	STRIKE_MAX_MS = 9000,
};

/* --- who is struck -------------------------------------------------------- */

enum where {
	KUBE = PAIR_KUBE,
	FLIGHT = PAIR_FLIGHT,
	WORKER,
	SUPERVISOR,
	DEVICE,
};

/*
 * One that another needs to start comes before it.  PostgreSQL's SIGQUIT is its
 * crash; by SIGKILL it leaves processes behind.
 */
static const struct victim {
	const char *name, *kill;
	enum where where;
} victims[] = {
	{ "etcd", "KILL", KUBE },
	{ "kube-apiserver", "KILL", KUBE },
	{ "kube-controller-manager", "KILL", KUBE },
	{ "kube-scheduler", "KILL", KUBE },
	{ "postgres", "QUIT", FLIGHT },
	{ "redis", "KILL", FLIGHT },
	{ "flightctl-worker", "KILL", FLIGHT },
	{ "flightctl-periodic", "KILL", FLIGHT },
	{ "flightctl-api", "KILL", FLIGHT },
	{ "kubeside", NULL, WORKER },
	{ "flightside", NULL, WORKER },
	{ "placer", NULL, WORKER },
	{ "supervisor", NULL, SUPERVISOR },
	{ "device", NULL, DEVICE },
};

#define VICTIMS (sizeof(victims) / sizeof(victims[0]))

/* A stroke: what was done, and is to be undone. */
struct stroke {
	const struct victim *victim;
	int stopped;
	pid_t pid; /* of ours that is stopped */
	unsigned int device;
};

static struct provider *provider;
static unsigned int strokes[VICTIMS][2]; /* kills and stops that met it */
static char *devices[DEVICES];

/* The storm has random numbers of its own: its order is the seed's alone. */
static unsigned short storm_state[3], churn_state[3];

static unsigned int
below(unsigned short state[3], unsigned int n)
{
	return (unsigned int)nrand48(state) % n;
}

/* 0: it was not there, as one that waits to be started again. */
static int
strike_ours(struct stroke *s)
{
	s->pid = s->victim->where == SUPERVISOR ?
	    provider_pid(provider) :
	    provider_worker(provider, s->victim->name);
	return s->pid != -1 &&
	    kill(s->pid, s->stopped ? SIGSTOP : SIGKILL) == 0;
}

static void
tell_device(const struct stroke *s, const char *verb)
{
	free(world_tell(SIM_EDGE, "%s %s", verb, devices[s->device]));
}

static struct stroke
strike(const struct victim *v)
{
	struct stroke s = { .victim = v,
		.stopped = (int)below(storm_state, 2),
		.device = below(storm_state, DEVICES) };
	int met = 1;

	it_say("%s %s", s.stopped ? "stop" : "kill", v->name);
	switch (v->where) {
	case KUBE:
	case FLIGHT:
		if (s.stopped)
			world_server((enum world_pair)v->where, "signal",
			    v->name, "STOP", NULL);
		else
			world_server((enum world_pair)v->where, "stop", v->name,
			    v->kill, NULL);
		break;
	case WORKER:
	case SUPERVISOR:
		met = strike_ours(&s);
		break;
	case DEVICE:
		tell_device(&s, "disconnect");
		break;
	}
	strokes[v - victims][s.stopped] += (unsigned int)met;
	return s;
}

/* Its workers end with it; the next one begins when it is gone. */
static void
supervisor_again(const struct stroke *s)
{
	if (s->stopped)
		kill(s->pid, SIGCONT);
	else {
		child_wait(s->pid, READY_MS);
		provider_again(provider);
	}
}

static void
mend(const struct stroke *s)
{
	const struct victim *v = s->victim;

	switch (v->where) {
	case KUBE:
	case FLIGHT:
		if (s->stopped)
			world_server((enum world_pair)v->where, "signal",
			    v->name, "CONT", NULL);
		else
			world_server((enum world_pair)v->where, "start",
			    v->name, NULL);
		break;
	case WORKER:
		/* It may have been killed by then, for it did not answer. */
		if (s->stopped && s->pid != -1 &&
		    s->pid == provider_worker(provider, v->name))
			kill(s->pid, SIGCONT);
		break;
	case SUPERVISOR:
		supervisor_again(s);
		break;
	case DEVICE:
		tell_device(s, "connect");
		break;
	}
}

/* --- pods that come and go ------------------------------------------------ */

static struct intent {
	char name[16];
	int wanted; /* 1: it shall be there */
	int done;   /* the apiserver knows */
} intents[CHURN];

static const struct pod_conf load = { .cpu = "10m", .memory = "4Mi" };

/* One that is leaving still has its name: the next one has to wait. */
static int
stays(const char *path)
{
	AUTO_JSON struct json_object *pod = NULL;

	return kube_send("GET", path, NULL, &pod) == 200 &&
	    js_get(pod, "/metadata/deletionTimestamp") == NULL;
}

static void
carry_out(struct intent *t)
{
	AUTO_FREE char *path = xasprintf(KUBE_PODS "/%s", t->name);
	AUTO_JSON struct json_object *answer = NULL;
	AUTO_FREE char *members = NULL;
	struct pod_conf conf = load;
	long status;

	conf.app = "churn";
	members = pod_template(t->name, &conf);
	if (t->wanted) {
		status = kube_send("POST", KUBE_PODS,
		    js_make("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",%s}",
			members),
		    &answer);
		t->done = status == 201 || (status == 409 && stays(path));
	} else {
		status = kube_send("DELETE", path, NULL, &answer);
		t->done = status == 200 || status == 404;
	}
}

/* Each that is not done yet is tried once: how many are left. */
static unsigned int
carry_out_all(void)
{
	unsigned int i, left = 0;

	for (i = 0; i < CHURN; i++) {
		if (!intents[i].done)
			carry_out(&intents[i]);
		left += !intents[i].done;
	}
	return left;
}

static void
change_one(void)
{
	struct intent *t = &intents[below(churn_state, CHURN)];

	if (!t->done)
		return;
	t->wanted = !t->wanted;
	t->done = 0;
}

static void
name_devices(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct lh_entry *at = NULL;
	struct json_object *device;
	const char *name;
	size_t n = 0;

	while (js_next(set, &at, &name, &device) && n < DEVICES)
		devices[n++] = xstrdup(name);
	if (n < DEVICES)
		it_die("there are just %zu devices", n);
}

static void
make_pods(void)
{
	unsigned int i;

	pod_deployment("calm", CALM, &load);
	for (i = 0; i < CHURN; i++) {
		(void)snprintf(intents[i].name, sizeof(intents[i].name),
		    "churn-%u", i);
		intents[i].wanted = 1;
	}
	carry_out_all();
	it_ok(pods_in_phase("calm", "Running", CALM, RUN_MS) == CALM &&
		pods_in_phase("churn", "Running", CHURN, RUN_MS) == CHURN,
	    "%d pods are Running", CALM + CHURN);
}

/* --- the storm ------------------------------------------------------------ */

static size_t doubled;
static unsigned int looks; /* that met applications */

static void
look(void)
{
	AUTO_JSON struct json_object *set = flight_devices();

	looks += flight_count(set) > 0;
	doubled += flight_doubled(set);
}

/* While Flightctl is away nobody writes, and there is nothing to be seen. */
static void
churn(int64_t until, int kube_up, int flight_up)
{
	while (it_ms() < until) {
		change_one();
		if (kube_up)
			carry_out_all();
		if (flight_up)
			look();
		it_pause(TURN_MS);
	}
}

/* Each comes once before any comes again. */
static const struct victim *
draw(void)
{
	static size_t deck[VICTIMS], left;
	size_t i, drawn;

	if (left == 0)
		for (; left < VICTIMS; left++)
			deck[left] = left;
	i = below(storm_state, (unsigned int)left);
	drawn = deck[i];
	deck[i] = deck[--left];
	return &victims[drawn];
}

/* One, or two of them in the order of the table. */
static size_t
choose(const struct victim *v[2])
{
	const struct victim *a = draw(), *b;

	v[0] = a;
	if (below(storm_state, 3) != 0 || (b = draw()) == a)
		return 1;
	v[0] = a < b ? a : b;
	v[1] = a < b ? b : a;
	return 2;
}

static void
turn(void)
{
	int ms = STRIKE_MS + (int)below(storm_state, STRIKE_MAX_MS - STRIKE_MS);
	int kube = 1, flight = 1;
	const struct victim *v[2];
	struct stroke s[2];
	size_t i, n;

	world_tend();
	n = choose(v);
	for (i = 0; i < n; i++) {
		s[i] = strike(v[i]);
		kube &= v[i]->where != KUBE;
		flight &= v[i]->where != FLIGHT;
	}
	churn(it_ms() + ms, kube, flight);
	for (i = 0; i < n; i++)
		mend(&s[i]);
	look();
	churn(it_ms() + (int)below(storm_state, STRIKE_MS), 1, 1);
}

static size_t
struck(void)
{
	size_t i, n = 0;

	for (i = 0; i < VICTIMS; i++)
		n += strokes[i][0] + strokes[i][1] > 0;
	return n;
}

/*
 * For so long, and until each was struck: draw() has all in its first round,
 * one that was not there then is met in a later one.
 */
static void
storm(void)
{
	const char *given = getenv("IT_CHAOS_S");
	int s = given != NULL	      ? atoi(given) :
	    getenv("NIGHTLY") != NULL ? 600 :
					120;
	int64_t since = it_ms(), until = since + 1000LL * s;
	unsigned int n, i;

	for (n = 0; it_ms() < until ||
	     (struck() < VICTIMS && it_ms() < until + CONVERGE_MS);
	     n++)
		turn();
	world_tend();
	for (i = 0; i < VICTIMS; i++)
		it_say("%s: %u times killed, %u stopped", victims[i].name,
		    strokes[i][0], strokes[i][1]);
	it_ok(struck() == VICTIMS,
	    "each of %zu victims was struck, in %u turns of %lld s", VICTIMS, n,
	    (long long)(it_ms() - since) / 1000);
}

/* --- and after it --------------------------------------------------------- */

static unsigned int
wanted(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < CHURN; i++)
		n += (unsigned int)intents[i].wanted;
	return n;
}

/* All that are wanted, no other, and none that is leaving. */
static int
as_wanted(struct json_object *set, void *arg)
{
	struct lh_entry *at = NULL;
	struct json_object *pod;
	const char *app;
	size_t calm = 0, churned = 0;

	(void)arg;
	while (js_next(set, &at, NULL, &pod)) {
		app = js_str(pod, "/metadata/labels/app");
		if (js_get(pod, "/metadata/deletionTimestamp") != NULL ||
		    !pod_is_ready(pod, NULL))
			return 0;
		calm += strcmp(app, "calm") == 0;
		churned += strcmp(app, "churn") == 0;
	}
	return calm == CALM && churned == wanted();
}

/* For who reads that it is not so. */
static int
tell(struct json_object *set, void *arg)
{
	struct lh_entry *at = NULL;
	struct json_object *pod;
	const char *name;

	(void)arg;
	while (js_next(set, &at, &name, &pod))
		if (js_get(pod, "/metadata/deletionTimestamp") != NULL ||
		    !pod_is_ready(pod, NULL))
			it_say("%s: on %s, deleted %s, status %s", name,
			    js_str(pod, "/spec/nodeName"),
			    js_str(pod, "/metadata/deletionTimestamp"),
			    json_object_to_json_string(js_get(pod, "/status")));
	return 1;
}

static int
one_each(struct json_object *set, void *arg)
{
	size_t *n = arg;

	return flight_count(set) == *n && flight_reported(set) == *n;
}

static void
all_converges(struct json_object *before)
{
	AUTO_JSON struct json_object *set = NULL, *after = NULL;
	int64_t since = it_ms();
	size_t n;

	while (carry_out_all() > 0 && it_ms() - since < CONVERGE_MS)
		it_pause(TURN_MS);
	n = CALM + wanted();
	if (!it_took(since, kube_await(KUBE_PODS, as_wanted, NULL, CONVERGE_MS),
		"the %zu pods that are wanted are Ready, and no other", n))
		kube_await(KUBE_PODS, tell, NULL, READY_MS);
	since = it_ms();
	it_took(since, flight_await(one_each, &n, CONVERGE_MS),
	    "each is one application, and there is no other");
	set = flight_devices();
	it_ok(doubled == 0 && looks > 0,
	    "none was on two devices in any of %u looks (%zu)", looks, doubled);
	it_ok(flight_restarts(set) == 0, "no container was restarted (%lld)",
	    (long long)flight_restarts(set));
	after = pod_uids(KUBE_PODS "?labelSelector=app%3Dcalm");
	it_ok(json_object_object_length(after) == CALM &&
		json_object_equal(before, after),
	    "the Deployment's %d pods are the same still",
	    json_object_object_length(after));
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *before = NULL;
	unsigned int seed = it_seed();

	storm_state[0] = churn_state[1] = (unsigned short)seed;
	storm_state[1] = churn_state[2] = (unsigned short)(seed >> 16);
	world_open(&(struct world_conf){ .devices = DEVICES });
	provider = provider_start("provider", NULL);
	provider_expect(provider, ".");
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	name_devices();
	make_pods();
	before = pod_uids(KUBE_PODS "?labelSelector=app%3Dcalm");
	storm();
	all_converges(before);
	it_ok(provider_stop(provider) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("chaos", scenario);
}
