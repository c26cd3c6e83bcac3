/* SPDX-License-Identifier: ISC */
/*
 * journal: started with standard error in the journal, all lines are in a real
 * systemd-journald with their fields, and on standard error while there is
 * none.  Both have a /run and a /var/log of their own.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "supervisor/journal.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/stage.h"

#define JOURNALD "/lib/systemd/systemd-journald"
#define JOURNALCTL "/usr/bin/journalctl"

enum {
	WAIT_MS = 10000,
	POLL_MS = 50,
};

static int
has_rooms(void)
{
	return access(JOURNALD, X_OK) == 0 && access(JOURNALCTL, X_OK) == 0 &&
	    unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) == 0 &&
	    mount("tmpfs", "/var/log", "tmpfs", 0, NULL) == 0 &&
	    mkdir("/run/systemd", 0755) == 0;
}

static pid_t
start_journald(void)
{
	AUTO_FREE char *log = xasprintf("%s/journald.log", it_folder());
	int64_t deadline = it_ms() + WAIT_MS;
	pid_t pid;

	(void)unlink(JOURNAL_SOCKET);
	pid = child_start((const char *[]){ JOURNALD, NULL }, NULL, log);
	while (access(JOURNAL_SOCKET, W_OK) == -1) {
		if (it_ms() > deadline)
			it_die("%s does not start", JOURNALD);
		it_pause(POLL_MS);
	}
	return pid;
}

/* An entry of what the matches choose has the words, as JSON, soon. */
static int
is_in_journal(const char *match, const char *match2, const char *words)
{
	const char *argv[] = { JOURNALCTL, "-q", "-D", "/run/log/journal", "-o",
		"json", match, match2, NULL };
	int64_t deadline = it_ms() + WAIT_MS;

	do {
		AUTO_FREE char *out = NULL;

		if (child_run(argv, &out) == 0 && strstr(out, words) != NULL)
			return 1;
		it_pause(POLL_MS);
	} while (it_ms() < deadline);
	return 0;
}

/* JOURNAL_STREAM, as systemd gives it to a service with such an error. */
static char *
stream_of(const char *path)
{
	struct stat st;

	stage_write(path, "");
	if (stat(path, &st) == -1)
		it_die("%s: cannot be read", path);
	return xasprintf("JOURNAL_STREAM=%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
}

static void
started_without_one(void)
{
	struct stage r = stage_prepare("without");

	stage_start(&r, (const char *[]){ "LOG_FORMAT=journal", NULL });
	stage_started(&r);
	it_ok(stage_lines(&r,
		  "\"msg\":\"no journal at " JOURNAL_SOCKET
		  ": lines are JSON on standard error until there is one\","
		  "\"operation\":\"start\","
		  "\"error\":\"No such file or directory\"") == 1,
	    "that there is no journal is said");
	stage_stop(&r);
}

static void
scenario(void)
{
	AUTO_FREE char *stream = NULL;
	struct stage r;
	pid_t journald;

	if (!has_rooms()) {
		it_skip("no systemd-journald can be started: it wants root, "
			"mount(2), " JOURNALD " and " JOURNALCTL);
		return;
	}
	started_without_one();
	r = stage_prepare("journal");
	journald = start_journald();
	stream = stream_of(r.log);
	stage_start(&r, (const char *[]){ stream, NULL });
	it_ok(is_in_journal("PROCESS=supervisor", "PRIORITY=6",
		  "\"supervisor: all workers are ready\""),
	    "the supervisor's lines are in the journal");
	it_ok(is_in_journal("PROCESS=placer",
		  "SYSLOG_IDENTIFIER=vk-flightctl-provider",
		  "\"placer: linked with kubeside\""),
	    "and a worker's, found by their fields");
	kill(r.pid, SIGUSR1);
	it_ok(is_in_journal("OPERATION=log", "_COMM=vk-flightctl-pr",
		  "LOG_LEVEL=debug by SIGUSR1"),
	    "an operation is a field");
	it_ok(stage_lines(&r, "\n") == 0, "nothing is on standard error");
	child_end(journald);
	kill(r.pid, SIGUSR2);
	it_ok(stage_await(&r, "\"msg\":\"LOG_LEVEL=info by SIGUSR2", 1),
	    "without a journal lines are on standard error, as JSON");
	journald = start_journald();
	kill(r.pid, SIGUSR1);
	kill(r.pid, SIGUSR2);
	it_ok(is_in_journal("OPERATION=log", "PRIORITY=6",
		  "LOG_LEVEL=info by SIGUSR2"),
	    "one that comes anew has them again");
	stage_stop(&r);
	child_end(journald);
}

int
main(int argc, char *argv[])
{
	(void)argc;
	return stage_main(argv[0], "journal", scenario);
}
