/* SPDX-License-Identifier: ISC */
/*
 * What must hold of every status we write, over all combinations of life,
 * report and policy; then what Kubernetes and Flightctl's words mean to each
 * other.
 */
#include "placer/podstatus.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "placer/seen.h"
#include "t/unit/statusdoc.h"

#define NOW INT64_C(1795419780000) /* 2026-11-23T07:43:00Z */
#define EARLIER INT64_C(1795419774000)

/* One point of the space. */
struct point {
	struct podstatus_in in;
	struct pod pod;
	struct pod_container containers[2];
	struct app_report report;
};

static const enum life_state states[] = { LOOKING, FREE, WAITING, SENDING,
	STARTING, RUNNING, REPLACING, FELL_BACK, RETREAT, LOST, HELD, EVICTING,
	DONE, TIMED_OUT, LEAVING };

enum {
	NSTATES = sizeof(states) / sizeof(states[0]),
	NREPORTS = APP_STATE_COUNT + 2, /* none; RUNNING but not all */
	NPOLICIES = 3,
	NPHASES = PHASE_UNKNOWN + 1,
	NBITS = 32, /* applied, connected, reason and final_failed, two,
		       the first of them is an init container */
	POINTS = NSTATES * NREPORTS * NPOLICIES * NPHASES * NBITS,
};

static char name[] = "c", image[] = "nginx";

static void
set_containers(struct point *p, int two)
{
	p->containers[0] =
	    (struct pod_container){ .name = name, .image = image };
	p->containers[1] = p->containers[0];
	p->pod.containers = p->containers;
	p->pod.ncontainers = two ? 2 : 1;
}

/* The n-th point; the arrays live as long as p. */
static void
fill(struct point *p, size_t n)
{
	size_t r, bits;

	memset(p, 0, sizeof(*p));
	p->in.pod = &p->pod;
	p->in.now.wall_ms = NOW;
	p->in.state = states[n % NSTATES];
	n /= NSTATES;
	r = n % NREPORTS;
	n /= NREPORTS;
	p->pod.restart = (enum restart_policy)(n % NPOLICIES);
	n /= NPOLICIES;
	p->pod.seen.phase = (enum pod_phase)(n % NPHASES);
	bits = n / NPHASES;
	p->pod.generation = 7;
	p->in.applied = bits & 1;
	p->in.works = p->in.state == STARTING && (bits & 1);
	p->in.connected = bits >> 1 & 1;
	p->in.final_failed = (bits >> 2 & 1) && p->in.state == WAITING;
	p->in.reason = bits >> 2 & 1 ? "Why" : NULL;
	p->in.message = bits >> 2 & 1 ? "because" : NULL;
	p->in.report_final = p->in.state == DONE;
	p->in.device = p->in.state == WAITING ? NULL : "edge-1";
	p->report.state =
	    r >= APP_STATE_COUNT ? APP_RUNNING : (enum app_state)r;
	p->report.of = bits >> 3 & 1 ? 3 : 1;
	p->report.ready = r == APP_RUNNING ? p->report.of : 0;
	p->in.report = r == APP_STATE_COUNT ? NULL : &p->report;
	set_containers(p, bits >> 3 & 1);
	p->containers[0].init = bits >> 4 & bits >> 3 & 1;
}

/*
 * Every n-th point: all of them take minutes where memory is watched.  The
 * numbers have no factor of a dimension, so that each pair of facts is met.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH 29
#endif
#endif
#ifndef EACH
#define EACH 1
#endif
#define SOME (EACH * 11)

#define FOR_EACH(p, nth)                            \
	for (size_t n_ = 0; n_ < POINTS; n_ += nth) \
		if (fill(p, n_), 1)

/* The one member of a container's state. */
static const char *
state_of(struct json_object *status, size_t i)
{
	struct json_object *list = jread_member(status, "containerStatuses");
	struct json_object *v;
	struct lh_entry *e = NULL;
	const char *key;

	if (jread_count(list) <= i)
		return "";
	cr_assert(jread_next(jread_member(jread_item(list, i), "state"), &e,
	    &key, &v));
	return key;
}

static void
expect_no_image_ids(struct json_object *status, const char *key)
{
	struct json_object *list = jread_member(status, key), *id;
	size_t i;

	for (i = 0; i < jread_count(list); i++) {
		id = jread_member(jread_item(list, i), "imageID");
		cr_assert_not_null(id, "the API wants it");
		cr_assert_str_eq(jread_string(id), "");
	}
}

Test(podstatus, holds_everywhere)
{
	struct podstatus s;
	struct json_object *j, *ready;
	struct point p;

	FOR_EACH(&p, EACH)
	{
		podstatus_make(&p.in, &s);
		j = statusdoc_read(&s);
		ready = statusdoc_condition(j, "Ready");

		/* it says what it says it says */
		cr_assert_str_eq(statusdoc_text(j, "phase"),
		    pod_phase_name(s.phase));
		cr_assert_str_eq(statusdoc_text(ready, "status"),
		    pod_truth_name(s.ready));
		/* no address, ever */
		cr_assert_null(jread_member(j, "podIP"));
		cr_assert_null(jread_member(j, "podIPs"));
		/* terminal phases are left by nobody */
		if (p.pod.seen.phase == PHASE_SUCCEEDED ||
		    p.pod.seen.phase == PHASE_FAILED)
			cr_assert_eq(s.phase, p.pod.seen.phase);
		else if (s.phase == PHASE_SUCCEEDED || s.phase == PHASE_FAILED)
			cr_assert(p.in.state == DONE || p.in.final_failed ||
			    (p.in.state == TIMED_OUT &&
				strcmp(statusdoc_text(j, "reason"),
				    "DeadlineExceeded") == 0));
		/* only what runs is ready, and only all of it together */
		if (s.ready == TRUTH_TRUE) {
			cr_assert_eq(s.phase, PHASE_RUNNING);
			cr_assert_str_eq(state_of(j, 0), "running");
			cr_assert_not_null(p.in.report);
			cr_assert_eq(p.report.ready, p.report.of);
		}
		/* nobody hears from it: nobody knows */
		if (p.in.state == LOST || p.in.state == EVICTING)
			cr_assert_neq(s.ready, TRUTH_TRUE);
		/* a sandbox is where something runs or is made to */
		cr_assert_str_eq(
		    statusdoc_text(statusdoc_condition(j,
				       "PodReadyToStartContainers"),
			"status"),
		    p.in.device != NULL &&
			    (s.phase == PHASE_RUNNING ||
				s.phase == PHASE_UNKNOWN ||
				(s.phase == PHASE_PENDING &&
				    p.in.state != SENDING &&
				    p.in.state != RETREAT &&
				    (p.in.works ||
					(p.in.report != NULL &&
					    p.containers[0].init)))) ?
			"True" :
			"False",
		    "%zu", n_);
		/* what is the server's, or may never change, is left out, and
		 * of images nothing is known */
		cr_assert_null(jread_member(j, "qosClass"));
		cr_assert_null(jread_member(j, "hostIP"));
		cr_assert_null(jread_member(j, "hostIPs"));
		expect_no_image_ids(j, "containerStatuses");
		expect_no_image_ids(j, "initContainerStatuses");
		/* a condition for each kind, once, with this generation */
		cr_assert_eq(jread_count(jread_member(j, "conditions")),
		    COND_COUNT);
		cr_assert_eq(json_object_get_int64(
				 jread_member(ready, "observedGeneration")),
		    7);
		json_object_put(j);
		podstatus_clear(&s);
	}
}

/* What is written, read back as the API will send it, is told: no loop. */
Test(podstatus, what_was_told_is_told)
{
	struct podstatus s, again;
	struct json_object *j;
	struct point p;

	FOR_EACH(&p, SOME)
	{
		podstatus_make(&p.in, &s);
		j = statusdoc_read(&s);
		seen_read(j, &p.pod.seen);
		json_object_put(j);
		cr_assert_eq(podstatus_is_told(&s, &p.pod), 1, "point %zu: %s",
		    n_, s.json);
		podstatus_make(&p.in, &again);
		cr_assert_eq(podstatus_is_told(&again, &p.pod), 1,
		    "point %zu: %s\nthen %s", n_, s.json, again.json);
		/* of a spec that has changed since it is not, but at the end;
		 * nor is it told for ever where the field is dropped */
		p.pod.generation++;
		cr_assert_eq(podstatus_is_told(&again, &p.pod),
		    again.phase == PHASE_SUCCEEDED ||
			again.phase == PHASE_FAILED);
		p.pod.seen.generation = 0;
		cr_assert_eq(podstatus_is_told(&again, &p.pod), 1);
		podstatus_clear(&again);
		podstatus_clear(&s);
	}
}

/* Only times differ: the digest does not; a time stays while its value does. */
Test(podstatus, times_stay)
{
	struct podstatus s, later;
	struct json_object *j, *k;
	struct point p;
	size_t i;

	FOR_EACH(&p, SOME)
	{
		podstatus_make(&p.in, &s);
		j = statusdoc_read(&s);
		seen_read(j, &p.pod.seen);
		seen_ends(j, p.pod.containers, p.pod.ncontainers);
		p.in.now.wall_ms += 60000;
		podstatus_make(&p.in, &later);
		k = statusdoc_read(&later);
		if (later.digest == s.digest)
			cr_assert_str_eq(later.json, s.json);
		cr_assert_str_eq(statusdoc_text(j, "startTime"),
		    statusdoc_text(k, "startTime"));
		for (i = 0; i < COND_COUNT; i++) {
			struct json_object *a = statusdoc_condition(j,
			    pod_condition_type((enum pod_condition)i));
			struct json_object *b = statusdoc_condition(k,
			    pod_condition_type((enum pod_condition)i));

			cr_assert_eq(strcmp(statusdoc_text(a, "status"),
					 statusdoc_text(b, "status")) == 0,
			    strcmp(statusdoc_text(a, "lastTransitionTime"),
				statusdoc_text(b, "lastTransitionTime")) == 0);
		}
		json_object_put(j);
		json_object_put(k);
		podstatus_clear(&s);
		podstatus_clear(&later);
	}
}

/* An ordinary pod that is applied on a device that answers. */
static void
ordinary(struct point *p, enum app_state state, uint16_t ready, uint16_t of)
{
	memset(p, 0, sizeof(*p));
	set_containers(p, of > 1);
	p->pod.generation = 1;
	p->pod.seen.phase = PHASE_RUNNING;
	p->in = (struct podstatus_in){ .pod = &p->pod,
		.state = RUNNING,
		.device = "edge-1",
		.report = &p->report,
		.applied = 1,
		.connected = 1,
		.running_ms = EARLIER,
		.now = { 0, NOW } };
	p->report.state = state;
	p->report.ready = ready;
	p->report.of = of;
}

/* What the words mean is placer_report.c's; this is the counting. */
Test(podstatus, ready_is_a_pod_all_of_which_is_counted)
{
	static const struct {
		uint16_t ready, of;
		enum truth is_ready;
	} counts[] = {
		{ 1, 1, TRUTH_TRUE }, { 0, 1, TRUTH_FALSE },
		{ 0, 0, TRUTH_FALSE },
		{ 3, 3, TRUTH_TRUE }, /* two containers, and what keeps them */
		{ 2, 3, TRUTH_FALSE },
		{ 2, 2, TRUTH_FALSE }, /* the second has not started */
	};
	struct podstatus s;
	struct point p;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		ordinary(&p, APP_RUNNING, counts[i].ready, counts[i].of);
		podstatus_make(&p.in, &s);
		cr_expect_eq(s.phase, PHASE_RUNNING, "%zu", i);
		cr_expect_eq(s.ready, counts[i].is_ready, "%zu", i);
		podstatus_clear(&s);
	}
}

Test(podstatus, an_end_is_told_as_kubernetes_tells_it)
{
	static const struct {
		enum app_state state;
		enum pod_phase phase;
		int exit;
		const char *reason, *unready;
	} ends[] = {
		{ APP_COMPLETED, PHASE_SUCCEEDED, 0, "Completed",
		    "PodCompleted" },
		{ APP_ERROR, PHASE_FAILED, 1, "Error", "PodFailed" },
	};
	struct json_object *j, *t;
	struct podstatus s;
	struct point p;
	size_t i;

	for (i = 0; i < 2; i++) {
		ordinary(&p, ends[i].state, 0, 1);
		p.pod.restart = RESTART_NEVER;
		p.in.state = DONE;
		p.in.report_final = 1;
		podstatus_make(&p.in, &s);
		j = statusdoc_read(&s);
		t = jread_member(
		    jread_member(
			jread_item(jread_member(j, "containerStatuses"), 0),
			"state"),
		    "terminated");
		cr_expect_eq(s.phase, ends[i].phase);
		cr_expect_eq(json_object_get_int(jread_member(t, "exitCode")),
		    ends[i].exit);
		cr_expect_str_eq(statusdoc_text(t, "reason"), ends[i].reason);
		cr_expect_str_eq(statusdoc_text(t, "finishedAt"),
		    "2026-11-23T07:43:00Z");
		cr_expect_str_eq(statusdoc_text(t, "startedAt"),
		    "2026-11-23T07:42:54Z");
		cr_expect_str_eq(statusdoc_text(statusdoc_condition(j, "Ready"),
				     "reason"),
		    ends[i].unready);
		/* and again when the device has forgotten it */
		seen_read(j, &p.pod.seen);
		json_object_put(j);
		podstatus_clear(&s);
		p.report.state = APP_UNKNOWN;
		p.in.now.wall_ms += 60000;
		podstatus_make(&p.in, &s);
		cr_expect_eq(s.phase, ends[i].phase);
		cr_expect_eq(podstatus_is_told(&s, &p.pod), 1);
		podstatus_clear(&s);
	}
}

/* The agent has started again and has not looked yet. */
Test(podstatus, silence_takes_no_readiness_back)
{
	struct podstatus s;
	struct point p;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		ordinary(&p, APP_UNKNOWN, 0, 0);
		p.pod.seen.cond[COND_READY].status =
		    i & 1 ? TRUTH_TRUE : TRUTH_FALSE;
		if (i & 2)
			p.in.report = NULL;
		if (i & 4) /* other images are not known to be ready */
			p.in.state = REPLACING;
		p.in.unreported = (i & 8) != 0;
		podstatus_make(&p.in, &s);
		cr_expect_eq(s.phase, PHASE_RUNNING);
		cr_expect_eq(s.ready,
		    (i & ~2u) == 1 ? TRUTH_TRUE : TRUTH_FALSE);
		podstatus_clear(&s);
	}
}

/* Nothing is known to be wrong: it stays, and says why it is not ready. */
Test(podstatus, an_application_of_which_nothing_is_reported_is_said_to_be)
{
	struct json_object *j;
	struct podstatus s;
	struct point p;

	FOR_EACH(&p, SOME)
	{
		p.in.unreported = 1;
		p.in.report = NULL;
		podstatus_make(&p.in, &s);
		j = statusdoc_read(&s);
		if (p.in.state == RUNNING &&
		    p.pod.seen.phase < PHASE_SUCCEEDED && !p.in.final_failed &&
		    !p.containers[0].init) {
			cr_assert_eq(s.phase,
			    p.pod.seen.phase < PHASE_RUNNING ? PHASE_PENDING :
							       PHASE_RUNNING);
			cr_assert_eq(s.ready, TRUTH_FALSE);
			cr_assert_str_eq(statusdoc_text(j, "reason"),
			    "StatusNotReported");
			cr_assert_str_eq(statusdoc_text(statusdoc_condition(j,
							    "Ready"),
					     "reason"),
			    "StatusNotReported");
		}
		json_object_put(j);
		podstatus_clear(&s);
	}
}

/* Scenario 5: Unknown while nobody hears of it, and as before afterwards. */
Test(podstatus, disconnect_and_return)
{
	struct json_object *j, *c;
	struct podstatus before, lost, after;
	struct point p;

	ordinary(&p, APP_RUNNING, 1, 1);
	podstatus_make(&p.in, &before);
	j = statusdoc_read(&before);
	seen_read(j, &p.pod.seen);
	json_object_put(j);

	p.in.state = LOST;
	p.in.connected = 0;
	p.in.now.wall_ms += 60000;
	podstatus_make(&p.in, &lost);
	j = statusdoc_read(&lost);
	cr_assert_eq(lost.phase, PHASE_UNKNOWN);
	cr_assert_eq(lost.ready, TRUTH_UNKNOWN);
	cr_assert_str_eq(statusdoc_text(j, "reason"), "DeviceDisconnected");
	cr_assert_str_eq(statusdoc_text(statusdoc_condition(j, "Ready"),
			     "reason"),
	    "DeviceDisconnected");
	c = statusdoc_condition(j, "vk.flightctl.io/Device");
	cr_assert_str_eq(statusdoc_text(c, "status"), "Unknown");
	cr_assert_str_eq(statusdoc_text(c, "message"), "device edge-1");
	cr_assert_str_eq(statusdoc_text(c, "lastTransitionTime"),
	    "2026-11-23T07:44:00Z");
	cr_assert_str_eq(state_of(j, 0), "running");
	seen_read(j, &p.pod.seen);
	json_object_put(j);

	p.in.state = RUNNING;
	p.in.connected = 1;
	podstatus_make(&p.in, &after);
	cr_assert_eq(after.digest, before.digest);
	cr_assert_eq(podstatus_is_told(&after, &p.pod), 0);
	podstatus_clear(&before);
	podstatus_clear(&lost);
	podstatus_clear(&after);
}

Test(podstatus, a_pod_that_never_ran_stays_pending_when_its_device_goes)
{
	struct podstatus s;
	struct point p;

	ordinary(&p, APP_UNKNOWN, 0, 0);
	p.pod.seen.phase = PHASE_PENDING;
	p.in.applied = 0;
	p.in.running_ms = 0;
	p.in.state = LOST;
	p.in.connected = 0;
	podstatus_make(&p.in, &s);
	cr_assert_eq(s.phase, PHASE_PENDING);
	podstatus_clear(&s);
}

Test(podstatus, why_it_waits)
{
	struct json_object *j, *waiting;
	struct podstatus s;
	struct point p;

	ordinary(&p, APP_UNKNOWN, 0, 0);
	p.pod.seen.phase = PHASE_NONE;
	p.in = (struct podstatus_in){ .pod = &p.pod,
		.state = WAITING,
		.reason = "InsufficientResources",
		.message = "Insufficient resources: Device edge-1 has 1 CPU, "
			   "requested 8 CPU",
		.now = { 0, NOW } };
	podstatus_make(&p.in, &s);
	j = statusdoc_read(&s);
	cr_assert_eq(s.phase, PHASE_PENDING);
	cr_assert_str_eq(statusdoc_text(j, "reason"), "InsufficientResources");
	cr_assert_str_eq(statusdoc_text(j, "message"), p.in.message);
	waiting = jread_member(
	    jread_member(jread_item(jread_member(j, "containerStatuses"), 0),
		"state"),
	    "waiting");
	cr_assert_str_eq(statusdoc_text(waiting, "reason"),
	    "InsufficientResources");
	cr_assert_str_eq(statusdoc_text(statusdoc_condition(j,
					    "vk.flightctl.io/Device"),
			     "status"),
	    "False");
	seen_read(j, &p.pod.seen);
	json_object_put(j);
	podstatus_clear(&s);

	/* another reason is news, another figure in the text is not */
	p.in.message = "else";
	podstatus_make(&p.in, &s);
	cr_assert_eq(podstatus_is_told(&s, &p.pod), 1);
	podstatus_clear(&s);
	p.in.reason = "CreateContainerConfigError";
	podstatus_make(&p.in, &s);
	cr_assert_eq(podstatus_is_told(&s, &p.pod), 0);
	podstatus_clear(&s);

	/* a bare pod that no device can ever hold */
	p.in.final_failed = 1;
	podstatus_make(&p.in, &s);
	cr_assert_eq(s.phase, PHASE_FAILED);
	j = statusdoc_read(&s);
	cr_assert_str_eq(statusdoc_text(j, "reason"),
	    "CreateContainerConfigError");
	cr_assert_eq(jread_count(jread_member(j, "containerStatuses")), 0);
	json_object_put(j);
	podstatus_clear(&s);
}

Test(podstatus, restarts_never_count_down_and_their_sum_is_right)
{
	struct json_object *j, *list;
	struct podstatus s;
	struct point p;
	int sum = 0;
	size_t i;

	ordinary(&p, APP_RUNNING, 3, 3);
	p.report.restarts = 5;
	podstatus_make(&p.in, &s);
	j = statusdoc_read(&s);
	list = jread_member(j, "containerStatuses");
	cr_assert_eq(jread_count(list), 2);
	for (i = 0; i < 2; i++)
		sum += json_object_get_int(
		    jread_member(jread_item(list, i), "restartCount"));
	cr_assert_eq(sum, 5);
	seen_read(j, &p.pod.seen);
	json_object_put(j);
	podstatus_clear(&s);
	p.report.restarts = 0; /* the agent has started anew */
	podstatus_make(&p.in, &s);
	cr_assert_eq(s.says.restarts, 5);
	podstatus_clear(&s);
}
