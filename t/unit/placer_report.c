/* SPDX-License-Identifier: ISC */
/*
 * What a pod is said to be: what must hold of the table whatever rows it has,
 * over every combination of facts; then one pod for each row, from what its
 * device reports to what kubectl shows.
 */
#include "placer/report.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "placer/deadline.h"
#include "placer/podstatus.h"

#define ROWS 18
#define NOW INT64_C(1795419780000) /* 2026-11-23T07:43:00Z */
#define EARLIER INT64_C(1795419774000)

struct each {
	struct report_facts f;
	struct report_verdict v;
};

static struct each
    all[REPORT_NSTAGES * REPORT_NWORDS * REPORT_NPOLICIES * REPORT_NBEFORES];

static void
fill(void)
{
	size_t i, n;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		n = i;
		all[i].f.stage = 1u << n % REPORT_NSTAGES;
		n /= REPORT_NSTAGES;
		all[i].f.says = 1u << n % REPORT_NWORDS;
		n /= REPORT_NWORDS;
		all[i].f.policy = 1u << n % REPORT_NPOLICIES;
		all[i].f.before = 1u << n / REPORT_NPOLICIES;
		all[i].v = report_decide(&all[i].f);
	}
}

TestSuite(report, .init = fill);

#define FOR_EACH(x) \
	for (struct each *x = all; x < all + sizeof(all) / sizeof(all[0]); x++)

Test(report, every_combination_meets_a_row_and_every_row_is_met)
{
	unsigned int met = 0;

	FOR_EACH(x)
	{
		cr_expect(x->v.rule >= 1 && x->v.rule <= ROWS);
		met |= 1u << x->v.rule;
	}
	cr_expect_eq(met, (1u << (ROWS + 1)) - 2, "%x", met);
}

Test(report, a_last_phase_is_left_by_nobody)
{
	FOR_EACH(x)
	{
		if (x->f.before == TOLD_FAILED)
			cr_expect_eq(x->v.phase, PHASE_FAILED);
		if (x->f.before == TOLD_SUCCEEDED)
			cr_expect_eq(x->v.phase, PHASE_SUCCEEDED);
	}
}

Test(report, no_report_alone_ends_a_pod)
{
	FOR_EACH(x)
	if (x->v.phase == PHASE_FAILED || x->v.phase == PHASE_SUCCEEDED)
		cr_expect((x->f.stage & (HOPELESS | OUT_OF_TIME | FINISHED)) ||
			(x->f.before & (TOLD_FAILED | TOLD_SUCCEEDED)),
		    "row %u", x->v.rule);
}

Test(report, ready_is_only_what_says_so)
{
	FOR_EACH(x)
	{
		if (x->v.ready == READY_YES)
			cr_expect(x->f.says == SAYS_READY &&
				x->v.phase == PHASE_RUNNING &&
				x->v.shape == SHAPE_RUNS,
			    "row %u", x->v.rule);
		if (x->v.ready == READY_AS_TOLD)
			cr_expect((x->f.says & (SAYS_NOTHING | SAYS_UNKNOWN)) &&
				x->f.stage == IN_PLACE,
			    "row %u", x->v.rule);
	}
}

Test(report, what_has_not_run_is_not_said_to_have)
{
	FOR_EACH(x)
	if (x->f.before & (NOT_BEGUN | NEVER_RAN))
		cr_expect(x->v.phase != PHASE_RUNNING &&
			x->v.shape != SHAPE_RUNS,
		    "row %u", x->v.rule);
}

Test(report, what_has_run_never_goes_back_to_pending)
{
	FOR_EACH(x)
	if (x->f.before == HAS_RUN)
		cr_expect_neq(x->v.phase, PHASE_PENDING, "row %u", x->v.rule);
}

Test(report, what_starts_again_is_said_to_wait)
{
	FOR_EACH(x)
	{
		if (x->v.shape == SHAPE_FAILS)
			cr_expect(x->f.says == SAYS_ERROR &&
			    x->f.policy != RESTARTS_NEVER);
		if (x->v.shape == SHAPE_ENDS)
			cr_expect(x->f.says == SAYS_COMPLETED &&
			    x->f.policy == RESTARTS_ALWAYS);
	}
}

/* Nothing of the device's is lost, nor is it made up. */
Test(report, silence_is_called_so_only_where_there_is_silence)
{
	FOR_EACH(x)
	if (x->v.ready == READY_UNREPORTED)
		cr_expect(x->f.says == LONG_SILENCE && x->f.stage == IN_PLACE);
	else if (x->f.says == LONG_SILENCE && x->f.stage == IN_PLACE)
		cr_expect(x->f.before & (TOLD_FAILED | TOLD_SUCCEEDED));
}

enum {
	NONE = APP_STATE_COUNT
};

/* One pod: what is known of it, and then what is said. */
struct example {
	unsigned int rule;
	enum life_state life;
	int says; /* enum app_state, or NONE */
	int ready, of;
	enum restart_policy policy;
	enum pod_phase told;
	int flags;
	enum pod_phase phase;
	enum truth is_ready;
	const char *why;     /* the pod's reason, or "" */
	const char *unready; /* reason of the condition Ready, or "" */
	const char *state;   /* of its container, or "": it has no status */
	const char *reason;  /* likewise */
	const char *was_why; /* lastState.terminated.reason, or "" */
};

enum {
	IS_APPLIED = 1,
	SILENT_LONG = 2,
	HOPELESS_POD = 4,
	INIT_FIRST = 8, /* it has an init container */
	WAS_READY = 16
};

#define A RESTART_ALWAYS
#define F RESTART_ON_FAILURE
#define N RESTART_NEVER
#define P(x) PHASE_##x
#define C "ContainersNotReady"
#define CREATING "waiting", "ContainerCreating", ""
#define CRASHES(last) "waiting", "CrashLoopBackOff", last
#define RUNS "running", "", ""

static const struct example examples[] = {
	{ 1, RUNNING, APP_RUNNING, 1, 1, N, P(FAILED), IS_APPLIED, P(FAILED),
	    TRUTH_FALSE, "", "PodFailed", "terminated", "Error", "" },
	{ 1, WAITING, NONE, 0, 0, A, P(FAILED), HOPELESS_POD, P(FAILED),
	    TRUTH_FALSE, "", "PodFailed", "terminated", "Error", "" },
	{ 2, LOST, APP_ERROR, 0, 1, N, P(SUCCEEDED), IS_APPLIED, P(SUCCEEDED),
	    TRUTH_FALSE, "", "PodCompleted", "terminated", "Completed", "" },
	{ 3, WAITING, NONE, 0, 0, A, P(PENDING), HOPELESS_POD, P(FAILED),
	    TRUTH_FALSE, "", "PodFailed", "", "", "" },
	{ 4, TIMED_OUT, NONE, 0, 0, A, P(RUNNING), 0, P(FAILED), TRUTH_FALSE,
	    DEADLINE_REASON, "PodFailed", "terminated", "Error", "" },
	{ 5, TIMED_OUT, NONE, 0, 0, A, P(PENDING), 0, P(FAILED), TRUTH_FALSE,
	    DEADLINE_REASON, "PodFailed", CREATING },
	{ 6, DONE, APP_COMPLETED, 0, 1, N, P(RUNNING), IS_APPLIED, P(SUCCEEDED),
	    TRUTH_FALSE, "", "PodCompleted", "terminated", "Completed", "" },
	{ 7, DONE, APP_ERROR, 0, 1, N, P(RUNNING), IS_APPLIED, P(FAILED),
	    TRUTH_FALSE, "", "PodFailed", "terminated", "Error", "" },
	{ 8, DONE, APP_UNKNOWN, 0, 0, F, P(RUNNING), IS_APPLIED, P(SUCCEEDED),
	    TRUTH_FALSE, "", "PodCompleted", "terminated", "Completed", "" },
	/* taken off its device; which phase it had is not undone */
	{ 9, WAITING, NONE, 0, 0, A, P(RUNNING), 0, P(RUNNING), TRUTH_FALSE, "",
	    C, CREATING },
	/* no container could be created, says the device's journal alone */
	{ 10, RUNNING, APP_UNKNOWN, 0, 0, A, P(PENDING),
	    IS_APPLIED | SILENT_LONG, P(PENDING), TRUTH_FALSE,
	    "StatusNotReported", "StatusNotReported", CREATING },
	{ 10, RUNNING, NONE, 0, 0, A, P(NONE), IS_APPLIED | SILENT_LONG,
	    P(PENDING), TRUTH_FALSE, "StatusNotReported", "StatusNotReported",
	    CREATING },
	{ 11, RUNNING, APP_UNKNOWN, 0, 0, A, P(PENDING), IS_APPLIED, P(PENDING),
	    TRUTH_FALSE, "", C, CREATING },
	{ 11, RUNNING, NONE, 0, 0, A, P(PENDING), IS_APPLIED, P(PENDING),
	    TRUTH_FALSE, "", C, CREATING },
	{ 11, RUNNING, APP_PREPARING, 0, 1, A, P(PENDING), IS_APPLIED,
	    P(PENDING), TRUTH_FALSE, "", C, CREATING },
	{ 11, STARTING, APP_STARTING, 0, 1, A, P(PENDING), IS_APPLIED,
	    P(PENDING), TRUTH_FALSE, "", C, CREATING },
	/* may be of what had this name before it */
	{ 11, WAITING, NONE, 0, 0, A, P(PENDING), 0, P(PENDING), TRUTH_FALSE,
	    "", C, CREATING },
	{ 11, STARTING, APP_ERROR, 0, 1, A, P(PENDING), 0, P(PENDING),
	    TRUTH_FALSE, "", C, CREATING },
	{ 11, RUNNING, APP_RUNNING, 2, 2, A, P(PENDING),
	    IS_APPLIED | INIT_FIRST, P(PENDING), TRUTH_FALSE, "", C, "waiting",
	    "PodInitializing", "" },
	{ 11, LOST, NONE, 0, 0, A, P(PENDING), IS_APPLIED, P(PENDING),
	    TRUTH_FALSE, "DeviceDisconnected", "DeviceDisconnected", CREATING },
	{ 12, SENDING, NONE, 0, 0, A, P(RUNNING), 0, P(RUNNING), TRUTH_FALSE,
	    "", C, CREATING },
	{ 13, RUNNING, APP_RUNNING, 1, 1, A, P(PENDING), IS_APPLIED, P(RUNNING),
	    TRUTH_TRUE, "", "", RUNS },
	{ 13, STARTING, APP_RUNNING, 1, 1, A, P(PENDING), 0, P(RUNNING),
	    TRUTH_TRUE, "", "", RUNS },
	{ 13, LOST, APP_RUNNING, 1, 1, A, P(RUNNING), IS_APPLIED, P(UNKNOWN),
	    TRUTH_UNKNOWN, "DeviceDisconnected", "DeviceDisconnected", RUNS },
	{ 13, EVICTING, APP_RUNNING, 1, 1, A, P(UNKNOWN), IS_APPLIED,
	    P(UNKNOWN), TRUTH_UNKNOWN, "DeviceTimeoutExceeded",
	    "DeviceTimeoutExceeded", RUNS },
	{ 13, HELD, APP_RUNNING, 1, 1, A, P(RUNNING), IS_APPLIED, P(RUNNING),
	    TRUTH_UNKNOWN, "", "DeviceFrozen", RUNS },
	{ 14, RUNNING, APP_ERROR, 0, 1, A, P(RUNNING), IS_APPLIED, P(RUNNING),
	    TRUTH_FALSE, "", C, CRASHES("Error") },
	{ 14, RUNNING, APP_ERROR, 0, 1, F, P(PENDING), IS_APPLIED, P(RUNNING),
	    TRUTH_FALSE, "", C, CRASHES("Error") },
	{ 15, RUNNING, APP_COMPLETED, 0, 1, A, P(RUNNING), IS_APPLIED,
	    P(RUNNING), TRUTH_FALSE, "", C, CRASHES("Completed") },
	{ 16, RUNNING, APP_UNKNOWN, 0, 0, A, P(RUNNING), IS_APPLIED | WAS_READY,
	    P(RUNNING), TRUTH_TRUE, "", "", RUNS },
	{ 16, RUNNING, NONE, 0, 0, A, P(RUNNING), IS_APPLIED | WAS_READY,
	    P(RUNNING), TRUTH_TRUE, "", "", RUNS },
	{ 16, RUNNING, NONE, 0, 0, A, P(RUNNING), IS_APPLIED, P(RUNNING),
	    TRUTH_FALSE, "", C, RUNS },
	{ 17, RUNNING, NONE, 0, 0, A, P(RUNNING),
	    IS_APPLIED | SILENT_LONG | WAS_READY, P(RUNNING), TRUTH_FALSE,
	    "StatusNotReported", "StatusNotReported", RUNS },
	{ 17, RUNNING, APP_UNKNOWN, 0, 0, A, P(RUNNING),
	    IS_APPLIED | SILENT_LONG | WAS_READY, P(RUNNING), TRUTH_FALSE,
	    "StatusNotReported", "StatusNotReported", RUNS },
	/* one read proves no end */
	{ 18, RUNNING, APP_ERROR, 0, 1, N, P(RUNNING), IS_APPLIED, P(RUNNING),
	    TRUTH_FALSE, "", C, RUNS },
	{ 18, RUNNING, APP_COMPLETED, 0, 1, F, P(RUNNING), IS_APPLIED,
	    P(RUNNING), TRUTH_FALSE, "", C, RUNS },
	{ 18, RUNNING, APP_RUNNING, 0, 0, A, P(RUNNING), IS_APPLIED, P(RUNNING),
	    TRUTH_FALSE, "", C, RUNS },
	{ 18, RUNNING, APP_PREPARING, 0, 1, A, P(RUNNING),
	    IS_APPLIED | WAS_READY, P(RUNNING), TRUTH_FALSE, "", C, RUNS },
	{ 18, RUNNING, APP_STOPPED, 0, 1, A, P(RUNNING), IS_APPLIED, P(RUNNING),
	    TRUTH_FALSE, "", C, RUNS },
	{ 18, RUNNING, APP_STOPPING, 0, 1, A, P(RUNNING), IS_APPLIED,
	    P(RUNNING), TRUTH_FALSE, "", C, RUNS },
	/* it is not known whether the new images are ready */
	{ 18, REPLACING, NONE, 0, 0, A, P(RUNNING), IS_APPLIED | WAS_READY,
	    P(RUNNING), TRUTH_FALSE, "", C, RUNS },
	{ 18, LOST, APP_UNKNOWN, 0, 0, A, P(RUNNING), IS_APPLIED | SILENT_LONG,
	    P(UNKNOWN), TRUTH_UNKNOWN, "DeviceDisconnected",
	    "DeviceDisconnected", RUNS },
};

static struct json_object *
at(struct json_object *j, const char *a, const char *b)
{
	return jread_member(jread_member(j, a), b);
}

static const char *
text(struct json_object *j, const char *key)
{
	const char *s = jread_string(jread_member(j, key));

	return s == NULL ? "" : s;
}

static struct json_object *
ready_of(struct json_object *status)
{
	struct json_object *list = jread_member(status, "conditions");
	size_t i = 0;

	while (strcmp(text(jread_item(list, i), "type"), "Ready") != 0)
		i++;
	return jread_item(list, i);
}

/* The one member of a container's state: its name and its reason. */
static void
check_container(const struct example *e, struct json_object *c, size_t i)
{
	struct json_object *v = NULL;
	struct lh_entry *it = NULL;
	const char *key = "";

	if (c != NULL)
		jread_next(jread_member(c, "state"), &it, &key, &v);
	cr_expect_str_eq(key, e->state, "%zu", i);
	cr_expect_str_eq(text(v, "reason"), e->reason, "%zu", i);
	cr_expect_str_eq(text(at(c, "lastState", "terminated"), "reason"),
	    e->was_why, "%zu", i);
	if (strcmp(key, "terminated") != 0)
		return;
	/* the device reports no exit code, and that is said */
	cr_expect_eq(json_object_get_int(jread_member(v, "exitCode")),
	    strcmp(e->reason, "Error") == 0, "%zu", i);
	cr_expect_str_eq(text(v, "message"),
	    strcmp(e->reason, "Error") == 0 ?
		"exit code not reported by the device" :
		"",
	    "%zu", i);
}

static void
say(const struct example *e, struct podstatus *out)
{
	static char name[] = "c", image[] = "nginx";
	struct pod_container containers[] = {
		{ .name = name,
		    .image = image,
		    .init = (e->flags & INIT_FIRST) != 0 },
		{ .name = name, .image = image }
	};
	struct app_report r = { NULL, (enum app_state)e->says,
		(uint16_t)e->ready, (uint16_t)e->of, 0 };
	struct pod pod = { .containers = containers,
		.ncontainers = e->flags & INIT_FIRST ? 2 : 1,
		.restart = e->policy,
		.seen = { .phase = e->told } };
	struct podstatus_in in = { .pod = &pod,
		.state = e->life,
		.report = e->says == NONE ? NULL : &r,
		.applied = (e->flags & IS_APPLIED) != 0,
		.unreported = (e->flags & SILENT_LONG) != 0,
		.final_failed = (e->flags & HOPELESS_POD) != 0,
		.running_ms = e->told == PHASE_RUNNING ? EARLIER : 0,
		.now = { 0, NOW } };

	pod.seen.cond[COND_READY].status =
	    e->flags & WAS_READY ? TRUTH_TRUE : TRUTH_FALSE;
	podstatus_make(&in, out);
}

static void
check(const struct example *e, size_t i)
{
	struct podstatus s;
	AUTO_JSON struct json_object *j = NULL;

	say(e, &s);
	j = jread_parse(span_of(s.json), NULL);
	cr_expect_eq(s.rule, e->rule, "%zu: row %u, not %u", i, s.rule,
	    e->rule);
	cr_expect_str_eq(text(j, "phase"), pod_phase_name(e->phase), "%zu", i);
	cr_expect_eq(s.ready, e->is_ready, "%zu", i);
	cr_expect_str_eq(text(j, "reason"), e->why, "%zu", i);
	cr_expect_str_eq(text(ready_of(j), "reason"), e->unready, "%zu", i);
	check_container(e, jread_item(jread_member(j, "containerStatuses"), 0),
	    i);
	podstatus_clear(&s);
}

Test(report, each_row_has_a_pod)
{
	unsigned int met = 0;
	size_t i;

	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		check(&examples[i], i);
		met |= 1u << examples[i].rule;
	}
	cr_expect_eq(met, (1u << (ROWS + 1)) - 2, "%x", met);
}
