/* SPDX-License-Identifier: ISC */
/*
 * rows: each row of common/sandbox.def decides a call of each worker that has
 * it, in a life that has a bit of all that a provider does, looking up names
 * too; who needs it seldom says why (SELDOM).  Calls are seen by ptrace.
 *	ROWS_SAY=1	all rows and how often each decided
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/etc.h"
#include "t/it/http.h"
#include "t/it/hunt.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/sanitized.h"
#include "t/it/vkfctl.h"
#include "t/it/world.h"
#include "t/probe/probe.h"

enum {
	READY_MS = 30000,
	RUN_MS = 30000,
	PODS = 12,
};

static struct hunt_board *board;

/* --- a life, with names, which have threads, files and sockets that numbers
 * have not ---------------------------------------------------------------
 */

static struct provider *
start(void)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *self = xasprintf("/proc/%d/exe", getpid());
	AUTO_FREE char *at_flight = etc_flight(), *at_kube = etc_kube();
	AUTO_FREE char *at_board = NULL;
	AUTO_FREE char *at_etc = xasprintf("HUNT_ETC=%s", it_folder());

	board = hunt_new(&path);
	at_board = xasprintf("HUNT_BOARD=%s", path);
	provider_program(self);
	return provider_start("provider",
	    (const char *const[]){ at_board, at_flight, at_kube, at_etc,
		NULL });
}

/* Whom no name server knows, until the file does. */
static void
look_up(struct provider *p)
{
	provider_expect(p, "resolve");
	it_ok(provider_await_lines(p, "kubeside.*resolve", 1, READY_MS) > 0 &&
		provider_await_lines(p, "flightside.*resolve", 1, READY_MS) > 0,
	    "both key holders ask for a name that is not there yet");
	etc_write("hosts", ETC_LOCAL ETC_NAME "\n");
}

static void
run_pods(void)
{
	int i;

	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = xasprintf("row-%d", i);

		free(pod_create(name, NULL));
	}
	for (i = 0; i < PODS; i++) {
		AUTO_FREE char *name = xasprintf("row-%d", i);

		json_object_put(pod_runs(name, it_ms(), RUN_MS));
	}
}

static void
ask(struct http *h)
{
	struct http_answer a;

	it_ok(http_send(h, "GET", "/metrics", NULL, NULL, &a) == 200,
	    "/metrics answers");
	http_answer_clear(&a);
	vkfctl_says("provider", (const char *[]){ "devices", NULL }, 0,
	    "\"rows-0\"");
}

/* --- what decided ---------------------------------------------------------
 */

static int
is_needed(enum proc p, int row, uint32_t times)
{
	const char *why = row_reason(row, p);

	if (getenv("ROWS_SAY") != NULL)
		it_say("%s: row %d, %s: %u%s%s", proc_name(p), row,
		    row_name(row), times, why == NULL ? "" : "; ",
		    why == NULL ? "" : why);
	if (times > 0 || why != NULL || row_is_guard(row))
		return 1;
	it_say("%s: row %d, %s: no call, and no SELDOM says why", proc_name(p),
	    row, row_name(row));
	return 0;
}

static void
judge_worker(enum proc p)
{
	const uint32_t *times = board->rows[hunt_prey(proc_name(p))];
	int i, n = 0, met = 0, needed = 0, misplaced = 0;

	for (i = 0; i < rows_count(); i++) {
		if (!row_is_of(i, p)) {
			misplaced += row_reason(i, p) != NULL;
			continue;
		}
		n++;
		met += times[i] > 0;
		needed += is_needed(p, i, times[i]);
	}
	it_ok(n > 0 && met * 4 > n && needed == n && misplaced == 0,
	    "%s: of its %d rows %d decided a call, the others have a reason",
	    proc_name(p), n, met);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	struct provider *p;
	struct http *h;
	enum proc who;

	world_open(&(struct world_conf){ .devices = 2 });
	etc_write("hosts", ETC_LOCAL "\n");
	etc_write("resolv.conf", "nameserver 127.0.0.1\n");
	p = start();
	look_up(p);
	h = provider_listener(p, READY_MS);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	run_pods();
	ask(h);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	for (who = PROC_SUPERVISOR + 1; who < PROC_COUNT; who++)
		judge_worker(who);
}

int
main(void)
{
	const char *path = getenv("HUNT_BOARD");
	char *program;

	if (path != NULL) {
		path = xstrdup(path);
		unsetenv("HUNT_BOARD");
		etc_set_apart(getenv("HUNT_ETC"), 0);
		unsetenv("HUNT_ETC");
		program = child_program("vk-flightctl-provider");
		return hunt(path, (char *[]){ program, NULL });
	}
	if (SANITIZED || !hunt_can() || !etc_can_set_apart()) {
		puts("skipped: a build without sandbox, or no process may be "
		     "traced, no file mounted here\n"
		     "0 passed, 0 failed, 1 skipped");
		return 0;
	}
	return it_run("rows", scenario);
}
