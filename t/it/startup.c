/* SPDX-License-Identifier: ISC */
/*
 * startup: vk-flightctl-provider's command line, settings and signals.  Wrong
 * settings are told in one line before anything is started.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/stage.h"

enum {
	WAIT_MS = 10000,
	PLACER = 61003, /* UIDS */
	NOBODY = 65534,
};

/* Runs it to its end with env -i and these words; status and all output. */
static int
run_once(char **out, const char *words)
{
	AUTO_FREE char *program = child_program(PROGRAM);
	AUTO_FREE char *line = xasprintf("exec env -i %s %s", words, program);
	AUTO_FREE char *shell = NULL;
	const char *argv[] = { "sh", "-c", NULL, NULL };
	const char *dash = strstr(words, " -- ");

	/* "NAME=value -- arguments" */
	shell = dash == NULL ?
	    steal(&line) :
	    xasprintf("exec env -i %.*s %s %s", (int)(dash - words), words,
		program, dash + 4);
	argv[2] = shell;
	return child_run(argv, out);
}

static void
test_wrong_settings(void)
{
	static const struct {
		const char *given;
		const char *line;
	} rows[] = {
		{ " ",
		    "FLIGHTCTL_API_URL=: must be https://HOST[:PORT], there "
		    "is no default" },
		{ "FLIGHTCTL_API_URL=http://a",
		    "FLIGHTCTL_API_URL=http://a: must be https://HOST[:PORT]"
		    "[/PATH] (plain http only to 127.0.0.1, ::1 or "
		    "localhost)" },
		{ "STATUS_POLL_INTERVAL=0s",
		    "STATUS_POLL_INTERVAL=0s: must be a duration, 1s..10m "
		    "(\"90s\", \"1h30m\")" },
		{ "FLIGHTCTL_API_URL=https://a CONTROL_GROUP=no-such-group",
		    "CONTROL_GROUP=no-such-group: must be a group of this "
		    "host, or a number" },
		{ "FLIGHTCTL_API_URL=https://a CONTROL_GROUP=4294967295",
		    "CONTROL_GROUP=4294967295: must be a group of this host, "
		    "or a number" },
		{ "FLIGHTCTL_API_URL=https://a UIDS=nobody,no-such-user,5",
		    "UIDS=nobody,no-such-user,5: no-such-user must be a user "
		    "of this host, with a group of the same number" },
		{ "FLIGHTCTL_API_URL=https://a UIDS=root,6,7",
		    "UIDS=0,6,7: must be users, by name or by id above 0" },
		{ "FLIGHTCTL_API_URL=https://a UIDS=daemon,1,7",
		    "UIDS=1,1,7: must be three different users" },
		{ "LOG_LEVEL=loud",
		    "LOG_LEVEL=loud: must be one of error, "
		    "warn, info, debug" },
		{ "DEVICE_DEFAULT_CPU=x",
		    "DEVICE_DEFAULT_CPU=x: must be a quantity, 1m..1000 "
		    "(\"500m\", \"2\")" },
		{ "FLIGHTCTL_API_URL=https://a FLEET_ID=a,a",
		    "FLEET_ID: must be fleets of different node names; a and a "
		    "both are vk-flightctl-a" },
		{ "FLIGHTCTL_API_URL=https://a FLEET_ID=a,b NODE_NAME=n",
		    "NODE_NAME=n: must be empty with more than one fleet in "
		    "FLEET_ID" },
		{ "FLIGHTCTL_API_URL=https://a FLIGHTCTL_CLIENT_CERT=/c",
		    "FLIGHTCTL_CLIENT_KEY=: must be given, because "
		    "FLIGHTCTL_CLIENT_CERT is" },
		{ "A=b -- -f /nonexistent/file",
		    "/nonexistent/file: No such file or directory" },
	};
	size_t i;
	int status;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *out = NULL;

		status = run_once(&out, rows[i].given);
		it_ok(status == 78 && strstr(out, rows[i].line) != NULL,
		    "status 78 (%d): %s", status, rows[i].line);
		if (strstr(out, rows[i].line) == NULL)
			it_say("but it said: %s", out);
	}
}

/* What may be so another time is tried again by whoever starts it. */
static void
test_host_in_the_way(void)
{
	static const struct {
		const char *given;
		const char *line;
	} rows[] = {
		{ "FLIGHTCTL_API_URL=https://a STATE_DIR=/proc/x/y",
		    "STATE_DIR=/proc/x/y: must be a folder that can be made "
		    "and given to the placer: No such file or directory" },
		{ "HTTPS_PROXY=http://p FLIGHTCTL_API_URL=https://a "
		  "STATE_DIR=/proc/x/y",
		    "HTTPS_PROXY is not used: the proxy to the apiserver is "
		    "the kubeconfig's proxy-url, and to Flightctl there must "
		    "be a way without one" },
	};
	size_t i;
	int status;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *out = NULL;

		status = run_once(&out, rows[i].given);
		if (!it_ok(status == 71 && strstr(out, rows[i].line) != NULL,
			"status 71 (%d): %s", status, rows[i].line))
			it_say("it said: %s", out);
	}
}

static void
test_command_line(void)
{
	AUTO_FREE char *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL;
	int status;

	status = run_once(&a,
	    "FLIGHTCTL_API_URL=https://a FLEET_ID=x "
	    "FLIGHTCTL_AUTH_TOKEN=s3cr3t -- -n");
	it_ok(status == 0 &&
		stage_count(a, "FLIGHTCTL_API_URL=https://a\n") == 1 &&
		stage_count(a, "# node vk-flightctl-x: fleet x\n") == 1,
	    "-n prints the settings");
	it_ok(run_once(&e,
		  "FLIGHTCTL_API_URL=https://a CONTROL_GROUP=root -- -n") ==
		    0 &&
		stage_count(e, "CONTROL_GROUP=0\n") == 1,
	    "-n prints a group's number");
	it_ok(strstr(a, "s3cr3t") == NULL &&
		stage_count(a, "# FLIGHTCTL_AUTH_TOKEN is given\n") == 1,
	    "-n prints no secret");
	it_ok(run_once(&b, "A=b -- --version") == 0 &&
		stage_count(b, PROGRAM " ") == 1 &&
		stage_count(b, "build ") == 1,
	    "--version");
	it_ok(run_once(&c, "A=b -- --help") == 0 &&
		stage_count(c, "usage:") == 1,
	    "--help");
	it_ok(run_once(&d, "A=b -- -x") == 64 && stage_count(d, "usage:") == 1,
	    "an unknown option is status 64");
}

static void
test_taken_port(void)
{
	AUTO_FREE char *words = NULL, *line = NULL, *out = NULL;
	uint16_t port;
	int fd = it_listen(&port);
	int status;

	words = xasprintf("FLIGHTCTL_API_URL=https://a STATE_DIR=%s/taken "
			  "LISTEN=127.0.0.1:%d",
	    it_folder(), port);
	line = xasprintf("LISTEN=127.0.0.1:%d: must be an address and a port "
			 "that are free: Address already in use",
	    port);
	status = run_once(&out, words);
	it_ok(status == 71 && strstr(out, line) != NULL, "status 71 (%d): %s",
	    status, line);
	close(fd);
}

/* As root, who could give away what is not its own. */
static void
test_foreign_folder(void)
{
	AUTO_FREE char *dir = xasprintf("%s/foreign", it_folder());
	AUTO_FREE char *file = xasprintf("%s/passwd", dir), *out = NULL;
	AUTO_FREE char *words =
	    xasprintf("FLIGHTCTL_API_URL=https://a STATE_DIR=%s", dir);
	struct stat st = { 0 };
	int status;

	if (geteuid() != 0)
		return;
	if (mkdir(dir, 0755) == -1)
		it_die("%s: cannot be made", dir);
	it_write(file, "of somebody else");
	status = run_once(&out, words);
	it_ok(status != 0 && strstr(out, "must be empty, or the placer's"),
	    "a folder with other files is not taken (%d)", status);
	it_ok(stat(dir, &st) == 0 && st.st_uid == 0 &&
		(st.st_mode & 07777) == 0755,
	    "and stays as it was");
}

static void
test_hup(void)
{
	struct stage r = stage_prepare("hup");
	AUTO_FREE char *file = xasprintf("%s/conf", r.dir), *program = NULL;

	program = xasprintf("%s/" PROGRAM, r.dir);
	stage_write(file, "LOG_LEVEL=info\nCHANGE_RATE=5\nEVICT_RATE=5\n");
	stage_launch(&r, (const char *[]){ program, "-f", file, NULL }, NULL);
	stage_started(&r);
	stage_write(file, "LOG_LEVEL=debug\nCHANGE_RATE=6\nEVICT_RATE=6\n");
	kill(r.pid, SIGHUP);
	it_ok(stage_await(&r, "\"reload\"", 3), "SIGHUP reaches all workers");
	it_ok(stage_lines(&r, "given LOG_LEVEL=debug") == 3 &&
		stage_lines(&r,
		    "\"flightside\",\"msg\":\"given CHANGE_RATE=6") == 1 &&
		stage_lines(&r, "given CHANGE_RATE=6") == 1,
	    "with the settings that may change");
	it_ok(stage_lines(&r, "EVICT_RATE has changed and needs a restart") ==
		    1 &&
		stage_lines(&r, "given EVICT_RATE=6") == 0,
	    "others need a restart, and that is said");
	stage_write(file, "LOG_LEVEL=loud\n");
	kill(r.pid, SIGHUP);
	it_ok(stage_await(&r, "settings stay as they are", 1) &&
		stage_await(&r, "conf:1: LOG_LEVEL=loud: must be one of", 1) &&
		stage_await(&r, "\"reload\"", 6),
	    "a wrong file changes nothing");
	stage_stop(&r);
}

/* Of one process, in clock ticks. */
static unsigned long
cpu_of(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/stat", (int)pid);
	AUTO_FREE char *text = it_file(path, NULL);
	unsigned long user = 0, kernel = 0;
	const char *at = text == NULL ? NULL : strrchr(text, ')');

	if (at == NULL ||
	    sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&user, &kernel) != 2)
		it_die("%s", path);
	return user + kernel;
}

/* A supervisor that can accept nobody waits, rather than to try for ever. */
static void
test_no_descriptors(void)
{
	struct stage r = stage_prepare("spent");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct rlimit had, none = { 3, 3 };
	AUTO_FREE char *ping = NULL;
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd pfd = { fd, POLLIN, 0 };
	unsigned long cpu;
	char line[8] = "";

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/p", r.dir);
	ping = xasprintf("PING_SOCKET=%s", sun.sun_path);
	stage_start(&r, (const char *[]){ ping, NULL });
	stage_started(&r);
	if (prlimit(r.pid, RLIMIT_NOFILE, NULL, &had) == -1)
		it_die("prlimit");
	none.rlim_max = had.rlim_max;
	if (prlimit(r.pid, RLIMIT_NOFILE, &none, NULL) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		it_die("%s: %s", ping, strerror(errno));
	cpu = cpu_of(r.pid);
	it_ok(poll(&pfd, 1, 500) == 0 && cpu_of(r.pid) - cpu < 10,
	    "without descriptors it does not run in circles");
	(void)prlimit(r.pid, RLIMIT_NOFILE, &had, NULL);
	it_ok(poll(&pfd, 1, WAIT_MS) == 1 &&
		read(fd, line, sizeof(line) - 1) == 3 &&
		strcmp(line, "ok\n") == 0,
	    "and with them it answers");
	stage_stop(&r);
}

/* Who has which level is seen from what the actors were given. */
static void
test_levels(void)
{
	struct stage r = stage_prepare("levels");
	int info;

	stage_start(&r, NULL);
	stage_started(&r);
	kill(r.pid, SIGUSR1);
	it_ok(stage_await(&r, "LOG_LEVEL=debug by SIGUSR1", 1) &&
		stage_await(&r, "given LOG_LEVEL=debug", 3),
	    "SIGUSR1: all workers log one level more");
	kill(stage_worker(&r, "placer"), SIGKILL);
	it_ok(stage_await(&r, "placer is ready", 2) &&
		stage_await(&r, "given LOG_LEVEL=debug", 4),
	    "one that comes anew logs as much");
	info = stage_lines(&r, "given LOG_LEVEL=info");
	kill(r.pid, SIGUSR2);
	it_ok(stage_await(&r, "LOG_LEVEL=info by SIGUSR2", 1) &&
		stage_await(&r, "given LOG_LEVEL=info", info + 3),
	    "SIGUSR2: one level less");
	it_ok(stage_lines(&r, "\"reload\"") == 0, "nothing else is read again");
	kill(r.pid, SIGUSR2);
	it_ok(stage_await(&r, "LOG_LEVEL=warn by SIGUSR2", 1),
	    "and that is said whatever the level");
	kill(r.pid, SIGHUP);
	it_ok(stage_await(&r, "given LOG_LEVEL=info", info + 6),
	    "SIGHUP: as the settings say");
	stage_stop(&r);
}

static void
test_killed_supervisor(void)
{
	struct stage r = stage_prepare("orphans");
	pid_t pids[3];
	int i, gone = 0;
	int64_t deadline;

	stage_start(&r, NULL);
	stage_started(&r);
	EACH_WORKER(i)
		pids[i] = stage_worker(&r, stage_workers[i]);
	kill(r.pid, SIGKILL);
	(void)child_wait(r.pid, WAIT_MS);
	for (deadline = it_ms() + WAIT_MS; gone < 3 && it_ms() < deadline;
	     it_pause(50)) {
		gone = 0;
		EACH_WORKER(i) {
			AUTO_FREE char *exe =
			    xasprintf("/proc/%d/exe", (int)pids[i]);
			char program[64];

			/* One that has ended has none. */
			gone += readlink(exe, program, sizeof(program)) == -1;
		}
	}
	it_ok(gone == 3, "no worker outlives the supervisor");
	free(r.dir);
	free(r.log);
}

static void
test_ordinary_user(void)
{
	struct stage r = stage_prepare("user");
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, r.dir);
	const char *argv[] = { "setpriv", "--reuid=65534", "--regid=65534",
		"--clear-groups", program, NULL };

	if (geteuid() == 0 && chown(r.dir, NOBODY, NOBODY) == -1)
		it_die("%s: cannot be given away", r.dir);
	stage_launch(&r, geteuid() == 0 ? argv : argv + 4, NULL);
	stage_started(&r);
	it_ok(stage_lines(&r, "\"level\":\"warn\"") == 1 &&
		stage_lines(&r, "not root: all workers run as one user") == 1,
	    "an ordinary user gets one warning");
	it_ok(stage_lines(&r,
		  geteuid() == 0 ? "found uid=65534 gid=65534" :
				   "found uid=") == 3,
	    "and workers that run as this user");
	stage_stop(&r);
}

/* What deploy/systemd leaves to root. */
static void
test_few_rights(void)
{
	struct stage r = stage_prepare("rights");
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, r.dir);
	AUTO_FREE char *state = xasprintf("%s/state", r.dir);
	const char *argv[] = { "setpriv", "--bounding-set=-all,+setuid,+setgid",
		program, NULL };

	if (geteuid() != 0) {
		it_skip("root with few rights: not root");
		return;
	}
	if (mkdir(state, 0700) == -1 || chown(state, PLACER, PLACER) == -1)
		it_die("%s: cannot be given away", state);
	stage_play(&r, "kubeside", "handsoff");
	stage_launch(&r, argv, NULL);
	it_ok(stage_await(&r, "kubeside ended: signal 9", 1),
	    "root needs but two of its rights to end a worker");
	stage_play(&r, "kubeside", "good");
	stage_started(&r);
	it_ok(stage_lines(&r, "found uid=61003 gid=61003") == 1,
	    "and to start one whose folder is there");
	stage_stop(&r);
}

static int
told(int fd, const char *words)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	char buf[512];
	ssize_t n;

	while (poll(&pfd, 1, WAIT_MS) == 1) {
		if ((n = recv(fd, buf, sizeof(buf) - 1, 0)) <= 0)
			break;
		buf[n] = '\0';
		if (strstr(buf, words) != NULL)
			return 1;
	}
	return 0;
}

static void
test_notify(void)
{
	static const char *const extra[] = { "NOTIFY_SOCKET=@vk-it-notify",
		"WATCHDOG_USEC=200000", NULL };
	struct sockaddr_un sa = { .sun_family = AF_UNIX,
		.sun_path = "\0vk-it-notify" };
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stage r = stage_prepare("notify");

	if (bind(fd, (struct sockaddr *)&sa,
		(socklen_t)(sizeof(sa.sun_family) + 13)) == -1)
		it_die("no notify socket");
	stage_start(&r, extra);
	it_ok(told(fd, "READY=1"), "the service manager is told READY");
	it_ok(told(fd, "WATCHDOG=1"), "and WATCHDOG");
	kill(r.pid, SIGINT);
	it_ok(told(fd, "STOPPING=1"), "and STOPPING");
	stage_stop(&r);
}

/* Workers that only look may be mad, too. */
static void
test_check(void)
{
	static const char *const lines[][2] = {
		{ "FAIL  kubeside: check: ended by signal 9 (Killed): ", "" },
		{ "warn  flightside: stage: a?[31m?b", "\n  mend: true\n" },
		{ "FAIL  placer: check: ended with status 3",
		    "\n  mend: vk-flightctl-provider --check -v\n" },
	};
	struct stage r = stage_prepare("check");
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, r.dir), *out = NULL;
	size_t i;
	int status;

	stage_play(&r, "kubeside", "garbage");
	stage_play(&r, "placer", "crash");
	stage_launch(&r, (const char *[]){ program, "--check", NULL }, NULL);
	status = child_wait(r.pid, WAIT_MS);
	it_ok(status == 1, "a check whose workers end is failed (status %d)",
	    status);
	out = it_file(r.log, NULL);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		AUTO_FREE char *all =
		    xasprintf("%s%s", lines[i][0], lines[i][1]);

		if (!it_ok(out != NULL && strstr(out, all) != NULL, "%s",
			lines[i][0]))
			it_say("%s", out);
	}
	free(r.dir);
	free(r.log);
}

static void
scenario(void)
{
	test_command_line();
	test_wrong_settings();
	test_host_in_the_way();
	test_taken_port();
	test_foreign_folder();
	test_hup();
	test_levels();
	test_no_descriptors();
	test_killed_supervisor();
	test_ordinary_user();
	test_few_rights();
	test_notify();
	test_check();
}

int
main(int argc, char *argv[])
{
	(void)argc;
	return stage_main(argv[0], "startup", scenario);
}
