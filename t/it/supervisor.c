/* SPDX-License-Identifier: ISC */
/*
 * supervisor: vk-flightctl-provider with workers that play parts (actor.h) and
 * with the real ones, whose servers are away.  Whatever a worker is or does,
 * the others go on; settings are checked before anything is started.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "ipc/msg.h"
#include "t/it/actor.h"
#include "t/it/child.h"
#include "t/it/it.h"

#define PROGRAM "vk-flightctl-provider"

enum {
	WAIT_MS = 10000,
	STOP_MS = 5500, /* it promises 5 s */
	NOBODY = 65534,
	ENV_MAX = 16,
};

static const char *const workers[] = { "kubeside", "flightside", "placer" };

#define EACH_WORKER(i) for ((i) = 0; (i) < 3; (i)++)

/* One run. */
struct run {
	char *dir; /* with the programs and the state */
	char *log;
	pid_t pid;
};

static int
count(const char *text, const char *words)
{
	int n = 0;

	while ((text = strstr(text, words)) != NULL) {
		n++;
		text += strlen(words);
	}
	return n;
}

static int
lines(const struct run *r, const char *words)
{
	AUTO_FREE char *log = it_file(r->log, NULL);

	return log == NULL ? 0 : count(log, words);
}

/* Until the words were logged n times. */
static int
await(const struct run *r, const char *words, int n)
{
	int64_t deadline = it_ms() + WAIT_MS;

	while (lines(r, words) < n) {
		if (it_ms() > deadline)
			return 0;
		it_pause(50);
	}
	return 1;
}

static void
copy_program(const char *from, const char *to)
{
	const char *argv[] = { "cp", from, to, NULL };

	if (child_run(argv, NULL) != 0)
		it_die("%s: cannot be copied to %s", from, to);
}

/* A folder with the supervisor and three actors. */
static struct run
prepare(const char *name)
{
	AUTO_FREE char *from = child_program(PROGRAM), *to = NULL;
	struct run r = { 0 };
	int i;

	r.dir = xasprintf("%s/%s", it_folder(), name);
	r.log = xasprintf("%s.log", r.dir);
	if (mkdir(r.dir, 0755) == -1)
		it_die("%s: cannot be made", r.dir);
	to = xasprintf("%s/" PROGRAM, r.dir);
	copy_program(from, to);
	EACH_WORKER(i)
	{
		AUTO_FREE char *path = xasprintf("%s/%s", r.dir, workers[i]);

		copy_program("/proc/self/exe", path);
	}
	return r;
}

static void
write_file(const char *path, const char *text)
{
	AUTO_FD int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		it_die("%s: cannot be written", path);
}

static void
play(const struct run *r, const char *worker, const char *part)
{
	AUTO_FREE char *path = xasprintf("%s/part.%s", r->dir, worker);

	write_file(path, part);
}

/* The settings that every run has; extra ones come first. */
static void
launch(struct run *r, const char *const argv[], const char *const *extra)
{
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", r->dir);
	char fixed[3][64] = { "FLIGHTCTL_API_URL=https://127.0.0.1:1",
		"LISTEN=127.0.0.1:0", "PATH=/usr/bin:/bin" };
	char *env[ENV_MAX] = { 0 };
	size_t n = 0, i;

	for (; extra != NULL && extra[n] != NULL && n < ENV_MAX - 5; n++)
		env[n] = xstrdup(extra[n]);
	for (i = 0; i < 3; i++)
		env[n++] = fixed[i];
	env[n++] = state;
	r->pid = child_start(argv, env, r->log);
}

static void
start(struct run *r, const char *const *extra)
{
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, r->dir);

	launch(r, (const char *[]){ program, NULL }, extra);
}

static void
started(const struct run *r)
{
	if (!await(r, "all workers are ready", 1))
		it_die("%s: the workers are not ready", r->log);
}

static pid_t
worker_pid(const struct run *r, const char *name)
{
	pid_t pids[16];
	char buf[64];
	size_t i, n = child_list(r->pid, pids, 16);

	for (i = 0; i < n; i++) {
		child_name(pids[i], buf, sizeof(buf));
		if (strcmp(buf, name) == 0)
			return pids[i];
	}
	return -1;
}

static void
stop(struct run *r)
{
	int status;

	kill(r->pid, SIGTERM);
	status = child_wait(r->pid, STOP_MS);
	it_ok(status == 0, "SIGTERM ends it within 5 s (status %d)", status);
	free(r->dir);
	free(r->log);
}

/* --- the command line ----------------------------------------------------- */

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
		{ "FLIGHTCTL_API_URL=https://a STATE_DIR=/proc/x/y",
		    "STATE_DIR=/proc/x/y: must be a folder that can be made "
		    "and given to the placer: No such file or directory" },
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

static void
test_command_line(void)
{
	AUTO_FREE char *a = NULL, *b = NULL, *c = NULL, *d = NULL;
	int status;

	status = run_once(&a,
	    "FLIGHTCTL_API_URL=https://a FLEET_ID=x "
	    "FLIGHTCTL_AUTH_TOKEN=s3cr3t -- -n");
	it_ok(status == 0 && count(a, "FLIGHTCTL_API_URL=https://a\n") == 1 &&
		count(a, "# node vk-flightctl-x: fleet x\n") == 1,
	    "-n prints the settings");
	it_ok(strstr(a, "s3cr3t") == NULL &&
		count(a, "# FLIGHTCTL_AUTH_TOKEN is given\n") == 1,
	    "-n prints no secret");
	it_ok(run_once(&b, "A=b -- --version") == 0 &&
		count(b, PROGRAM " ") == 1 && count(b, "build ") == 1,
	    "--version");
	it_ok(run_once(&c, "A=b -- --help") == 0 && count(c, "usage:") == 1,
	    "--help");
	it_ok(run_once(&d, "A=b -- -x") == 64 && count(d, "usage:") == 1,
	    "an unknown option is status 64");
}

static void
test_taken_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	AUTO_FREE char *words = NULL, *line = NULL, *out = NULL;
	AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sin);
	int status, port;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sin, len) == -1 ||
	    listen(fd, 1) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		it_die("no port");
	port = ntohs(sin.sin_port);
	words = xasprintf("FLIGHTCTL_API_URL=https://a STATE_DIR=%s/taken "
			  "LISTEN=127.0.0.1:%d",
	    it_folder(), port);
	line = xasprintf("LISTEN=127.0.0.1:%d: must be an address and a port "
			 "that are free: Address already in use",
	    port);
	status = run_once(&out, words);
	it_ok(status == 78 && strstr(out, line) != NULL, "status 78 (%d): %s",
	    status, line);
}

/* --- with actors ------------------------------------------------------------
 */

static void
look_at_worker(const struct run *r, int i)
{
	AUTO_FREE char *words = NULL;
	int root = geteuid() == 0, id = root ? 61001 + i : (int)geteuid();

	words = xasprintf("\"%s\",\"msg\":\"found uid=%d gid=%d groups=%d "
			  "fds=0123 env=0 caps=0 nnp=1 death=9 root=%d",
	    workers[i], id, root ? id : (int)getegid(),
	    root ? 0 : getgroups(0, NULL), 0);
	it_ok(await(r, words, 1),
	    "%s has its id, four descriptors, nothing "
	    "else",
	    workers[i]);
}

static void
test_good(void)
{
	static const char *const extra[] = { "FLIGHTCTL_AUTH_TOKEN=s3cr3t",
		"KUBERNETES_UNRELATED=1", NULL };
	struct run r = prepare("good");
	AUTO_FREE char *state = xasprintf("%s/state", r.dir), *env = NULL;
	AUTO_FREE char *proc = NULL, *log = NULL;
	struct stat st;
	size_t len = 0;
	int i;

	start(&r, extra);
	started(&r);
	EACH_WORKER(i)
	look_at_worker(&r, i);
	it_ok(await(&r, "\"flightside\",\"msg\":\"token of 6 bytes\"", 1) &&
		lines(&r, "token of") == 1,
	    "flightside is given the token, and nobody else");
	it_ok(await(&r, "\"placer\",\"msg\":\"listener\"", 1) &&
		lines(&r, "\"listener\"") == 1,
	    "placer is given the listener, and nobody else");
	it_ok(lines(&r, "\"flightside\",\"msg\":\"given KUBECONFIG") == 0 &&
		lines(&r, "\"placer\",\"msg\":\"given FLIGHTCTL_API") == 0 &&
		lines(&r, "\"kubeside\",\"msg\":\"given KUBECONFIG") == 1,
	    "settings go where the table says");
	it_ok(await(&r, "linked with placer", 2) &&
		await(&r, "linked with kubeside", 1) &&
		await(&r, "linked with flightside", 1),
	    "both key holders are linked with the placer");
	proc = xasprintf("/proc/%d/environ", (int)r.pid);
	env = it_file(proc, &len);
	log = it_file(r.log, NULL);
	it_ok((env == NULL || memmem(env, len, "s3cr3t", 6) == NULL) &&
		strstr(log, "s3cr3t") == NULL,
	    "the token is neither in the environment nor in the log");
	it_ok(stat(state, &st) == 0 && (st.st_mode & 07777) == 0700 &&
		st.st_uid == (geteuid() == 0 ? 61003 : geteuid()),
	    "STATE_DIR is the placer's alone");
	stop(&r);
}

static void
test_order_of_stop(void)
{
	struct run r = prepare("order");
	AUTO_FREE char *log = NULL, *path = xstrdup(r.log);
	const char *p, *f, *k;

	start(&r, NULL);
	started(&r);
	stop(&r);
	log = it_file(path, NULL);
	p = strstr(log, "placer ended: status 0");
	f = strstr(log, "flightside ended: status 0");
	k = strstr(log, "kubeside ended: status 0");
	it_ok(p != NULL && f != NULL && k != NULL && p < f && f < k,
	    "placer, flightside, kubeside end in this order");
}

static void
test_deaf(void)
{
	struct run r = prepare("deaf");
	AUTO_FREE char *path = xstrdup(r.log), *log = NULL;

	play(&r, "placer", "deaf");
	play(&r, "kubeside", "deaf");
	start(&r, NULL);
	started(&r);
	stop(&r);
	log = it_file(path, NULL);
	it_ok(count(log, "is killed: did not stop in time") == 2,
	    "workers that do not stop are killed in time");
}

/* kill -9 of every set of workers, several times over. */
static void
test_kills(struct run *r, const char *who)
{
	int mask, i, n, good = 1;

	for (mask = 1; mask < 8; mask++) {
		int before[3];

		EACH_WORKER(i)
		{
			AUTO_FREE char *words =
			    xasprintf("%s is ready", workers[i]);

			before[i] = lines(r, words);
		}
		EACH_WORKER(i)
		if ((mask >> i & 1) != 0 && (n = worker_pid(r, workers[i])) > 0)
			kill(n, SIGKILL);
		EACH_WORKER(i)
		{
			AUTO_FREE char *words =
			    xasprintf("%s is ready", workers[i]);

			n = before[i] + (mask >> i & 1);
			good &= await(r, words, n);
			good &= lines(r, words) == n;
		}
	}
	it_ok(good, "%s: killed workers are started again, others stay", who);
	it_ok(await(r, "ended: signal 9 (Killed), again in ", 12),
	    "%s: the log says who ended and why", who);
}

static void
test_killed_actors(void)
{
	struct run r = prepare("kills");
	static const char *const extra[] = { "LOG_LEVEL=debug", NULL };
	int links;

	start(&r, extra);
	started(&r);
	await(&r, "linked with ", 4);
	links = lines(&r, "linked with ");
	test_kills(&r, "actors");
	it_ok(await(&r, "linked with ", links + 14),
	    "each new worker is linked again");
	stop(&r);
}

static void
test_bad_worker(struct run *r, const char *part, const char *words)
{
	int before = lines(r, words), ready = lines(r, "placer is ready");
	int others =
	    lines(r, "kubeside is ready") + lines(r, "flightside is ready");
	pid_t pid = worker_pid(r, "placer");

	play(r, "placer", part);
	if (pid > 0)
		kill(pid, SIGKILL);
	it_ok(await(r, words, before + 1), "%s: %s", part, words);
	play(r, "placer", "good");
	it_ok(await(r, "placer is ready", ready + 1) &&
		lines(r, "kubeside is ready") +
			lines(r, "flightside is ready") ==
		    others,
	    "%s: a good one follows, the others have not noticed", part);
}

static void
test_bad_workers(void)
{
	struct run r = prepare("bad");

	start(&r, NULL);
	started(&r);
	test_bad_worker(&r, "crash", "placer ended: status 3, again in");
	test_bad_worker(&r, "foreign",
	    "placer is killed: placer is of a foreign build 0.0.0-elsewhere");
	test_bad_worker(&r, "liar",
	    "placer is killed: placer says it is another");
	test_bad_worker(&r, "garbage",
	    "placer is killed: refused frame of placer: TYPE");
	test_bad_worker(&r, "giant",
	    "placer is killed: refused frame of placer: SIZE (LOG");
	stop(&r);

	r = prepare("bad2");
	start(&r, NULL);
	started(&r);
	test_bad_worker(&r, "forward",
	    "placer is killed: refused frame of placer: SENDER (PODS_BEGIN");
	test_bad_worker(&r, "early",
	    "placer is killed: refused frame of placer: WHEN (READY");
	test_bad_worker(&r, "badlog", "placer is killed: malformed LOG");
	test_bad_worker(&r, "selfish",
	    "placer is killed: asks for a link that there is not");
	test_bad_worker(&r, "handsoff", "placer ended: signal 9");
	stop(&r);
}

static void
test_flood(void)
{
	struct run r = prepare("flood");
	int n;

	play(&r, "kubeside", "flood");
	start(&r, NULL);
	started(&r);
	it_ok(await(&r, "log lines left out, more than", 0) &&
		await(&r, "a line of a flood", 1000),
	    "a flood of log lines is written in part");
	stop(&r);
	r.log = xasprintf("%s/flood.log", it_folder());
	n = lines(&r, "a line of a flood");
	it_ok(n < 10000, "and only in part (%d of 20000)", n);
	free(r.log);
}

static void
test_hup(void)
{
	struct run r = prepare("hup");
	AUTO_FREE char *file = xasprintf("%s/conf", r.dir), *program = NULL;

	program = xasprintf("%s/" PROGRAM, r.dir);
	write_file(file, "LOG_LEVEL=info\nFLIGHTCTL_RATE=5\nEVICT_RATE=5\n");
	launch(&r, (const char *[]){ program, "-f", file, NULL }, NULL);
	started(&r);
	write_file(file, "LOG_LEVEL=debug\nFLIGHTCTL_RATE=6\nEVICT_RATE=6\n");
	kill(r.pid, SIGHUP);
	it_ok(await(&r, "\"reload\"", 3), "SIGHUP reaches all workers");
	it_ok(lines(&r, "given LOG_LEVEL=debug") == 3 &&
		lines(&r, "\"flightside\",\"msg\":\"given FLIGHTCTL_RATE=6") ==
		    1 &&
		lines(&r, "given FLIGHTCTL_RATE=6") == 1,
	    "with the settings that may change");
	it_ok(lines(&r, "EVICT_RATE has changed and needs a restart") == 1 &&
		lines(&r, "given EVICT_RATE=6") == 0,
	    "others need a restart, and that is said");
	write_file(file, "LOG_LEVEL=loud\n");
	kill(r.pid, SIGHUP);
	it_ok(await(&r, "settings stay as they are: ", 1) &&
		await(&r, "conf:1: LOG_LEVEL=loud: must be one of", 1) &&
		await(&r, "\"reload\"", 6),
	    "a wrong file changes nothing");
	stop(&r);
}

static void
test_killed_supervisor(void)
{
	struct run r = prepare("orphans");
	pid_t pids[3];
	int i, gone = 0;
	int64_t deadline;

	start(&r, NULL);
	started(&r);
	EACH_WORKER(i)
	pids[i] = worker_pid(&r, workers[i]);
	kill(r.pid, SIGKILL);
	(void)child_wait(r.pid, WAIT_MS);
	for (deadline = it_ms() + WAIT_MS; gone < 3 && it_ms() < deadline;
	     it_pause(50)) {
		char name[64];

		gone = 0;
		EACH_WORKER(i)
		{
			child_name(pids[i], name, sizeof(name));
			gone += strcmp(name, workers[i]) != 0;
		}
	}
	it_ok(gone == 3, "no worker outlives the supervisor");
	free(r.dir);
	free(r.log);
}

static void
test_ordinary_user(void)
{
	struct run r = prepare("user");
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, r.dir);
	const char *argv[] = { "setpriv", "--reuid=65534", "--regid=65534",
		"--clear-groups", program, NULL };

	if (geteuid() == 0 && chown(r.dir, NOBODY, NOBODY) == -1)
		it_die("%s: cannot be given away", r.dir);
	launch(&r, geteuid() == 0 ? argv : argv + 4, NULL);
	started(&r);
	it_ok(lines(&r, "\"level\":\"warn\"") == 1 &&
		lines(&r, "not root: all workers run as one user") == 1,
	    "an ordinary user gets one warning");
	it_ok(lines(&r,
		  geteuid() == 0 ? "found uid=65534 gid=65534" :
				   "found uid=") == 3,
	    "and workers that run as this user");
	stop(&r);
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
	struct run r = prepare("notify");

	if (bind(fd, (struct sockaddr *)&sa,
		(socklen_t)(sizeof(sa.sun_family) + 13)) == -1)
		it_die("no notify socket");
	start(&r, extra);
	it_ok(told(fd, "READY=1"), "the service manager is told READY");
	it_ok(told(fd, "WATCHDOG=1"), "and WATCHDOG");
	kill(r.pid, SIGINT);
	it_ok(told(fd, "STOPPING=1"), "and STOPPING");
	stop(&r);
}

static void
scenario(void)
{
	struct run hung = prepare("hung");

	/* Takes its time; meanwhile all else. */
	start(&hung, NULL);
	started(&hung);
	kill(worker_pid(&hung, "flightside"), SIGSTOP);
	test_command_line();
	test_wrong_settings();
	test_taken_port();
	test_good();
	test_order_of_stop();
	test_deaf();
	test_killed_actors();
	test_bad_workers();
	test_flood();
	test_hup();
	test_killed_supervisor();
	test_ordinary_user();
	test_notify();
	while (lines(&hung, "flightside is ready") < 2 &&
	    await(&hung, "all workers are ready", 1) && it_failed() == 0)
		it_pause(100);
	stop(&hung);
}

int
main(int argc, char *argv[])
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;
	int i;

	(void)argc;
	EACH_WORKER(i)
	if (strcmp(name, workers[i]) == 0)
		return actor_main(name);
	return it_run("supervisor", scenario);
}
