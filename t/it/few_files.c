/* SPDX-License-Identifier: ISC */
/*
 * few_files: a process may have but a few descriptors (RLIMIT_NOFILE), just
 * when it needs new ones: its servers' connections are cut, who asks its
 * listener comes, a worker is to be started.  Meanwhile it lives and says what
 * fails; once there are descriptors, all is as it should be.
 * NIGHTLY=1: each number of them for each worker; else a few for all.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/flight.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	KEPT = 3,
	LEAST = 4,	/* of which all are taken */
	MOST = 24,	/* with so many it lacks none */
	GUESTS = 24,	/* of a listener, more than it has descriptors for */
	WANT_MS = 1500, /* so long it wants descriptors */
	READY_MS = 30000,
	RUN_MS = 60000,
	SAY_MS = 30000,
};

static const char *const workers[] = { "kubeside", "flightside", "placer" };

enum {
	WORKERS = sizeof(workers) / sizeof(workers[0]),
	ALL = WORKERS,
};

static unsigned int
id_of(pid_t pid, const char *which)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)pid);
	size_t len = strlen(which);
	char line[256];
	unsigned int id = UINT_MAX;
	FILE *f = fopen(path, "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, which, len) == 0)
			id = (unsigned int)strtoul(line + len, NULL, 10);
	if (f != NULL)
		fclose(f);
	return id;
}

/* As itself could: root may be without CAP_SYS_RESOURCE. */
static void
set_limit(pid_t pid, rlim_t files)
{
	struct rlimit now;
	gid_t gid = id_of(pid, "Gid:");
	uid_t uid = id_of(pid, "Uid:");
	int status = -1;
	pid_t child;

	if ((child = fork()) == 0) {
		if (setresgid(gid, gid, gid) == -1 ||
		    setresuid(uid, uid, uid) == -1 ||
		    prlimit(pid, RLIMIT_NOFILE, NULL, &now) == -1)
			_exit(1);
		now.rlim_cur = files < now.rlim_max ? files : now.rlim_max;
		_exit(prlimit(pid, RLIMIT_NOFILE, &now, NULL) == -1);
	}
	if (child == -1 || waitpid(child, &status, 0) != child || status != 0)
		errx(1, "the limit of process %d cannot be set", (int)pid);
}

static void
allow(const struct provider *p, size_t worker, rlim_t files)
{
	size_t i;

	for (i = 0; i < WORKERS; i++)
		if (worker == ALL || worker == i)
			set_limit(provider_worker(p, workers[i]), files);
}

/* They connect, and say nothing. */
static void
visit(const struct provider *p, int guests[GUESTS])
{
	AUTO_FREE char *address = provider_address(p, READY_MS);
	struct sockaddr_in to = { .sin_family = AF_INET };
	char *colon = strrchr(address, ':');
	int i;

	to.sin_port = htons((uint16_t)atoi(colon + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < GUESTS; i++) {
		guests[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)connect(guests[i], (const void *)&to, sizeof(to));
	}
}

static void
leave(int guests[GUESTS])
{
	int i;

	for (i = 0; i < GUESTS; i++)
		close(guests[i]);
}

static void
cut(void)
{
	world_kube(0);
	world_flight(0);
	world_kube(1);
	world_flight(1);
}

/* With nothing left they cannot connect, and it is not the servers' fault. */
static void
say(const struct provider *p, size_t worker)
{
	size_t i;

	for (i = 0; i < WORKERS; i++) {
		AUTO_FREE char *line =
		    xasprintf("\"%s\".*Too many open files", workers[i]);

		if (worker == ALL || worker == i)
			it_ok(provider_await_lines(p, line, 1, SAY_MS) > 0,
			    "%s says what it lacks", workers[i]);
	}
}

static void
want(struct provider *p, size_t worker, unsigned int files)
{
	const char *who = worker == ALL ? "each worker" : workers[worker];
	AUTO_FREE char *name = xasprintf("guest-%zu-%u", worker, files);
	struct http *client = provider_listener(p, READY_MS);
	int guests[GUESTS];
	int64_t since;

	allow(p, worker, files);
	cut();
	visit(p, guests);
	free(pod_create(name, &(struct pod_conf){ .app = "guest" }));
	if (files == LEAST)
		say(p, worker);
	else
		it_pause(WANT_MS);
	leave(guests);
	allow(p, worker, RLIM_INFINITY);
	since = it_ms();
	it_say("%s had %u descriptors", who, files);
	json_object_put(pod_runs(name, since, RUN_MS));
	pod_delete(name);
	it_ok(pods_gone("guest", RUN_MS), "and goes");
	it_ok(http_await(client, "/readyz", 200, READY_MS), "it is ready");
	http_free(client);
}

/* The supervisor has none for the worker that it is to start. */
static void
start_worker(struct provider *p)
{
	pid_t pid = provider_pid(p);
	size_t said = provider_lines(p, "flightside cannot be started");
	int64_t since;

	set_limit(pid, LEAST);
	(void)kill(provider_worker(p, "flightside"), SIGKILL);
	it_ok(provider_await_lines(p, "flightside cannot be started", said + 1,
		  SAY_MS) > said,
	    "a worker cannot be started, and why is said");
	set_limit(pid, RLIM_INFINITY);
	since = it_ms();
	free(pod_create("last", &(struct pod_conf){ .app = "guest" }));
	json_object_put(pod_runs("last", since, RUN_MS));
	pod_delete("last");
	it_ok(pods_gone("guest", RUN_MS), "and goes");
}

static void
look(struct provider *p)
{
	AUTO_JSON struct json_object *devices = flight_devices();

	it_ok(pods_in_phase("kept", "Running", KEPT, RUN_MS) == KEPT,
	    "the pods that were there are Running");
	it_ok(flight_count(devices) == KEPT, "%zu applications, as before",
	    flight_count(devices));
	it_ok(flight_is_undisturbed(devices), "no container was restarted");
	it_ok(provider_lines(p, " ended: ") == 0,
	    "no worker ended for want of descriptors");
	it_ok(provider_lines(p, "left alone") == 0,
	    "nor took it for a fault of what was read");
}

static void
scenario(void)
{
	static const unsigned int some[] = { LEAST, 10, 11, 13 };
	const int whole = getenv("NIGHTLY") != NULL;
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", it_folder());
	struct provider *p;
	unsigned int files;
	size_t worker;
	int i;

	world_open(&(struct world_conf){ .fleet = "few-files", .devices = 2 });
	p = provider_start("few", (const char *const[]){ state, NULL });
	provider_expect(p, "Too many open files");
	provider_expect(p, "flightside ended: signal 9");
	json_object_put(node_is_ready(READY_MS));
	for (i = 0; i < KEPT; i++) {
		AUTO_FREE char *kept = xasprintf("kept-%d", i);

		free(pod_create(kept, &(struct pod_conf){ .app = "kept" }));
	}
	it_ok(pods_in_phase("kept", "Running", KEPT, RUN_MS) == KEPT,
	    "%d pods are Running", KEPT);
	for (i = 0; i < (int)(sizeof(some) / sizeof(some[0])); i++)
		want(p, ALL, some[i]);
	for (worker = 0; whole && worker < WORKERS; worker++)
		for (files = LEAST; files < MOST; files++)
			want(p, worker, files);
	look(p);
	start_worker(p);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("few_files", scenario);
}
