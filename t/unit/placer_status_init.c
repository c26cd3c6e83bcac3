/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <string.h>

#include "common/jread.h"
#include "placer/podstatus.h"
#include "placer/seen.h"

#define NOW 1763884980000 /* wall, ms */

/*
 * One init container, a sidecar, one container: what the counts of a report
 * say of each, as "kubectl get pod" would show it.
 */
static const struct {
	enum app_state state;
	uint16_t ready, of;
	uint32_t restarts;
	enum pod_phase phase;
	enum truth initialized, is_ready;
	const char *first, *second, *main; /* states */
	const char *word;		   /* the first's reason, waiting */
} inits[] = {
	{ APP_UNKNOWN, 0, 0, 0, PHASE_PENDING, TRUTH_FALSE, TRUTH_FALSE,
	    "waiting", "waiting", "waiting", "PodInitializing" },
	{ APP_PREPARING, 0, 1, 0, PHASE_PENDING, TRUTH_FALSE, TRUTH_FALSE,
	    "waiting", "waiting", "waiting", "PodInitializing" },
	{ APP_RUNNING, 2, 2, 0, PHASE_PENDING, TRUTH_FALSE, TRUTH_FALSE,
	    "running", "waiting", "waiting", "" },
	{ APP_RUNNING, 1, 2, 3, PHASE_PENDING, TRUTH_FALSE, TRUTH_FALSE,
	    "waiting", "waiting", "waiting", "CrashLoopBackOff" },
	{ APP_RUNNING, 2, 3, 0, PHASE_PENDING, TRUTH_FALSE, TRUTH_FALSE,
	    "terminated", "running", "waiting", "" },
	{ APP_RUNNING, 3, 4, 0, PHASE_RUNNING, TRUTH_TRUE, TRUTH_TRUE,
	    "terminated", "running", "running", "" },
	{ APP_RUNNING, 2, 4, 0, PHASE_RUNNING, TRUTH_TRUE, TRUTH_FALSE,
	    "terminated", "running", "running", "" },
};

/* The one member of a container's state; its reason when it waits, or "". */
static const char *
state_of(struct json_object *status, const char *list, size_t i,
    const char **reason)
{
	struct json_object *c = jread_item(jread_member(status, list), i), *v;
	struct lh_entry *e = NULL;
	const char *key;

	cr_assert(jread_next(jread_member(c, "state"), &e, &key, &v));
	*reason = strcmp(key, "waiting") == 0 ?
	    jread_string(jread_member(v, "reason")) :
	    "";
	return key;
}

static enum truth
initialized(const struct pod_seen *seen)
{
	return seen->cond[COND_INITIALIZED].status;
}

Test(status_init, what_a_report_means)
{
	char name[] = "c", image[] = "nginx";
	struct pod_container all[3] = {
		{ .name = name, .image = image, .init = 1 },
		{ .name = name, .image = image, .init = 1, .sidecar = 1 },
		{ .name = name, .image = image }
	};
	struct app_report report = { 0 };
	struct pod pod;
	struct podstatus_in in = { .pod = &pod,
		.state = RUNNING,
		.device = "edge-1",
		.report = &report,
		.applied = 1,
		.connected = 1,
		.now = { 0, NOW } };
	struct json_object *j;
	struct podstatus s;
	const char *word;
	size_t i;

	for (i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		pod = (struct pod){ .containers = all, .ncontainers = 3 };
		pod.seen.phase = PHASE_PENDING;
		report.state = inits[i].state;
		report.ready = inits[i].ready;
		report.of = inits[i].of;
		report.restarts = inits[i].restarts;
		podstatus_make(&in, &s);
		j = jread_parse(span_of(s.json), NULL);
		cr_assert_not_null(j);
		cr_expect_eq(s.phase, inits[i].phase, "%zu", i);
		cr_expect_eq(s.ready, inits[i].is_ready, "%zu", i);
		cr_expect_str_eq(state_of(j, "initContainerStatuses", 0, &word),
		    inits[i].first, "%zu", i);
		cr_expect_str_eq(word, inits[i].word, "%zu", i);
		cr_expect_str_eq(state_of(j, "initContainerStatuses", 1, &word),
		    inits[i].second, "%zu", i);
		cr_expect_str_eq(state_of(j, "containerStatuses", 0, &word),
		    inits[i].main, "%zu", i);
		seen_read(j, &pod.seen);
		cr_expect_eq(initialized(&pod.seen), inits[i].initialized,
		    "%zu", i);
		cr_expect_eq(podstatus_is_told(&s, &pod), 1, "%zu", i);
		json_object_put(j);
		podstatus_clear(&s);
	}
}

/*
 * When all is over the sidecar has ended as well, by what its device says of
 * it or else well: that is what kubectl shows, and the pod is as its container.
 */
static const struct {
	enum app_state state;
	int known;
	uint8_t code;
	enum pod_phase phase;
	int exit;
	const char *reason;
} ends[] = {
	{ APP_COMPLETED, 0, 0, PHASE_SUCCEEDED, 0, "Completed" },
	{ APP_COMPLETED, 1, 143, PHASE_SUCCEEDED, 143, "Error" },
	{ APP_ERROR, 0, 0, PHASE_FAILED, 0, "Completed" },
	{ APP_ERROR, 1, 137, PHASE_FAILED, 137, "Error" },
};

static int
is_true(struct json_object *j, const char *member)
{
	return json_object_get_boolean(jread_member(j, member)) != 0;
}

Test(status_init, a_sidecar_ends_with_its_pod)
{
	char name[] = "c", side[] = "side", image[] = "nginx";
	char unit[] = "app_side.service";
	struct pod_container all[3] = {
		{ .name = name, .image = image, .init = 1 },
		{ .name = side, .image = image, .init = 1, .sidecar = 1 },
		{ .name = name, .image = image }
	};
	struct unit_ended ended = { .unit = unit };
	struct exits exits = { .list = &ended };
	struct app_report report = { .of = 4 };
	struct pod pod;
	struct podstatus_in in = { .pod = &pod,
		.state = DONE,
		.app = "app",
		.exits = &exits,
		.device = "edge-1",
		.report = &report,
		.applied = 1,
		.connected = 1,
		.now = { 0, NOW } };
	struct json_object *j, *c, *t;
	struct podstatus s;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		pod = (struct pod){ .containers = all,
			.ncontainers = 3,
			.restart = RESTART_NEVER };
		pod.seen.phase = PHASE_RUNNING;
		report.state = ends[i].state;
		exits.n = (size_t)ends[i].known;
		ended.ended = (struct ended){ 1, ends[i].code, 0 };
		podstatus_make(&in, &s);
		cr_expect_eq(s.phase, ends[i].phase, "%zu", i);
		j = jread_parse(span_of(s.json), NULL);
		cr_assert_not_null(j);
		c = jread_item(jread_member(j, "initContainerStatuses"), 0);
		cr_expect(is_true(c, "ready"), "%zu", i);
		c = jread_item(jread_member(j, "initContainerStatuses"), 1);
		t = jread_member(jread_member(c, "state"), "terminated");
		cr_assert_not_null(t, "%zu: %s", i, s.json);
		cr_expect_eq(json_object_get_int(jread_member(t, "exitCode")),
		    ends[i].exit, "%zu", i);
		cr_expect_str_eq(jread_string(jread_member(t, "reason")),
		    ends[i].reason, "%zu", i);
		cr_expect_not(is_true(c, "ready") || is_true(c, "started"),
		    "%zu", i);
		seen_read(j, &pod.seen);
		cr_expect_eq(pod.seen.init_done, s.says.init_done, "%zu", i);
		cr_expect_eq(podstatus_is_told(&s, &pod), 1, "%zu", i);
		json_object_put(j);
		podstatus_clear(&s);
	}
}
