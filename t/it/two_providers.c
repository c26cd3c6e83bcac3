/* SPDX-License-Identifier: ISC */
/*
 * two_providers: two providers for one fleet, each with a database of its own:
 * two replicas, a rolling update, a forgotten host.  One writes.  When it dies
 * or hangs in the middle of a deployment the other takes over within a minute;
 * one that wakes up later writes nothing.  No pod is ever on two devices.  What
 * people ordered of the first holds for the next.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/vkfctl.h"
#include "t/it/world.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/vk-flightctl/leases"
enum {
	DEVICES = 4,
	PODS = 12,
	READY_MS = 20000,
	RUN_MS = 20000,
	TAKE_OVER_MS = 60000,
};

struct deployment {
	char *uids[2 * PODS + 1];
	size_t n, wanted, placed;
	int doubled;
};

static int
has_holder(struct json_object *lease, void *other)
{
	const char *holder = js_str(lease, "/spec/holderIdentity");

	return *holder != '\0' && (other == NULL || strcmp(holder, other) != 0);
}

/* Who holds the writer's lease and is not `other'; caller frees. */
static char *
holder(char *other, int ms)
{
	AUTO_JSON struct json_object *lease = NULL;

	lease = kube_await_one(LEASES, world_node(), has_holder, other, ms);
	if (lease == NULL || !has_holder(lease, other))
		return xstrdup("");
	return xstrdup(js_str(lease, "/spec/holderIdentity"));
}

/* 1: all pods have a device; *doubled: one has two, now or earlier. */
static int
are_placed(struct json_object *set, void *arg)
{
	struct deployment *d = arg;
	size_t i, n, placed = 0;

	for (i = 0; i < d->n; i++) {
		(void)flight_holder(set, d->uids[i], &n);
		placed += n > 0;
		d->doubled |= n > 1;
	}
	d->placed = placed;
	return placed >= d->wanted;
}

static void
create(struct deployment *d, const char *app, int n)
{
	for (; n > 0; n--) {
		AUTO_FREE char *name = xasprintf("%s-%zu", app, d->n);

		d->uids[d->n++] =
		    pod_create(name, &(struct pod_conf){ .app = app });
	}
}

/* Up to its middle: some have a device, and others were not seen yet. */
static void
half_deploy(struct deployment *d, const char *app)
{
	d->wanted = d->n + 1;
	create(d, app, PODS / 2);
	flight_await(are_placed, d, RUN_MS);
	create(d, app, PODS / 2);
	it_say("%zu of %zu pods had a device", d->placed, d->n);
}

/* Ordered of one, known to whoever writes after it. */
static void
order(const char *run, const char *word, const char *device)
{
	vkfctl_says(run, (const char *const[]){ "-y", word, device, NULL }, 0,
	    "done");
}

static void
knows(const char *run, const char *device, const char *is)
{
	vkfctl_says(run,
	    (const char *const[]){ "explain", "device", device, NULL }, 0, is);
}

/* All at once, as with a host that dies, hangs or wakes up. */
static void
hit(struct provider *p, int sig)
{
	static const char *const workers[] = { "kubeside", "flightside",
		"placer" };
	pid_t pid[3];
	size_t i;

	for (i = 0; i < 3; i++)
		pid[i] = provider_worker(p, workers[i]);
	kill(provider_pid(p), sig);
	for (i = 0; i < 3; i++)
		if (pid[i] > 0)
			kill(pid[i], sig);
}

/* The other one takes over and ends what was begun. */
static void
taken_over(struct deployment *d, const char *app, char *former, const char *why)
{
	AUTO_FREE char *heir = NULL;
	int64_t since = it_ms();
	unsigned int n;

	heir = holder(former, TAKE_OVER_MS);
	it_ok(*heir != '\0', "%s: another takes the lease over (%.1f s)", why,
	    (double)(it_ms() - since) / 1000);
	d->wanted = d->n;
	flight_await(are_placed, d, TAKE_OVER_MS);
	n = pods_in_phase(app, "Running", PODS, TAKE_OVER_MS);
	it_ok(n == PODS && it_ms() - since < TAKE_OVER_MS,
	    "%s: %u of %d pods are Running (%.1f s, at most 60)", why, n, PODS,
	    (double)(it_ms() - since) / 1000);
	it_ok(!d->doubled, "%s: no pod was on two devices", why);
}

static void
each_once(struct deployment *d, const char *when)
{
	AUTO_JSON struct json_object *set = flight_devices();

	it_ok(flight_count(set) == d->n, "%s: %zu applications for %zu pods",
	    when, flight_count(set), d->n);
	it_ok(flight_is_undisturbed(set), "%s: no container was restarted",
	    when);
}

/* Or a rollout would wait for it for ever. */
static void
is_ready(const struct provider *p)
{
	struct http *h = provider_listener(p, READY_MS);
	int64_t since = it_ms();

	it_took(since, http_await(h, "/readyz", 200, READY_MS),
	    "which is ready all the same");
	http_free(h);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL, *after = NULL;
	AUTO_FREE char *first = NULL, *second = NULL, *drained = NULL;
	struct provider *one, *two, *three;
	struct deployment d = { .n = 0 };
	size_t i;

	world_open(&(struct world_conf){ .devices = DEVICES });
	one = provider_start("one", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	first = holder(NULL, READY_MS);
	it_ok(*first != '\0', "the first holds the lease (%s)", first);
	two = provider_start("two", NULL);
	it_ok(provider_await_lines(two, "all workers are ready", 1, READY_MS) >
		0,
	    "a second one starts beside it");
	is_ready(two);
	set = flight_devices();
	drained = xstrdup(flight_unused(set));
	order("one", "drain", drained);
	half_deploy(&d, "killed");
	hit(one, SIGKILL);
	child_wait(provider_pid(one), READY_MS);
	taken_over(&d, "killed", first, "killed");
	each_once(&d, "killed");
	knows("two", drained, "drained");
	after = flight_devices();
	it_ok(flight_is_unused(after, drained),
	    "killed: nothing is on the device that was drained");
	order("two", "undrain", drained);
	provider_judge(one);
	three = provider_start("three", NULL);
	it_ok(provider_await_lines(three, "is, this one waits", 1, READY_MS) >
		0,
	    "a third one starts and waits");
	second = holder(NULL, READY_MS);
	half_deploy(&d, "hung");
	provider_expect(two, "does not answer.*timed out");
	hit(two, SIGSTOP);
	taken_over(&d, "hung", second, "hung");
	knows("three", drained, "fit");
	hit(two, SIGCONT);
	it_ok(provider_await_lines(two, "is, this one waits", 2, READY_MS) > 1,
	    "who wakes up finds another writer");
	free(pod_create("late", NULL));
	json_object_put(pod_runs("late", it_ms(), TAKE_OVER_MS));
	d.n++;
	each_once(&d, "at the end");
	provider_judge(two);
	provider_judge(three);
	it_ok(provider_stop(two) == 0, "the second ends by SIGTERM");
	it_ok(provider_stop(three) == 0, "the third ends by SIGTERM");
	for (i = 0; i < 2 * PODS; i++)
		free(d.uids[i]);
}

int
main(void)
{
	return it_run("two-providers", scenario);
}
