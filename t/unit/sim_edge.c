/* SPDX-License-Identifier: ISC */
/*
 * sim_edge.c: what a simulated device does with versions, as recorded from
 * real agents.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/edge.h"

#define INSTALL "\\n[Install]\\nWantedBy=multi-user.target\\n"
#define UNIT(path, more)                                            \
	"{\"path\":\"" path "\",\"content\":\"[Container]\\nImage=" \
	"quay.io/a/b:1\\n" more INSTALL "\"}"
#define POD(more) "{\"path\":\"p.pod\",\"content\":\"[Pod]\\n" more "\"}"
#define APP(name, files) \
	"{\"name\":\"" name "\",\"appType\":\"quadlet\",\"inline\":[" files "]}"
#define WEB APP("web", UNIT("web.container", ""))
#define DB APP("db", UNIT("db.container", ""))
#define SPEC(apps) "{\"applications\":[" apps "]}"

enum {
	APPLY = 1000,
	INTERVAL = 200,
	RESTART = 3000
};

static const struct edge_conf conf = { .apply_ms = APPLY,
	.status_ms = INTERVAL,
	.restart_ms = RESTART,
	.cores = 4,
	.memory_kb = 1024,
	.arch = "arm64" };

static struct now clock_now;
static char told[4096]; /* reasons and versions as they were pushed */

static struct now
at(int64_t ms)
{
	clock_now = (struct now){ 100000 + ms, 1795559447000 + ms };
	return clock_now;
}

static struct edge *
device(void)
{
	struct edge *e = edge_new("edge-1", &conf, at(0));

	edge_settle(e, 1, span_of("{}"), at(0));
	while (edge_step(e, at(0)))
		continue;
	return e;
}

/* Runs until ms, stepping whenever it wants to; tells what was pushed. */
static void
run(struct edge *e, int64_t ms)
{
	struct edge_report r;
	int64_t wake;
	size_t n = 0;

	told[0] = '\0';
	for (;;) {
		while (edge_step(e, clock_now)) {
			edge_report(e, &r);
			n += (size_t)snprintf(told + n, sizeof(told) - n,
			    "%s/%d ", r.updating->reason, (int)r.version);
			cr_assert_lt(n, sizeof(told));
		}
		wake = edge_wake(e) - 100000;
		if (edge_wake(e) == INT64_MAX || wake > ms)
			break;
		if (wake > clock_now.boot_ms - 100000)
			at(wake);
		else
			at(clock_now.boot_ms - 100000 + 1);
	}
	at(ms);
}

static struct edge_report
report(struct edge *e)
{
	struct edge_report r;

	edge_report(e, &r);
	return r;
}

static void
offer(struct edge *e, uint64_t version, const char *spec)
{
	edge_offer(e, version, span_of(spec), clock_now);
}

#define cr_has(text, part) \
	cr_assert_not_null(strstr(text, part), "%s has no %s", text, part)

Test(edge, a_version_is_reported_step_by_step)
{
	struct edge *e = device();

	offer(e, 2, SPEC(WEB));
	run(e, APPLY);
	/* The last step says Updated, and only then the new version. */
	cr_assert_str_eq(told,
	    "Preparing/1 ReadyToUpdate/1 ApplyingUpdate/1 "
	    "Updated/1 Updated/2 ",
	    "%s", told);
	cr_assert_str_eq(report(e).updating->message,
	    "Updated to desired renderedVersion: 2");
	run(e, APPLY * 2);
	cr_assert_str_eq(report(e).applications,
	    "[{\"appType\":\"quadlet\",\"embedded\":false,\"name\":\"web\","
	    "\"ready\":\"1/1\",\"restarts\":0,\"status\":\"Running\"}]");
	cr_assert_str_eq(report(e).summary_status, "Healthy");
	cr_assert(edge_is_settled(e));
	edge_free(e);
}

Test(edge, an_application_that_fails_rolls_the_version_back)
{
	struct edge *e = device();

	offer(e, 2, SPEC(WEB));
	run(e, APPLY * 2);
	edge_fail(e, "d*", EDGE_ROLLBACK, clock_now);
	offer(e, 3, SPEC(WEB "," DB));
	run(e, APPLY * 4);
	cr_assert_str_eq(told, "Preparing/2 RollingBack/2 Error/2 ", "%s",
	    told);
	cr_has(report(e).updating->message,
	    "] While Preparing: prefetch "
	    "failed for quay.io/a/b:1: resource not found");
	cr_has(report(e).applications, "\"web\"");
	cr_assert_null(strstr(report(e).applications, "\"db\""));
	/* The same content again is skipped without a word. */
	offer(e, 4, SPEC(WEB "," DB));
	run(e, APPLY * 6);
	cr_assert_str_eq(told, "");
	/* Other content is taken. */
	offer(e, 5, SPEC(WEB));
	run(e, APPLY * 8);
	cr_assert_eq(report(e).version, 5);
	edge_free(e);
}

Test(edge, an_image_fails_in_whatever_application)
{
	struct edge *e = device();

	edge_fail(e, "*other:1", EDGE_ROLLBACK, clock_now);
	offer(e, 2, SPEC(WEB));
	run(e, APPLY * 2);
	cr_assert_eq(report(e).version, 2);
	edge_fail(e, "*a/b:1", EDGE_ROLLBACK, clock_now);
	offer(e, 3, SPEC(DB));
	run(e, APPLY * 4);
	cr_has(told, "RollingBack/2 Error/2");
	edge_free(e);
}

Test(edge, a_hanging_image_blocks_nothing_written_after_it)
{
	struct edge *e = device();

	edge_fail(e, "web", EDGE_PULL_HANG, clock_now);
	offer(e, 2, SPEC(WEB "," DB));
	run(e, APPLY * 100);
	cr_assert_str_eq(told, "Preparing/1 Preparing/1 ");
	cr_assert_str_eq(report(e).updating->status, "True");
	cr_assert_str_eq(report(e).updating->message,
	    "1/2 images complete, pending: quay.io/a/b:1");
	offer(e, 3, SPEC(DB));
	run(e, APPLY * 102);
	cr_assert_eq(report(e).version, 3);
	edge_free(e);
}

Test(edge, a_hanging_image_that_comes_lets_the_version_go_on)
{
	struct edge *e = device();

	edge_fail(e, "web", EDGE_PULL_HANG, clock_now);
	offer(e, 2, SPEC(WEB));
	run(e, APPLY * 10);
	edge_fail(e, "web", EDGE_OK, clock_now);
	run(e, APPLY * 12);
	cr_assert_eq(report(e).version, 2);
	edge_free(e);
}

/* Each of these the service admits, and the device does not. */
static const char *const refused[] = {
	SPEC(APP("x",
	    "{\"path\":\"x.container\",\"content\":\"[Container]\\n"
	    "Image=quay.io/a/b\\n\"}")),
	SPEC(APP("x", UNIT("x.container", "Memory=1g\\n"))),
	SPEC(APP("x",
	    UNIT("x.container", "Pod=p.pod\\n") "," POD("ExitPolicy=stop\\n"))),
};

Test(edge, what_the_generator_drops_rolls_back)
{
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct edge *e = device();

		offer(e, 2, refused[i]);
		run(e, APPLY * 2);
		cr_assert_eq(report(e).version, 1, "%s", refused[i]);
		cr_has(report(e).updating->message,
		    "While Rebooting: unknown "
		    "failed: an error occurred");
		edge_free(e);
	}
}

static const struct {
	const char *files, *ready;
} counted[] = {
	{ UNIT("a.container", ""), "\"1/1\"" },
	{ UNIT("a.container", "") "," UNIT("b.container", ""), "\"2/2\"" },
	/* The infra container of a pod counts. */
	{ UNIT("a.container",
	      "Pod=p.pod\\n") ","
			      "{\"path\":\"p.pod\",\"content\":\"[Pod]\\n\"}",
	    "\"2/2\"" },
	/* An init container ends, and counts too. */
	{ UNIT("i.container",
	      "Pod=p.pod\\n[Service]\\nType=oneshot\\n") "," UNIT("a.container",
	      "Pod=p.pod\\n") "," UNIT("b.container",
	      "Pod=p.pod\\n") ","
			      "{\"path\":\"p.pod\",\"content\":\"[Pod]\\n\"}",
	    "\"3/4\"" },
};

Test(edge, ready_counts_what_podman_counts)
{
	size_t i;

	for (i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		struct edge *e = device();
		char *spec = xasprintf(SPEC(APP("x", "%s")), counted[i].files);

		offer(e, 2, spec);
		run(e, APPLY * 4);
		cr_assert_eq(report(e).version, 2, "%s: %s", spec,
		    report(e).updating->message);
		cr_has(report(e).applications, counted[i].ready);
		cr_has(report(e).applications, "\"Running\"");
		free(spec);
		edge_free(e);
	}
}

static const struct {
	enum edge_mode mode;
	const char *state, *summary;
} ended[] = {
	{ EDGE_ERROR, "\"ready\":\"0/1\",\"restarts\":0,\"status\":\"Error\"",
	    "Error" },
	{ EDGE_COMPLETED,
	    "\"ready\":\"0/1\",\"restarts\":0,\"status\":\"Completed\"",
	    "Healthy" },
};

Test(edge, a_container_that_ended_does_not_fail_the_version)
{
	size_t i;

	for (i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
		struct edge *e = device();

		edge_fail(e, "*", ended[i].mode, clock_now);
		offer(e, 2, SPEC(WEB));
		run(e, APPLY * 4);
		cr_assert_eq(report(e).version, 2);
		cr_has(report(e).applications, ended[i].state);
		cr_assert_str_eq(report(e).summary_status, ended[i].summary);
		edge_free(e);
	}
}

Test(edge, a_pod_never_ends_because_infra_stays)
{
	struct edge *e = device();

	edge_fail(e, "*", EDGE_COMPLETED, clock_now);
	offer(e, 2,
	    SPEC(APP("x", UNIT("a.container", "Pod=p.pod\\n") "," POD(""))));
	run(e, APPLY * 4);
	cr_has(report(e).applications,
	    "\"ready\":\"1/2\",\"restarts\":0,\"status\":\"Running\"");
	edge_free(e);
}

Test(edge, a_crash_loop_counts_restarts)
{
	struct edge *e = device();

	edge_fail(e, "web", EDGE_CRASHLOOP, clock_now);
	offer(e, 2, SPEC(WEB));
	run(e, 11500);
	cr_assert_null(strstr(report(e).applications, "\"restarts\":0"));
	cr_assert(strstr(report(e).applications, "\"Running\"") != NULL ||
	    strstr(report(e).applications, "\"Error\"") != NULL);
	cr_assert_lt(edge_wake(e), INT64_MAX);
	edge_free(e);
}

Test(edge, only_what_changed_is_started_again)
{
	struct edge *e = device();

	offer(e, 2, SPEC(WEB "," DB));
	run(e, APPLY * 4);
	offer(e, 3,
	    SPEC(APP("web", UNIT("web.container", "Label=a=b\\n")) "," DB));
	run(e, APPLY * 5);
	cr_assert_eq(report(e).version, 3);
	cr_has(report(e).applications, "\"name\":\"db\",\"ready\":\"1/1\"");
	cr_has(report(e).applications, "\"name\":\"web\",\"ready\":\"0/1\"");
	edge_free(e);
}

Test(edge, a_removed_application_is_gone_at_once)
{
	struct edge *e = device();

	offer(e, 2, SPEC(WEB));
	run(e, APPLY * 4);
	offer(e, 3, SPEC(""));
	run(e, APPLY * 5);
	cr_assert_str_eq(report(e).applications, "[]");
	cr_assert_str_eq(report(e).summary_status, "NoApplications");
	edge_free(e);
}

Test(edge, a_restarted_agent_knows_nothing_at_first)
{
	struct edge *e = device();
	int64_t begin = APPLY * 4;

	offer(e, 2, SPEC(WEB));
	run(e, begin);
	edge_agent_restart(e, clock_now);
	run(e, begin + 1);
	cr_assert_str_eq(report(e).applications, "[]");
	cr_assert_str_eq(report(e).updating->message, "");
	run(e, begin + RESTART / 2 + 1);
	cr_has(report(e).applications,
	    "\"ready\":\"0/0\",\"restarts\":0,\"status\":\"Unknown\"");
	cr_assert_str_eq(report(e).summary_info, "Not started: web");
	run(e, begin + RESTART + 1);
	cr_has(report(e).applications, "\"Running\"");
	cr_assert_eq(report(e).version, 2);
	edge_free(e);
}

Test(edge, applications_are_reported_on_the_interval_only)
{
	struct edge *e = device();
	int64_t begin = APPLY * 4 + 37;

	offer(e, 2, SPEC(WEB));
	run(e, begin);
	edge_fail(e, "web", EDGE_ERROR, clock_now);
	cr_assert_eq(edge_step(e, clock_now), 0);
	cr_has(report(e).applications, "\"Running\"");
	cr_assert_leq(edge_wake(e), clock_now.boot_ms + INTERVAL);
	run(e, begin + INTERVAL);
	cr_assert_str_eq(told, "Updated/2 ");
	cr_has(report(e).applications, "\"Error\"");
	edge_free(e);
}

Test(edge, a_device_at_rest_wants_nothing)
{
	struct edge *e = device();

	offer(e, 2, SPEC(WEB));
	run(e, APPLY * 4);
	cr_assert_eq(edge_wake(e), INT64_MAX);
	cr_assert_eq(edge_step(e, at(3600000)), 0);
	edge_free(e);
}

Test(edge, devices_that_apply_at_once_need_no_time)
{
	const struct edge_conf fast = { .arch = "amd64", .cores = 1 };
	struct edge *e = edge_new("edge-1", &fast, at(0));

	edge_settle(e, 1, span_of("{}"), at(0));
	offer(e, 2, SPEC(WEB));
	while (edge_step(e, at(0)))
		continue;
	cr_assert_eq(report(e).version, 2);
	cr_has(report(e).applications, "\"Running\"");
	edge_free(e);
}
