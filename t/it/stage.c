/* SPDX-License-Identifier: ISC */
/*
 * stage.c: a supervisor with workers that play parts.
 *
 * Owns a folder for each run, with a copy of the supervisor and, under the
 * names of the workers, copies of the test program itself.
 */
#include "t/it/stage.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/actor.h"
#include "t/it/child.h"
#include "t/it/it.h"

enum {
	WAIT_MS = 10000,
	STOP_MS = 5500, /* it promises 5 s */
	ENV_MAX = 16,
};

const char *const stage_workers[STAGE_WORKERS] = { "kubeside", "flightside",
	"placer" };

int
stage_count(const char *text, const char *words)
{
	int n = 0;

	while ((text = strstr(text, words)) != NULL) {
		n++;
		text += strlen(words);
	}
	return n;
}

int
stage_lines(const struct stage *r, const char *words)
{
	AUTO_FREE char *log = it_file(r->log, NULL);

	return log == NULL ? 0 : stage_count(log, words);
}

/* Until the words were logged n times. */
int
stage_await(const struct stage *r, const char *words, int n)
{
	int64_t deadline = it_ms() + WAIT_MS;

	while (stage_lines(r, words) < n) {
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

static struct stage
prepare(const char *name, int real)
{
	AUTO_FREE char *from = child_program(PROGRAM), *to = NULL;
	AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
	struct stage r = { 0 };
	int i;

	r.dir = xasprintf("%s/%s", it_folder(), name);
	r.log = xasprintf("%s.log", r.dir);
	if (mkdir(r.dir, 0755) == -1)
		it_die("%s: cannot be made", r.dir);
	to = xasprintf("%s/" PROGRAM, r.dir);
	copy_program(from, to);
	EACH_WORKER(i) {
		AUTO_FREE char *worker = child_program(stage_workers[i]);
		AUTO_FREE char *path =
		    xasprintf("%s/%s", r.dir, stage_workers[i]);

		copy_program(real ? worker : self, path);
	}
	return r;
}

struct stage
stage_prepare(const char *name)
{
	return prepare(name, 0);
}

struct stage
stage_prepare_real(const char *name)
{
	return prepare(name, 1);
}

void
stage_write(const char *path, const char *text)
{
	AUTO_FD int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		it_die("%s: cannot be written", path);
}

void
stage_play(const struct stage *r, const char *worker, const char *part)
{
	AUTO_FREE char *path = xasprintf("%s/part.%s", r->dir, worker);

	stage_write(path, part);
}

/* The settings that every run has; of two, the last holds. */
void
stage_launch(struct stage *r, const char *const argv[],
    const char *const *extra)
{
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s/state", r->dir);
	char fixed[5][64] = { "FLIGHTCTL_API_URL=https://127.0.0.1:1",
		"CONTROL_SOCKET=", "PING_SOCKET=", "LISTEN=127.0.0.1:0",
		"PATH=/usr/bin:/bin" };
	char *env[ENV_MAX] = { 0 };
	size_t n = 0, i;

	for (i = 0; i < 5; i++)
		env[n++] = fixed[i];
	env[n++] = state;
	for (i = 0; extra != NULL && extra[i] != NULL && n < ENV_MAX - 1; i++)
		env[n++] = xstrdup(extra[i]);
	r->pid = child_start(argv, env, r->log);
}

void
stage_start(struct stage *r, const char *const *extra)
{
	AUTO_FREE char *program = xasprintf("%s/" PROGRAM, r->dir);

	stage_launch(r, (const char *[]){ program, NULL }, extra);
}

void
stage_started(const struct stage *r)
{
	if (!stage_await(r, "all workers are ready", 1))
		it_die("%s: the workers are not ready", r->log);
}

pid_t
stage_worker(const struct stage *r, const char *name)
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

void
stage_stop(struct stage *r)
{
	int status;

	kill(r->pid, SIGTERM);
	status = child_wait(r->pid, STOP_MS);
	it_ok(status == 0, "SIGTERM ends it within 5 s (status %d)", status);
	free(r->dir);
	free(r->log);
}

int
stage_main(const char *argv0, const char *name, void (*scenario)(void))
{
	const char *slash = strrchr(argv0, '/');
	const char *self = slash == NULL ? argv0 : slash + 1;
	int i;

	for (i = 0; i < STAGE_WORKERS; i++)
		if (strcmp(self, stage_workers[i]) == 0)
			return actor_main(self);
	return it_run(name, scenario);
}
