/* SPDX-License-Identifier: ISC */
/*
 * small_disk: STATE_DIR on a disk of its own that runs full and becomes
 * read-only, for real (slow_disk.c and t/scene/power.c let calls fail).  While
 * it is full nothing is placed, what runs is left alone, and log, /readyz and
 * metric say so; with room again all goes on.  A provider whose database
 * cannot be written at its start says which file and why, and starts by itself
 * once it can be.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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

#define NO_PLACEMENTS "no new placements until the database can be written"
#define CANNOT_START "placer cannot start"
#define FAILED "vk_flightctl_store_failed"

enum {
	READY_MS = 30000,
	RUN_MS = 60000,
	LISTENER_MS = 30000,
	CHUNK = 4096,
};

static char *disk, *state, *ballast;

/* -- the disk -- */

static int
map_one(const char *file, unsigned int id)
{
	AUTO_FREE char *text = xasprintf("%u %u 1", id, id);
	AUTO_FD int fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd != -1 && write(fd, text, strlen(text)) != -1 ? 0 : -1;
}

/* Mounts that nobody else sees; who is not root needs a user namespace too. */
static int
take_room(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	AUTO_FD int fd = -1;

	if (unshare(CLONE_NEWNS | (uid != 0 ? CLONE_NEWUSER : 0)) == -1)
		return -1;
	if (uid != 0) {
		fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
		if (fd == -1 || write(fd, "deny", 4) != 4 ||
		    map_one("/proc/self/uid_map", uid) == -1 ||
		    map_one("/proc/self/gid_map", gid) == -1)
			return -1;
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int
make_disk(void)
{
	disk = xasprintf("%s/disk", it_folder());
	state = xasprintf("%s/state", disk);
	ballast = xasprintf("%s/ballast", disk);
	if (take_room() == -1 || mkdir(disk, 0755) == -1 ||
	    mount("tmpfs", disk, "tmpfs", 0, "size=2m,mode=755") == -1)
		return -1;
	return mkdir(state, 0700);
}

static void
fill(void)
{
	static const char chunk[CHUNK];
	AUTO_FD int fd =
	    open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	while (write(fd, chunk, sizeof(chunk)) > 0)
		;
	if (errno != ENOSPC)
		it_die("%s: %s", ballast, strerror(errno));
}

static void
make_room(void)
{
	if (unlink(ballast) == -1)
		it_die("%s: %s", ballast, strerror(errno));
}

static void
mount_as(unsigned long flags)
{
	if (mount(NULL, disk, NULL, MS_REMOUNT | MS_BIND | flags, NULL) == -1)
		it_die("%s: %s", disk, strerror(errno));
}

static void
writable(void)
{
	mount_as(0);
}

/* -- what is seen -- */

static void
run_one(const char *name)
{
	int64_t began = it_ms();

	free(pod_create(name, &(struct pod_conf){ .app = name }));
	json_object_put(pod_runs(name, began, RUN_MS));
}

static void
count(size_t n)
{
	AUTO_JSON struct json_object *devices = flight_devices();

	it_ok(flight_count(devices) == n, "%zu applications",
	    flight_count(devices));
	it_ok(flight_is_undisturbed(devices), "no container was restarted");
}

/* What runs is left alone, and nothing new comes until there is room. */
static void
run_full(struct provider *p)
{
	struct http *client = provider_listener(p, LISTENER_MS);

	run_one("kept");
	run_one("gone");
	fill();
	free(pod_create("late", &(struct pod_conf){ .app = "late" }));
	it_ok(provider_await_lines(p, NO_PLACEMENTS, 1, RUN_MS) == 1,
	    "the disk is full: it says so, once");
	it_ok(provider_lines(p, NO_PLACEMENTS ".*(full|space)") == 1,
	    "and what the matter is");
	it_ok(http_await(client, "/readyz", 503, LISTENER_MS) &&
		http_await(client, "/healthz", 200, LISTENER_MS) &&
		http_metric(client, FAILED " 1"),
	    "it lives, is not ready, and its metric says why");
	pod_delete("gone");
	it_ok(pods_gone("gone", RUN_MS), "a pod is deleted meanwhile");
	count(1);
	make_room();
	json_object_put(pod_runs("late", it_ms(), RUN_MS));
	it_ok(http_await(client, "/readyz", 200, LISTENER_MS) &&
		http_metric(client, FAILED " 0"),
	    "it is ready again");
	count(2);
	http_free(client);
}

/* It cannot start, says what helps, and does once that is done. */
static void
start_late(struct provider *p, const char *wanted, void (*mend)(void),
    const char *next)
{
	AUTO_FREE char *line =
	    xasprintf(CANNOT_START ".*%s/placer.db: %s", state, wanted);

	provider_again(p);
	it_ok(provider_await_lines(p, line, 1, READY_MS) > 0,
	    "it cannot start: the file, and %s", wanted);
	mend();
	run_one(next);
}

static void
check_it(const char *setting)
{
	AUTO_FREE char *said = NULL;
	int status =
	    provider_check("look", (const char *const[]){ setting, NULL },
		&(struct provider_look){ NULL, NULL }, &said);

	it_ok(status != 0 && strstr(said, "Read-only file system") != NULL &&
		strstr(said, "mount -o remount,rw") != NULL,
	    "--check says so, and what to type");
}

static void
scenario(void)
{
	AUTO_FREE char *setting = NULL;
	struct provider *p;

	if (make_disk() == -1) {
		it_skip("no disk of our own can be mounted: %s",
		    strerror(errno));
		return;
	}
	setting = xasprintf("STATE_DIR=%s", state);
	world_open(&(struct world_conf){ .fleet = "small-disk", .devices = 2 });
	p = provider_start("small", (const char *const[]){ setting, NULL });
	provider_expect(p, NO_PLACEMENTS);
	provider_expect(p, CANNOT_START);
	provider_expect(p, "placer ended: status 1");
	json_object_put(node_is_ready(READY_MS));
	run_full(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	fill();
	start_late(p, "No space left on device: make room there", make_room,
	    "third");
	count(3);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	mount_as(MS_RDONLY);
	check_it(setting);
	start_late(p, "Read-only file system: mount it writable", writable,
	    "fourth");
	count(4);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
}

int
main(void)
{
	return it_run("small_disk", scenario);
}
