/* SPDX-License-Identifier: ISC */
/*
 * container.c: the containers of the provider's Pod.
 *
 * Owns the Pod's folder: the volumes, each with the owner and mode that a
 * kubelet gives it.
 */
#include "t/it/container.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	POD_GROUP = 61000, /* fsGroup; of t/it/container, too */
	SPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC,
	PATIENCE_MS = 6000,
	ENV_MAX = 24,
	ARGS_MAX = 32,
};

static struct {
	pid_t pid;
	struct provider *provider;
	const char *programs;
	char *group; /* of its memory; NULL: none */
} containers[PROC_COUNT];

/* Where a control group bounds memory, by what, and what it was at most. */
static const struct {
	const char *at, *limit, *peak;
} groups[] = {
	{ "/sys/fs/cgroup", "memory.max", "memory.peak" },
	{ "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
	    "memory.max_usage_in_bytes" },
};

static const char *const volumes[] = { "link.kubeside", "link.flightside",
	"run.kubeside", "run.flightside", "run.placer", "state" };

/* Settings whose value is a file of a Secret, and whose Secret it is. */
static const struct {
	const char *name;
	enum proc to;
} secrets[] = {
	{ "KUBECONFIG", PROC_KUBESIDE },
	{ "FLIGHTCTL_AUTH_TOKEN_FILE", PROC_FLIGHTSIDE },
	{ "FLIGHTCTL_CA_FILE", PROC_FLIGHTSIDE },
};

uid_t
container_uid(enum proc p)
{
	return (uid_t)(POD_GROUP + p);
}

char *
container_volume(const char *volume, const char *file)
{
	return xasprintf("%s/pod/%s/%s", it_folder(), volume, file);
}

const char *
container_missing(void)
{
	const char *const argv[] = { "unshare", "--mount", "--pid", "--fork",
		"true", NULL };

	if (geteuid() != 0)
		return "containers are made by root";
	if (child_run(argv, NULL) != 0)
		return "this machine makes no namespaces";
	return NULL;
}

static void
make_folder(const char *name, mode_t mode)
{
	AUTO_FREE char *path = xasprintf("%s/pod/%s", it_folder(), name);

	if (mkdir(path, mode) == -1 || chown(path, 0, POD_GROUP) == -1 ||
	    chmod(path, mode) == -1)
		it_die("%s: cannot be made", path);
}

/* As a volume of a Secret with an fsGroup: root's, and the group reads it. */
static void
keep_secret(const char *setting)
{
	const char *value = strchr(setting, '=') + 1;
	AUTO_FREE char *volume = NULL, *path = NULL, *text = NULL;
	size_t i, len = strcspn(setting, "=");

	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (strlen(secrets[i].name) != len ||
		    strncmp(secrets[i].name, setting, len) != 0)
			continue;
		volume = xasprintf("secret.%s", proc_name(secrets[i].to));
		path = container_volume(volume, secrets[i].name);
		if ((text = it_file(value, NULL)) == NULL)
			it_die("%s: cannot be read", value);
		it_write(path, text);
		if (chown(path, 0, POD_GROUP) == -1 || chmod(path, 0440) == -1)
			it_die("%s: cannot be given away", path);
		return;
	}
}

void
container_pod(void)
{
	AUTO_FREE char *pod = xasprintf("%s/pod", it_folder());
	char *const *w;
	size_t i;

	if (mkdir(pod, 0755) == -1)
		it_die("%s: cannot be made", pod);
	/* An emptyDir of a Pod with an fsGroup. */
	for (i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++)
		make_folder(volumes[i], 02777);
	make_folder("secret.kubeside", 02755);
	make_folder("secret.flightside", 02755);
	for (w = world_settings(); *w != NULL; w++)
		keep_secret(*w);
}

/* 1: written, which a host may refuse. */
static int
tell_group(const char *group, const char *name, int64_t n)
{
	AUTO_FREE char *path = xasprintf("%s/%s", group, name);
	AUTO_FREE char *text = xasprintf("%" PRId64, n);
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd != -1 &&
	    write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

int
container_limit(enum proc p, int64_t bytes)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		AUTO_FREE char *group = xasprintf("%s/vk-%s-%d", groups[i].at,
		    proc_name(p), (int)getpid());

		if (mkdir(group, 0755) == -1)
			continue;
		if (tell_group(group, groups[i].limit, bytes)) {
			containers[p].group = xstrdup(group);
			return 1;
		}
		(void)rmdir(group);
	}
	return 0;
}

int64_t
container_peak(enum proc p)
{
	const char *group = containers[p].group;
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		AUTO_FREE char *path =
		    xasprintf("%s/%s", group, groups[i].peak);
		AUTO_FREE char *text = it_file(path, NULL);

		if (text != NULL)
			return strtoll(text, NULL, 10);
	}
	return -1;
}

void
container_unlimit(enum proc p)
{
	if (containers[p].group == NULL)
		return;
	(void)rmdir(containers[p].group);
	free(containers[p].group);
	containers[p].group = NULL;
}

void
container_programs(enum proc p, const char *programs)
{
	containers[p].programs = programs;
}

/* The settings of one container: what all have, and files of its Secret. */
static size_t
add_settings(enum proc p, const char **argv, char **own)
{
	static const char *const shared[] = { "LISTEN=127.0.0.1:0",
		"LOG_LEVEL=debug", "PATH=/usr/bin:/bin",
		/* Leaks cannot be looked for under seccomp. */
		"ASAN_OPTIONS=detect_leaks=0" };
	size_t n = 0, i, k = 0;
	char *const *w;

	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		argv[n++] = shared[i];
	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (secrets[i].to == p)
			argv[n++] = own[k++] = xasprintf("%s=/secret/%s/%s",
			    secrets[i].name, proc_name(p), secrets[i].name);
	argv[n++] = own[k++] = xasprintf("FLEET_ID=%s", world_fleet());
	for (w = world_settings(); *w != NULL; w++)
		if (strncmp(*w, "NAMESPACE=", 10) == 0 ||
		    (p == PROC_FLIGHTSIDE &&
			strncmp(*w, "FLIGHTCTL_API_URL=", 18) == 0))
			argv[n++] = *w;
	argv[n] = NULL;
	return k;
}

/* From then on it is as it will be. */
static void
await_program(enum proc p)
{
	int64_t deadline = it_ms() + PATIENCE_MS;
	char name[32] = "";

	while (strncmp(name, "vk-flightctl", 12) != 0) {
		if (it_ms() > deadline)
			it_die("%s: its container does not begin",
			    proc_name(p));
		it_pause(20);
		child_name(containers[p].pid, name, sizeof(name));
	}
}

void
container_start(enum proc p)
{
	AUTO_FREE char *script = child_source("t/it/container");
	AUTO_FREE char *pod = xasprintf("%s/pod", it_folder());
	AUTO_FREE char *uid = xasprintf("%u", container_uid(p));
	AUTO_FREE char *log = xasprintf("%s/%s.log", it_folder(), proc_name(p));
	AUTO_FREE char *programs = child_program("");
	const char *argv[ENV_MAX] = { script, pod, proc_name(p), uid,
		containers[p].programs != NULL ? containers[p].programs :
						 programs,
		containers[p].group != NULL ? containers[p].group : "" };
	char *own[ENV_MAX];
	size_t n = add_settings(p, argv + 6, own);

	containers[p].pid = child_start_apart(argv, log, SPACES);
	await_program(p);
	if (containers[p].provider == NULL)
		containers[p].provider = provider_adopt(proc_name(p));
	provider_follow(containers[p].provider, containers[p].pid);
	while (n > 0)
		free(own[--n]);
}

int
container_stop(enum proc p)
{
	return provider_stop(containers[p].provider);
}

void
container_kill(enum proc p)
{
	kill(containers[p].pid, SIGKILL);
	if (child_wait(containers[p].pid, PATIENCE_MS) == -1)
		it_die("%s: its container does not end", proc_name(p));
}

int
container_exec(enum proc p, const char *const words[], char **out)
{
	AUTO_FREE char *pid = xasprintf("%d", (int)containers[p].pid);
	AUTO_FREE char *uid = xasprintf("%u", container_uid(p));
	AUTO_FREE char *group = xasprintf("%d", POD_GROUP);
	const char *argv[ARGS_MAX] = { "nsenter", "-t", pid, "-m", "-p", "-i",
		"-r", "-w", "setpriv", "--reuid", uid, "--regid", uid,
		"--groups", group, "--no-new-privs", "--bounding-set=-all",
		"--inh-caps=-all", "env", "-i", "PATH=/app:/usr/bin:/bin" };
	size_t n = 0, i;

	while (argv[n] != NULL)
		n++;
	for (i = 0; words[i] != NULL && n < ARGS_MAX - 1; i++)
		argv[n++] = words[i];
	argv[n] = NULL;
	return child_run(argv, out);
}

struct provider *
container_provider(enum proc p)
{
	return containers[p].provider;
}
