/* SPDX-License-Identifier: ISC */
/*
 * containers: the provider as its Pod runs it, each worker in a container of
 * its own that has its own secret and no other.  Pods run through them; each
 * container may die and come back; who is not of the Pod is refused.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "ipc/build.h"
#include "t/it/child.h"
#include "t/it/container.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/kube.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/sanitized.h"
#include "t/it/world.h"

enum {
	READY_MS = 20000,
	RUN_MS = 30000,
	LINE_MS = 10000,
	STRANGER_UID = 61009,
	FOREIGN_MS = 2000,
	SIEGE = 100, /* connections at a time */
	SLOW_MS = 20,
	CLAIM_MS = 1500,
};

/* --- from within -----------------------------------------------------------
 */

static void
begins(enum proc p)
{
	container_start(p);
	it_ok(provider_await_lines(container_provider(p),
		  "\"msg\":\"all workers are ready", 1, READY_MS) == 1,
	    "%s: its container is ready", proc_name(p));
}

static int
can_read(enum proc p, const char *path)
{
	const char *const argv[] = { "cat", path, NULL };
	AUTO_FREE char *out = NULL;

	return container_exec(p, argv, &out) == 0 && *out != '\0';
}

/* Whose file is whose. */
static void
read_secrets(void)
{
	static const struct {
		const char *path;
		enum proc whose;
	} files[] = {
		{ "/secret/kubeside/KUBECONFIG", PROC_KUBESIDE },
		{ "/secret/flightside/FLIGHTCTL_AUTH_TOKEN_FILE",
		    PROC_FLIGHTSIDE },
		{ "/var/lib/vk-flightctl-provider/placer.db", PROC_PLACER },
	};
	size_t i;
	enum proc p;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		EACH_CONTAINER(p) {
			int own = p == files[i].whose;

			it_ok(can_read(p, files[i].path) == own, "%s %s %s",
			    proc_name(p), own ? "reads" : "has no",
			    files[i].path);
		}
}

static void
finds(enum proc p, const char *shell, const char *want, const char *what)
{
	const char *const argv[] = { "sh", "-c", shell, NULL };
	AUTO_FREE char *out = NULL;

	(void)container_exec(p, argv, &out);
	if (!it_ok(strcmp(out, want) == 0, "%s: %s", proc_name(p), what))
		it_say("%s", out);
}

static void
look_around(void)
{
	static const char *const sockets[PROC_COUNT] = {
		[PROC_KUBESIDE] = "kubeside ping.sock ",
		[PROC_FLIGHTSIDE] = "flightside ping.sock ",
		[PROC_PLACER] = "control.sock flightside kubeside ping.sock ",
	};
	enum proc p;

	EACH_CONTAINER(p) {
		finds(p, "grep -E '^(CapBnd|CapEff|NoNewPrivs)' /proc/1/status",
		    "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
		    "NoNewPrivs:\t1\n",
		    "no capability, and none to be had");
		finds(p,
		    "for d in / /app /etc /proc /usr/bin; do touch $d/x; "
		    "done 2>&1 | grep -c cannot",
		    "5\n", "nothing can be written outside of its volumes");
		finds(p, "ls /run/vk-flightctl-provider | tr '\\n' ' '",
		    sockets[p], "its sockets and no other's");
	}
}

/* --- alive or not ----------------------------------------------------------
 */

static const char *const ping[] = { "vk-flightctl-provider", "--ping", NULL };

static void
pings(enum proc p, int status, const char *words)
{
	AUTO_FREE char *out = NULL;
	int got = container_exec(p, ping, &out);

	if (!it_ok(got == status && strstr(out, words) != NULL,
		"%s: --ping: %d %s", proc_name(p), status, words))
		it_say("status %d: %s", got, out);
}

static void
tell_alive(void)
{
	struct provider *kubeside = container_provider(PROC_KUBESIDE);
	AUTO_FREE char *setting = NULL, *out = NULL;
	AUTO_FREE char *path = container_volume("run.flightside", "ping.sock");
	AUTO_FREE char *program = child_program("vk-flightctl-provider");
	const char *argv[] = { "env", NULL, program, "--ping", NULL };
	enum proc p;
	int status;

	EACH_CONTAINER(p)
		pings(p, 0, "");
	kill(provider_worker(kubeside, "kubeside"), SIGSTOP);
	pings(PROC_KUBESIDE, 1, "kubeside does not answer");
	kill(provider_worker(kubeside, "kubeside"), SIGCONT);
	pings(PROC_KUBESIDE, 0, "");
	container_kill(PROC_FLIGHTSIDE);
	argv[1] = setting = xasprintf("PING_SOCKET=%s", path);
	status = child_run(argv, &out);
	if (!it_ok(status == 1 && strstr(out, "Connection refused") != NULL,
		"--ping of one that is gone is 1, Connection refused"))
		it_say("status %d: %s", status, out);
	container_start(PROC_FLIGHTSIDE);
}

/* --- who dies and who is refused -------------------------------------------
 */

/* Without kubeside's last words its lease would last for 15 s. */
static void
end_lease(void)
{
	AUTO_FREE char *path =
	    xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases/%s",
		getenv("NAMESPACE"), world_node());

	if (kube_send("DELETE", path, NULL, NULL) != 200)
		it_die("%s: cannot be deleted", path);
}

/* One after the other, then all, which begin in another order. */
static void
come_back(void)
{
	int64_t since = it_ms();
	enum proc p;

	EACH_CONTAINER(p) {
		container_kill(p);
		if (p == PROC_KUBESIDE)
			end_lease();
		container_start(p);
	}
	free(pod_create("after-each", NULL));
	json_object_put(pod_runs("after-each", since, RUN_MS));
	EACH_CONTAINER(p)
		container_kill(p);
	end_lease();
	free(pod_create("after-all", NULL));
	container_start(PROC_PLACER);
	container_start(PROC_FLIGHTSIDE);
	container_start(PROC_KUBESIDE);
}

/* What the placer's container does to whoever comes from elsewhere. */
static int
stranger(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct pollfd pfd = { .events = POLLIN };
	char byte;

	if (strlen(path) >= sizeof(sun.sun_path) ||
	    setresuid(STRANGER_UID, STRANGER_UID, STRANGER_UID) == -1)
		return 2;
	memcpy(sun.sun_path, path, strlen(path));
	pfd.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(pfd.fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    poll(&pfd, 1, LINE_MS) != 1)
		return 3;
	return read(pfd.fd, &byte, 1) == 0 ? 0 : 4;
}

static void
refuse_strangers(void)
{
	struct provider *placer = container_provider(PROC_PLACER);
	AUTO_FREE char *path = container_volume("link.kubeside", "link.sock");
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(stranger(path));
	status = child_wait(pid, 2 * LINE_MS);
	it_ok(status == 0, "a stranger's connection is closed (%d)", status);
	it_ok(provider_await_lines(placer,
		  "uid 61009 is refused: UIDS gives kubeside the uid 61001", 1,
		  LINE_MS) == 1,
	    "and that is said");
}

/* --- besieged --- */

/* No frame; the begin of one; one longer than any may be; a frame of nobody. */
static const struct {
	const char *bytes;
	size_t len;
} garbage[] = {
	{ "GET / HTTP/1.1\r\n\r\n", 18 },
	{ "\0\0\0\x20\0\0", 6 },
	{ "\xff\xff\xff\xff\0\0\0\1\0\0\0\0\0\0\0\0", 16 },
	{ "\0\0\0\0\0\0\3\xe7\0\0\0\0\0\0\0\1", 16 },
};

/* Comes in crowds, says each of these a byte at a time, and stays a while. */
__attribute__((noreturn)) static void
besiege(const struct sockaddr_un *sun, uid_t uid, unsigned int crowd)
{
	int fds[SIEGE];
	unsigned int i, turn;
	size_t at;

	if (setresuid(uid, uid, uid) == -1)
		_exit(2);
	for (turn = 0;; turn++) {
		for (i = 0; i < crowd; i++) {
			fds[i] = socket(AF_UNIX,
			    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
			(void)!connect(fds[i], (const struct sockaddr *)sun,
			    sizeof(*sun));
		}
		for (at = 0; at < garbage[turn % 4].len; at++) {
			for (i = 0; i < crowd; i++)
				(void)!send(fds[i],
				    garbage[turn % 4].bytes + at, 1,
				    MSG_NOSIGNAL);
			it_pause(SLOW_MS);
		}
		for (i = 0; i < crowd; i++)
			close(fds[i]);
	}
}

static pid_t
siege(const char *volume, uid_t uid, unsigned int crowd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	AUTO_FREE char *path = container_volume(volume, "link.sock");
	pid_t pid;

	if (strlen(path) >= sizeof(sun.sun_path))
		it_die("%s: too long for a socket", path);
	memcpy(sun.sun_path, path, strlen(path));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		besiege(&sun, uid, crowd);
	}
	return pid;
}

static void
under_siege(void)
{
	const struct provider *placer = container_provider(PROC_PLACER);
	pid_t crowd[2] = { siege("link.kubeside", STRANGER_UID, SIEGE),
		siege("link.flightside", STRANGER_UID, SIEGE) };
	size_t n;
	int i;

	free(pod_create("besieged", NULL));
	json_object_put(pod_runs("besieged", it_ms(), RUN_MS));
	n = provider_lines(placer, "uid 61009 is refused");
	it_ok(n >= 1 && n <= 4, "who floods both sockets is told of %zu times",
	    n);
	for (i = 0; i < 2; i++) {
		kill(crowd[i], SIGKILL);
		child_wait(crowd[i], LINE_MS);
	}
}

/*
 * One that has kubeside's uid and speaks as no kubeside does: the latest is
 * the one that counts, so each takes the other's place; the rightful one stays
 * alive and has its duty again when it has gone.
 */
static void
claimed(void)
{
	struct provider *kubeside = container_provider(PROC_KUBESIDE);
	pid_t was = provider_worker(kubeside, "kubeside");
	pid_t claimant =
	    siege("link.kubeside", container_uid(PROC_KUBESIDE), 1);

	it_pause(CLAIM_MS);
	kill(claimant, SIGKILL);
	child_wait(claimant, LINE_MS);
	free(pod_create("claimed", NULL));
	json_object_put(pod_runs("claimed", it_ms(), RUN_MS));
	it_ok(provider_worker(kubeside, "kubeside") == was,
	    "kubeside outlives one that claimed to be it");
}

/* A copy of our programs that says it is of another build. */
static char *
another_build(void)
{
	static const char *const names[] = { "vk-flightctl-provider",
		"kubeside" };
	char *dir = xasprintf("%s/another", it_folder());
	size_t i, len, n = strlen(build_id);

	if (child_run((const char *[]){ "mkdir", dir, NULL }, NULL) != 0)
		it_die("%s: cannot be made", dir);
	for (i = 0; i < 2; i++) {
		AUTO_FREE char *from = child_program(names[i]);
		AUTO_FREE char *to = xasprintf("%s/%s", dir, names[i]);
		AUTO_FREE char *bytes = it_file(from, &len);
		AUTO_FD int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
		char *at = memmem(bytes, len, build_id, n);

		if (at == NULL)
			it_die("%s: no build id", from);
		at[n - 1] = at[n - 1] == '0' ? '1' : '0';
		if (fd == -1 || write(fd, bytes, len) != (ssize_t)len)
			it_die("%s: cannot be written", to);
	}
	return dir;
}

static void
refuse_another_build(void)
{
	static const char words[] = "\"level\":\"warn\".*is of a foreign build";
	AUTO_FREE char *dir = another_build();
	size_t n;

	(void)container_stop(PROC_KUBESIDE);
	container_programs(PROC_KUBESIDE, dir);
	container_start(PROC_KUBESIDE);
	it_ok(provider_await_lines(container_provider(PROC_KUBESIDE), words, 1,
		  LINE_MS) > 0 ||
		provider_lines(container_provider(PROC_PLACER), words) > 0,
	    "two builds do not work together, and that is said");
	it_pause(FOREIGN_MS);
	n = provider_lines(container_provider(PROC_KUBESIDE), words);
	it_ok(n < 5, "at a growing distance: %zu times in %d s", n,
	    FOREIGN_MS / 1000);
	(void)container_stop(PROC_KUBESIDE);
	container_programs(PROC_KUBESIDE, NULL);
	container_start(PROC_KUBESIDE);
}

/* ---------------------------------------------------------------------------
 */

static void
expect(void)
{
	enum proc p;

	provider_expect(container_provider(PROC_PLACER),
	    "kubeside sent what it may not: the link ends");

	EACH_CONTAINER(p) {
		provider_expect(container_provider(p), "foreign build");
		provider_expect(container_provider(p), "uid 61009 is refused");
	}
}

/* --- memory ----------------------------------------------------------------
 */

/* deploy/kubernetes/base/provider.yaml; ASan has much memory of its own. */
static const int64_t memory_mib[PROC_COUNT] = {
	[PROC_KUBESIDE] = 128,
	[PROC_FLIGHTSIDE] = 128,
	[PROC_PLACER] = 256,
};

static int
limit_all(void)
{
	enum proc p;
	int n = 0;

	EACH_CONTAINER(p)
		n += !SANITIZED && container_limit(p, memory_mib[p] << 20);
	if (n < 3)
		it_say("memory is not bounded %s",
		    SANITIZED ? "with a sanitizer" : "by this host");
	return n;
}

static void
judge_memory(int limited)
{
	enum proc p;

	EACH_CONTAINER(p) {
		if (limited == 3)
			it_ok(container_peak(p) > 0 &&
				container_peak(p) < memory_mib[p] << 19,
			    "%s: %lld of its %lld MiB at most", proc_name(p),
			    (long long)container_peak(p) >> 20,
			    (long long)memory_mib[p]);
		container_unlimit(p);
	}
}

static void
scenario(void)
{
	const char *const asks[] = { "vkfctl", "pods", NULL };
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	AUTO_FREE char *out = NULL;
	int64_t since;
	enum proc p;
	int status, limited;

	if (container_missing() != NULL) {
		it_skip("%s", container_missing());
		return;
	}
	world_open(&(struct world_conf){ .devices = 2 });
	container_pod();
	limited = limit_all();
	begins(PROC_KUBESIDE);
	begins(PROC_FLIGHTSIDE);
	begins(PROC_PLACER);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	free(pod_create("first", NULL));
	json_object_put(pod_runs("first", it_ms(), RUN_MS));
	come_back();
	since = it_ms();
	tell_alive();
	read_secrets();
	look_around();
	refuse_strangers();
	under_siege();
	claimed();
	json_object_put(pod_runs("after-all", since, RUN_MS));
	refuse_another_build();
	free(pod_create("last", NULL));
	json_object_put(pod_runs("last", it_ms(), RUN_MS));
	set = flight_devices();
	it_ok(flight_is_undisturbed(set), "no workload was restarted (%lld)",
	    (long long)flight_restarts(set));
	status = container_exec(PROC_PLACER, asks, &out);
	if (!it_ok(status == 0 && strstr(out, "last") != NULL,
		"vkfctl answers in the placer's container"))
		it_say("status %d: %s", status, out);
	expect();
	EACH_CONTAINER(p) {
		it_ok(container_stop(p) == 0, "%s: SIGTERM ends its container",
		    proc_name(p));
		provider_judge(container_provider(p));
	}
	judge_memory(limited);
}

int
main(void)
{
	return it_run("containers", scenario);
}
