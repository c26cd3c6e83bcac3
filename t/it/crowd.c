/* SPDX-License-Identifier: ISC */
/*
 * crowd.c: clients at work side by side, each a process with connections of
 * its own.
 */
#include "t/it/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/kube.h"
#include "t/it/world.h"

enum {
	CLIENTS = 4,
	PATCHERS = 8,
};

static unsigned int running;

static char *
name_of(const struct pod_conf *conf, unsigned int i)
{
	return xasprintf("%s-%u", conf->app, i);
}

__attribute__((noreturn)) static void
work(const struct pod_conf *conf, unsigned int from, unsigned int to,
    int create)
{
	unsigned int i;

	world_reopen();
	for (i = from; i < to; i += CLIENTS) {
		AUTO_FREE char *name = name_of(conf, i);

		if (create)
			free(pod_create(name, conf));
		else
			pod_delete(name);
	}
	fflush(stdout);
	_exit(0);
}

static void
start(const struct pod_conf *conf, unsigned int from, unsigned int to,
    int create)
{
	unsigned int i;

	fflush(stdout);
	for (i = 0; i < CLIENTS; i++) {
		switch (fork()) {
		case -1:
			it_die("no process for a client");
		case 0:
			work(conf, from + i, to, create);
		default:
			running++;
		}
	}
}

void
crowd_create(const struct pod_conf *conf, unsigned int from, unsigned int to)
{
	start(conf, from, to, 1);
}

void
crowd_delete(const struct pod_conf *conf, unsigned int from, unsigned int to)
{
	start(conf, from, to, 0);
}

void
crowd_end(void)
{
	int status;

	for (; running > 0; running--)
		if (wait(&status) == -1 || status != 0)
			it_die("a client failed");
}

/* Patches its share of the pods over and over; tells how often. */
__attribute__((noreturn)) static void
patch(const struct pod_conf *conf, unsigned int from, unsigned int n, int ms,
    int out)
{
	int64_t until = it_ms() + ms;
	uint32_t done = 0;

	world_reopen();
	while (it_ms() < until) {
		AUTO_FREE char *name = name_of(conf, (from + done) % n);
		AUTO_FREE char *path =
		    xasprintf("%s/%s/status", KUBE_PODS, name);

		if (kube_patch(path, "application/strategic-merge-patch+json",
			js_make("{\"status\":{\"message\":\"%u-%u\"}}", from,
			    done)) != 200)
			_exit(1);
		done++;
	}
	_exit(write(out, &done, sizeof(done)) == sizeof(done) ? 0 : 1);
}

double
crowd_patch_rate(const struct pod_conf *conf, unsigned int n, int ms)
{
	uint32_t done, sum = 0;
	unsigned int i;
	int fds[2];

	if (pipe(fds) == -1)
		it_die("no pipe");
	fflush(stdout);
	for (i = 0; i < PATCHERS; i++) {
		running++;
		if (fork() == 0)
			patch(conf, i * n / PATCHERS, n, ms, fds[1]);
	}
	close(fds[1]);
	while (read(fds[0], &done, sizeof(done)) == sizeof(done))
		sum += done;
	close(fds[0]);
	crowd_end();
	return sum * 1e3 / ms;
}
