/* SPDX-License-Identifier: ISC */
/*
 * rebuild: the provider starts with a database that is damaged, of a newer
 * version, or gone.  It says so once, keeps what it cannot read, and finds its
 * pods again on the devices: none is restarted, written again or lost.  What
 * people ordered is in the Lease.  One that is another cluster's is not used.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/vkfctl.h"
#include "t/it/world.h"

#define ANOTHER_CLUSTER "cluster id elsewhere is not .* nothing is done for it"
#define SET_ASIDE "kept as placer.db.set-aside and rebuilt"

enum {
	PODS = 3,
	READY_MS = 30000,
	RUN_MS = 30000,
	IDLE_MS = 3000,	 /* many times what a pod takes */
	VERSION_AT = 60, /* sqlite.org/fileformat2.html, user_version */
};

static char *state, *db, *wal, *aside, *drained;

/* --- what happens to the file, with nobody at it -------------------------- */

static void
cut_in_two(void)
{
	struct stat st;

	if (stat(db, &st) == -1 || truncate(db, st.st_size / 2) == -1)
		it_die("%s: cannot be truncated", db);
}

static void
make_newer(void)
{
	static const char newer[] = { 0, 0, 0x12, 0x67 };
	AUTO_FD int fd = open(db, O_WRONLY | O_CLOEXEC);

	if (fd == -1 ||
	    pwrite(fd, newer, sizeof(newer), VERSION_AT) != sizeof(newer))
		it_die("%s: its version cannot be written", db);
}

static void
lose_it(void)
{
	if (unlink(db) == -1)
		it_die("%s: cannot be removed", db);
}

static const struct {
	const char *name; /* of the provider's run */
	void (*befall)(void);
	int kept;
} cases[] = {
	{ "truncated", cut_in_two, 1 },
	{ "newer", make_newer, 1 },
	{ "removed", lose_it, 0 },
};

/* --- what is seen --------------------------------------------------------- */

static int
is_same(const char *path, const char *bytes, size_t len)
{
	AUTO_FREE char *text = NULL;
	size_t n;

	text = it_file(path, &n);
	return text != NULL && n == len && memcmp(text, bytes, n) == 0;
}

/* A pod comes and goes; all others are as they were. */
static void
look(const char *name, struct json_object *before)
{
	AUTO_JSON struct json_object *after = NULL;
	int64_t writes;

	json_object_put(pod_runs("kept-0", it_ms(), RUN_MS));
	free(pod_create(name, NULL));
	json_object_put(pod_runs(name, it_ms(), RUN_MS));
	pod_delete(name);
	it_ok(pods_gone(name, RUN_MS), "%s: a pod comes and goes", name);
	it_ok(pods_in_phase("kept", "Running", PODS, RUN_MS) == PODS,
	    "%s: all pods are Running", name);
	after = flight_devices();
	it_ok(flight_count(after) == PODS, "%s: %zu applications, as before",
	    name, flight_count(after));
	it_ok(flight_is_undisturbed(after), "%s: no container was restarted",
	    name);
	writes = flight_generations(after) - flight_generations(before);
	it_ok(writes <= 2, "%s: no spec was written but for that pod (%lld)",
	    name, (long long)writes);
}

static void
start_with(size_t i)
{
	AUTO_JSON struct json_object *node = NULL, *before = flight_devices();
	AUTO_FREE char *setting = xasprintf("STATE_DIR=%s", state);
	AUTO_FREE char *bytes = NULL, *left = NULL;
	struct provider *p;
	size_t len = 0, lines;

	(void)unlink(aside);
	left = it_file(wal, &len);
	it_ok(left == NULL || len == 0,
	    "%s: nothing is left in the log that would mend the file",
	    cases[i].name);
	cases[i].befall();
	bytes = it_file(db, &len);
	p = provider_start(cases[i].name,
	    (const char *const[]){ setting, NULL });
	provider_expect(p, SET_ASIDE);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	look(cases[i].name, before);
	vkfctl_says(cases[i].name,
	    (const char *const[]){ "explain", "device", drained, NULL }, 0,
	    "drained");
	lines = provider_lines(p, SET_ASIDE);
	it_ok(lines == (size_t)cases[i].kept, "%s: %zu lines say so",
	    cases[i].name, lines);
	if (cases[i].kept)
		it_ok(is_same(aside, bytes, len), "%s: the old file is kept",
		    cases[i].name);
	else
		it_ok(access(aside, F_OK) == -1, "%s: nothing is kept",
		    cases[i].name);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

/*
 * CLUSTER_ID says that this is another cluster than the database is of: what
 * has come and gone there changes nothing on a device, until it is as before.
 */
static void
start_elsewhere(void)
{
	AUTO_JSON struct json_object *before = flight_devices();
	AUTO_JSON struct json_object *during = NULL, *after = NULL;
	AUTO_FREE char *setting = xasprintf("STATE_DIR=%s", state);
	struct provider *p;

	pod_delete("kept-0");
	free(pod_create("late", NULL));
	p = provider_start("elsewhere",
	    (const char *const[]){ setting, "CLUSTER_ID=elsewhere", NULL });
	provider_expect(p, ANOTHER_CLUSTER);
	provider_leaves(p, "it does nothing for that cluster");
	it_ok(provider_await_lines(p, ANOTHER_CLUSTER, 1, READY_MS) == 1,
	    "another cluster is told of");
	it_ok(pods_in_phase("late", "Running", 1, IDLE_MS) == 0,
	    "no pod of it runs");
	during = flight_devices();
	it_ok(flight_count(during) == PODS &&
		flight_generations(during) == flight_generations(before),
	    "no device was written to");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");

	p = provider_start("home", (const char *const[]){ setting, NULL });
	json_object_put(pod_runs("late", it_ms(), RUN_MS));
	it_ok(pods_in_phase("kept", "Running", PODS - 1, RUN_MS) == PODS - 1,
	    "what was deleted meanwhile is gone");
	after = flight_devices();
	it_ok(flight_count(after) == PODS && flight_is_undisturbed(after),
	    "no container was restarted");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

/* No database can be there: the placer ends in order, again and again. */
static void
start_without(void)
{
	AUTO_FREE char *dir = xasprintf("%s/without", it_folder());
	AUTO_FREE char *folder = xasprintf("%s/placer.db", dir);
	AUTO_FREE char *setting = xasprintf("STATE_DIR=%s", dir);
	struct provider *p;

	if (mkdir(dir, 0700) == -1 || mkdir(folder, 0700) == -1)
		it_die("%s: cannot be made", folder);
	p = provider_start("no-database",
	    (const char *const[]){ setting, NULL });
	provider_expect(p, "placer (cannot start|ended: status 1)");
	provider_leaves(p, "it has no database");
	it_ok(provider_await_lines(p, "placer ended: status 1", 2, READY_MS) >
		1,
	    "a placer that has no database ends, and is started again");
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	struct provider *p;
	size_t i;

	world_open(&(struct world_conf){ .devices = PODS + 1 });
	state = xasprintf("%s/first/state", it_folder());
	db = xasprintf("%s/placer.db", state);
	wal = xasprintf("%s-wal", db);
	aside = xasprintf("%s.set-aside", db);
	p = provider_start("first", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = xasprintf("kept-%zu", i);

		free(pod_create(name, &(struct pod_conf){ .app = "kept" }));
	}
	it_ok(pods_in_phase("kept", "Running", PODS, RUN_MS) == PODS,
	    "%d pods are Running", PODS);
	set = flight_devices();
	drained = xstrdup(flight_unused(set));
	vkfctl_says("first",
	    (const char *const[]){ "-y", "drain", drained, NULL }, 0, "done");
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		start_with(i);
	start_elsewhere();
	start_without();
}

int
main(void)
{
	return it_run("rebuild", scenario);
}
