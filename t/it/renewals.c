/* SPDX-License-Identifier: ISC */
/* renewals.c: Owns the process that looks, and what it shares with us. */
#include "t/it/renewals.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/mono.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/world.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"

enum {
	LOOK_MS = 100,
	AWAIT_MS = 30000,
	BUSY_MS = 4500, /* of a machine, at most */
};

/*
 * Renewed each 5 s, give or take 0.5, and each 10, give or take 1
 * (vk-flightctl-provider(8)).  The writer's ends after 15 s, and no write is
 * sent in its last 5.
 */
static const struct lease {
	const char *whose, *namespace;
	int64_t most_ms;
	unsigned int renewals; /* that are worth a judgement */
} leases[] = {
	{ "the writer's Lease", NULL, 5500 + BUSY_MS, 2 },
	{ "the Node's Lease", "kube-node-lease", 11000 + BUSY_MS, 1 },
};

#define COUNT (sizeof(leases) / sizeof(leases[0]))

static struct seen {
	int64_t renewed_ms, oldest_ms;
	unsigned int renewals, looks, unanswered;
} * seen; /* shared with the process that looks */

static pid_t watcher;

/* Of one Lease; -1: no answer. */
static int64_t
renewed_ms(const struct lease *l)
{
	AUTO_FREE char *path = xasprintf(LEASES "%s/leases/%s",
	    l->namespace == NULL ? getenv("NAMESPACE") : l->namespace,
	    world_node());
	AUTO_JSON struct json_object *lease = NULL;

	if (kube_send("GET", path, NULL, &lease) != 200)
		return -1;
	return stamp_parse(js_str(lease, "/spec/renewTime"));
}

static void
look(const struct lease *l, struct seen *s)
{
	int64_t renewed = renewed_ms(l);
	int64_t age = now_read().wall_ms - renewed;

	s->looks++;
	if (renewed < 0) {
		s->unanswered++;
		return;
	}
	s->renewals += s->renewed_ms != 0 && renewed != s->renewed_ms;
	s->renewed_ms = renewed;
	if (age > s->oldest_ms)
		s->oldest_ms = age;
}

void
renewals_watch(void)
{
	size_t i;

	seen = mmap(NULL, COUNT * sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		it_die("no memory to share");
	for (i = 0; i < COUNT; i++)
		if (renewed_ms(&leases[i]) < 0)
			it_die("%s is not there", leases[i].whose);
	fflush(stdout);
	if ((watcher = fork()) == -1)
		it_die("no process to look at Leases");
	if (watcher != 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	world_reopen();
	for (;;) {
		for (i = 0; i < COUNT; i++)
			look(&leases[i], &seen[i]);
		it_pause(LOOK_MS);
	}
}

static int
is_enough(void)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (seen[i].renewals < leases[i].renewals)
			return 0;
	return 1;
}

void
renewals_judge(const char *when)
{
	int64_t until = it_ms() + AWAIT_MS;
	unsigned int looks = 0, unanswered = 0;
	size_t i;

	while (!is_enough() && it_ms() < until)
		it_pause(LOOK_MS);
	kill(watcher, SIGKILL);
	waitpid(watcher, NULL, 0);
	for (i = 0; i < COUNT; i++) {
		it_ok(seen[i].renewals >= leases[i].renewals &&
			seen[i].oldest_ms <= leases[i].most_ms,
		    "%s: %s was renewed %u times, at most %lld ms old (%lld)",
		    when, leases[i].whose, seen[i].renewals,
		    (long long)seen[i].oldest_ms, (long long)leases[i].most_ms);
		looks += seen[i].looks;
		unanswered += seen[i].unanswered;
	}
	it_ok(unanswered * 10 <= looks, "%s: %u looks, %u of them unanswered",
	    when, looks, unanswered);
}
