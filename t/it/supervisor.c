/* SPDX-License-Identifier: ISC */
/*
 * supervisor: vk-flightctl-provider with workers that play parts.  Whatever a
 * worker is or does, the others go on and a new one follows.
 */
#include <sys/stat.h>

#include <grp.h>
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

static void
look_at_worker(const struct stage *r, int i)
{
	AUTO_FREE char *words = NULL;
	int root = geteuid() == 0, id = root ? 61001 + i : (int)geteuid();

	words = xasprintf("\"%s\",\"msg\":\"found uid=%d gid=%d groups=%d "
			  "fds=0123 env=%d caps=0 nnp=1 death=9 root=0",
	    stage_workers[i], id, root ? id : (int)getegid(),
	    root ? 0 : getgroups(0, NULL), i == 0);
	it_ok(stage_await(r, words, 1),
	    "%s has its id, four descriptors, nothing "
	    "else",
	    stage_workers[i]);
}

static void
test_good(void)
{
	/* The second is kubeside's. */
	static const char *const extra[] = { "FLIGHTCTL_AUTH_TOKEN=s3cr3t",
		"KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_UNRELATED=1",
		NULL };
	static const gid_t group = 61099;
	struct stage r = stage_prepare("good");
	AUTO_FREE char *state = xasprintf("%s/state", r.dir), *env = NULL;
	AUTO_FREE char *proc = NULL, *log = NULL;
	struct stat st;
	size_t len = 0;
	int i;

	if (geteuid() == 0 && setgroups(1, &group) == -1)
		it_die("no group can be added");
	stage_start(&r, extra);
	stage_started(&r);
	EACH_WORKER(i)
		look_at_worker(&r, i);
	it_ok(stage_await(&r, "\"flightside\",\"msg\":\"token of 6 bytes\"",
		  1) &&
		stage_lines(&r, "token of") == 1,
	    "flightside is given the token, and nobody else");
	it_ok(stage_await(&r, "\"placer\",\"msg\":\"listener\"", 1) &&
		stage_lines(&r, "\"listener\"") == 1,
	    "placer is given the listener, and nobody else");
	it_ok(stage_lines(&r, "\"flightside\",\"msg\":\"given KUBECONFIG") ==
		    0 &&
		stage_lines(&r, "\"placer\",\"msg\":\"given FLIGHTCTL_API") ==
		    0 &&
		stage_lines(&r, "\"kubeside\",\"msg\":\"given KUBECONFIG") == 1,
	    "settings go where the table says");
	it_ok(stage_await(&r, "linked with placer", 2) &&
		stage_await(&r, "linked with kubeside", 1) &&
		stage_await(&r, "linked with flightside", 1),
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
	stage_stop(&r);
}

static void
test_order_of_stop(void)
{
	struct stage r = stage_prepare("order");
	AUTO_FREE char *log = NULL, *path = xstrdup(r.log);
	const char *p, *f, *k;

	stage_start(&r, NULL);
	stage_started(&r);
	stage_stop(&r);
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
	struct stage r = stage_prepare("deaf");
	AUTO_FREE char *path = xstrdup(r.log), *log = NULL;

	stage_play(&r, "placer", "deaf");
	stage_play(&r, "kubeside", "deaf");
	stage_start(&r, NULL);
	stage_started(&r);
	stage_stop(&r);
	log = it_file(path, NULL);
	it_ok(stage_count(log, "is killed: did not stop in time") == 2,
	    "workers that do not stop are killed in time");
}

/* kill -9 of every set of workers, several times over. */
static void
test_kills(struct stage *r, const char *who)
{
	int mask, i, n, good = 1;

	for (mask = 1; mask < 8; mask++) {
		int before[3];

		EACH_WORKER(i) {
			AUTO_FREE char *words =
			    xasprintf("%s is ready", stage_workers[i]);

			before[i] = stage_lines(r, words);
		}
		EACH_WORKER(i)
			if ((mask >> i & 1) != 0 &&
			    (n = stage_worker(r, stage_workers[i])) > 0)
				kill(n, SIGKILL);
		EACH_WORKER(i) {
			AUTO_FREE char *words =
			    xasprintf("%s is ready", stage_workers[i]);

			n = before[i] + (mask >> i & 1);
			good &= stage_await(r, words, n);
			good &= stage_lines(r, words) == n;
		}
	}
	it_ok(good, "%s: killed workers are started again, others stay", who);
	it_ok(stage_await(r, "ended: signal 9 (Killed), again in ", 12),
	    "%s: the log says who ended and why", who);
}

static void
test_killed_actors(void)
{
	struct stage r = stage_prepare("kills");
	static const char *const extra[] = { "LOG_LEVEL=debug", NULL };
	int links;

	stage_start(&r, extra);
	stage_started(&r);
	stage_await(&r, "linked with ", 4);
	links = stage_lines(&r, "linked with ");
	test_kills(&r, "actors");
	it_ok(stage_await(&r, "linked with ", links + 14),
	    "each new worker is linked again");
	it_ok(stage_await(&r,
		  "\"placer\",\"msg\":\"crew: kubeside ready, 4 restarts, "
		  "ended: signal 9 (Killed)",
		  1) &&
		stage_await(&r, "crew: placer ready, 4 restarts", 1) &&
		stage_lines(&r, "\"kubeside\",\"msg\":\"crew: ") == 0,
	    "the placer, and nobody else, is told of restarts and ends");
	stage_stop(&r);
}

/* The real ones: nobody answers them, so they keep trying, and say so. */
static void
test_real_workers(void)
{
	struct stage r = stage_prepare_real("real");
	AUTO_FREE char *path = xasprintf("%s/kubeconfig", r.dir);
	AUTO_FREE char *setting = xasprintf("KUBECONFIG=%s", path);
	const char *extra[] = { setting, "FLIGHTCTL_AUTH_TOKEN=s3cr3t",
		"LOG_LEVEL=debug", NULL };

	stage_write(path,
	    "apiVersion: v1\n"
	    "kind: Config\n"
	    "current-context: a\n"
	    "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n"
	    "users: [{name: a, user: {token: s3cr3t}}]\n"
	    "contexts: [{name: a, context: {cluster: a, user: a}}]\n");
	stage_start(&r, extra);
	stage_started(&r);
	test_kills(&r, "real workers");
	it_ok(stage_await(&r, "Flightctl does not answer", 1) &&
		stage_await(&r, "the cluster's id is not known yet", 1),
	    "real workers say that nobody answers");
	it_ok(stage_lines(&r, "s3cr3t") == 0, "and no secret");
	stage_stop(&r);
}

/* The placer is one for a while; the others have not noticed. */
static void
test_bad_worker(const char *part, const char *words)
{
	struct stage r = stage_prepare(part);
	int others;

	stage_start(&r, NULL);
	stage_started(&r);
	stage_play(&r, "placer", part);
	kill(stage_worker(&r, "placer"), SIGKILL);
	it_ok(stage_await(&r, words, 1), "%s: %s", part, words);
	stage_play(&r, "placer", "good");
	it_ok(stage_await(&r, "placer is ready", 2), "%s: a good one follows",
	    part);
	others = stage_lines(&r, "kubeside is ready") +
	    stage_lines(&r, "flightside is ready");
	it_ok(others == 2, "%s: the others go on", part);
	stage_stop(&r);
}

static void
test_bad_workers(void)
{
	static const struct {
		const char *part;
		const char *words;
	} rows[] = {
		{ "crash", "placer ended: status 3, again in" },
		{ "foreign",
		    "placer is killed: placer is of a foreign build "
		    "0.0.0-elsewhere" },
		{ "liar", "placer is killed: placer says it is another" },
		{ "garbage",
		    "placer is killed: refused frame of placer: TYPE" },
		{ "giant",
		    "placer is killed: refused frame of placer: SIZE (LOG" },
		{ "forward",
		    "placer is killed: refused frame of placer: "
		    "SENDER (PODS_BEGIN" },
		{ "early",
		    "placer is killed: refused frame of placer: WHEN (READY" },
		{ "badlog", "placer is killed: refused frame of placer: BODY" },
		{ "selfish",
		    "placer is killed: asks for a link that there is not" },
		{ "handsoff",
		    "placer is killed: it closed its link and stays" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_bad_worker(rows[i].part, rows[i].words);
}

/* What the kernel does to a worker that leaves its sandbox. */
static void
test_sandbox_kill(void)
{
	struct stage r = stage_prepare("sigsys");

	stage_start(&r, NULL);
	stage_started(&r);
	kill(stage_worker(&r, "kubeside"), SIGSYS);
	it_ok(stage_await(&r,
		  "kubeside ended: signal 31 (Bad system call), a call its "
		  "sandbox forbids: see the kernel's log, again in 100 ms",
		  1),
	    "a worker that its sandbox ends is named with the reason");
	it_ok(stage_await(&r, "kubeside is ready", 2), "and started again");
	stage_stop(&r);
}

static void
test_flood(void)
{
	struct stage r = stage_prepare("flood");
	int n;

	stage_play(&r, "kubeside", "flood");
	stage_start(&r, NULL);
	stage_started(&r);
	it_ok(stage_await(&r, "log lines left out, more than", 0) &&
		stage_await(&r, "a line of a flood", 1000),
	    "a flood of log lines is written in part");
	stage_stop(&r);
	r.log = xasprintf("%s/flood.log", it_folder());
	n = stage_lines(&r, "a line of a flood");
	it_ok(n < 10000, "and only in part (%d of 20000)", n);
	free(r.log);
}

/* One that is stopped answers nothing: killed after its 30 s. */
static void
scenario(void)
{
	struct stage hung = stage_prepare("hung");
	int64_t deadline = it_ms() + 60000;

	/* Takes its time; meanwhile all else. */
	stage_start(&hung, NULL);
	stage_started(&hung);
	kill(stage_worker(&hung, "flightside"), SIGSTOP);
	test_good();
	test_order_of_stop();
	test_deaf();
	test_killed_actors();
	test_real_workers();
	test_bad_workers();
	test_sandbox_kill();
	test_flood();
	while (
	    stage_lines(&hung, "flightside is ready") < 2 && it_ms() < deadline)
		it_pause(100);
	it_ok(stage_lines(&hung, "flightside did not answer for 30 s") == 1 &&
		stage_lines(&hung, "flightside is ready") == 2,
	    "a worker that does not answer is replaced");
	stage_stop(&hung);
}

int
main(int argc, char *argv[])
{
	(void)argc;
	return stage_main(argv[0], "supervisor", scenario);
}
