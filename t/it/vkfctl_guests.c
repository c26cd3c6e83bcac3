/* SPDX-License-Identifier: ISC */
/*
 * vkfctl_guests: who may use the control socket by CONTROL_GROUP, and that
 * silent, slow and endless peers hold up neither the placer nor the next one.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	GROUP = 4242,
	CROWD = 1000,
	SERVED = 8,   /* at once */
	WAITING = 17, /* in the backlog of 16 */
	LONG = 10 * 1024 * 1024,
};

static char *path;

/* vkfctl as nobody, who is in these groups; its status. */
static int
ask_as(const char *groups, const char *const *words, char **out)
{
	AUTO_FREE char *program = child_program("vkfctl");
	AUTO_FREE char *in = xasprintf("--groups=%s", groups);
	const char *argv[16] = { "setpriv", "--reuid=65534", "--regid=65534",
		in, program, "-s", path };
	size_t n;

	for (n = 7; *words != NULL; n++)
		argv[n] = *words++;
	return child_run(argv, out);
}

static void
look_at_members(void)
{
	static const char *const devices[] = { "devices", NULL };
	static const char *const order[] = { "-y", "drain", "nobody", NULL };
	AUTO_FREE char *a = NULL, *b = NULL, *c = NULL;
	int status;

	status = ask_as("4242,65534", devices, &a);
	it_ok(status == EX_OK && strstr(a, "PLACEABLE") != NULL,
	    "a member of the group asks: status %d", status);
	status = ask_as("4242", order, &b);
	it_ok(status == EX_NOINPUT, "and gives orders: status %d", status);
	status = ask_as("65534", devices, &c);
	it_ok(status == EX_NOPERM && strstr(c, "CONTROL_GROUP may ask") != NULL,
	    "nobody else does: status %d", status);
}

/* What a member did is known by the member's number. */
static void
look_at_records(const char *device)
{
	const char *const drain[] = { "-y", "drain", device, NULL };
	const char *const undrain[] = { "-y", "undrain", device, NULL };
	static const char *const records[] = { "-o", "json", "records", NULL };
	AUTO_FREE char *a = NULL, *b = NULL, *c = NULL;

	it_ok(ask_as("4242", drain, &a) == EX_OK &&
		ask_as("4242", undrain, &b) == EX_OK,
	    "a member drains a device and takes it back");
	it_ok(ask_as("4242", records, &c) == EX_OK &&
		strstr(c, "\"operation\":\"drain\",\"desired\":\"uid 65534") !=
		    NULL,
	    "which is recorded as done by uid 65534");
}

/* -1: there is no more room in the backlog. */
static int
come(int more)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | more, 0);

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
count_open(pid_t pid)
{
	AUTO_FREE char *folder = xasprintf("/proc/%d/fd", (int)pid);
	DIR *d = opendir(folder);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static void
look_past_a_crowd(const struct provider *p)
{
	pid_t placer = provider_worker(p, "placer");
	int fd[CROWD], i, n = 0, before = count_open(placer);
	AUTO_JSON struct json_object *pod = NULL;
	AUTO_FREE char *out = NULL, *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, "pods", NULL };

	for (i = 0; i < CROWD; i++) {
		if ((fd[n] = come(SOCK_NONBLOCK)) == -1)
			continue;
		/* Half a line from every other one. */
		if (n % 2 == 0 && send(fd[n], "pods", 4, MSG_NOSIGNAL) != 4)
			it_die("%s: cannot be written", path);
		n++;
	}
	it_ok(n >= SERVED && n < CROWD,
	    "of %d silent peers %d are let in or wait", CROWD, n);
	it_ok(count_open(placer) <= before + SERVED,
	    "and at most %d are served at once", SERVED);
	free(pod_create("busy", NULL));
	pod = pod_runs("busy", it_ms(), RUN_MS);
	it_ok(child_run(argv, &out) == EX_OK && strstr(out, "busy") != NULL,
	    "who asks behind them is answered");
	for (i = 0; i < n; i++)
		close(fd[i]);
}

/* Without an end: a part of it is taken, the answer is an error. */
static void
look_at_an_endless_line(void)
{
	AUTO_FREE char *bytes = xcalloc(1, LONG);
	AUTO_FD int fd = come(0);
	char got[64] = "";
	ssize_t n;
	size_t sent;

	memset(bytes, 'a', LONG);
	for (sent = 0; sent < LONG; sent += (size_t)n)
		if ((n = send(fd, bytes + sent, LONG - sent, MSG_NOSIGNAL)) <=
		    0)
			break;
	it_ok(sent < LONG, "of a line of %d bytes %zu leave us", LONG, sent);
	n = recv(fd, got, sizeof(got) - 1, 0);
	it_ok(n <= 0 || strncmp(got, "error ", 6) == 0,
	    "what is heard, if anything, is an error: %s", got);
}

static void
scenario(void)
{
	AUTO_FREE char *group = NULL;
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *device;
	const char *extra[2] = { NULL, NULL };
	struct provider *p;
	struct stat st;
	gid_t gid = geteuid() == 0 ? GROUP : getegid();

	world_open(&(struct world_conf){ .devices = 2 });
	path = xasprintf("%s/provider/control.sock", it_folder());
	group = xasprintf("CONTROL_GROUP=%u", (unsigned int)gid);
	extra[0] = group;
	p = provider_start("provider", extra);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	it_ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0660 &&
		st.st_gid == gid,
	    "the socket is the group's, too");
	set = flight_devices();
	if (geteuid() == 0) {
		look_at_members();
		if (!js_next(set, &at, &device, &value))
			it_die("no device");
		look_at_records(device);
	}
	look_past_a_crowd(p);
	look_at_an_endless_line();
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	free(path);
}

int
main(void)
{
	return it_run("vkfctl-guests", scenario);
}
