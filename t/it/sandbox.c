/* SPDX-License-Identifier: ISC */
/*
 * sandbox: what a worker could do that was taken over, tried from inside each
 * as it is shipped (t/probe), by root and by an ordinary user.  Each layer and
 * each row of common/sandbox.def that lets more through is noticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/sandbox_stage.h"
#include "t/it/sanitized.h"

enum {
	ORDINARY = 61009,
};

/* Lines of a report that begin so: how many; those that end so are not. */
static int
lines(const char *report, const char *begin, const char *end, int show)
{
	size_t len, nb = strlen(begin), ne = end == NULL ? 0 : strlen(end);
	const char *p, *eol;
	int n = 0;

	for (p = report; (eol = strchr(p, '\n')) != NULL; p = eol + 1) {
		len = (size_t)(eol - p);
		if (len < nb || strncmp(p, begin, nb) != 0 ||
		    (end != NULL &&
			(len < ne || strncmp(eol - ne, end, ne) != 0)))
			continue;
		n++;
		if (show)
			it_say("%.*s", (int)len, p);
	}
	return n;
}

static void
judge_probes(const char *who, int worker, const char *report)
{
	(void)lines(report, "hole ", NULL, 1);
	it_ok(lines(report, "sealed: ", " 0 holes", 1) == 1 &&
		lines(report, "under: ", " 0 holes", 1) == 1,
	    "%s, %s: nothing gets out", who, stage_workers[worker]);
}

static void
judge_mutants(int worker, const char *report)
{
	const char *name = stage_workers[worker];
	int n = lines(report, "row ", NULL, 0);

	it_ok(lines(report, "abi ", NULL, 0) ==
		lines(report, "abi ", " 0 holes", 0),
	    "%s: nor with an older Landlock (%d)", name,
	    lines(report, "abi ", " 0 holes", 0));
	(void)lines(report, "without ", NULL, 1);
	(void)lines(report, "row ", " not noticed", 1);
	it_ok(n > 20 && lines(report, "row ", " not noticed", 0) == 0,
	    "%s: each of %d rows that lets more through is noticed", name, n);
}

static void
scenario(void)
{
	struct probed p;
	int i;

	if (SANITIZED) {
		it_skip("this build closes no sandbox");
		return;
	}
	p = probed_start(&(struct probed_conf){ .name = "whole" });
	EACH_WORKER(i) {
		AUTO_FREE char *report = probed_report(&p, i);

		judge_probes("as we are", i, report);
		judge_mutants(i, report);
	}
	stage_started(&p.stage);
	probed_stop(&p);
}

int
main(void)
{
	return it_run("sandbox", scenario);
}
