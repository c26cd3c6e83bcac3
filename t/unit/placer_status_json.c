/* SPDX-License-Identifier: ISC */
/*
 * What stands in a status: the times of a container that starts again and
 * again, the names of what is not ready, and no more than can be sent.
 */
#include "placer/podstatus.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/limits.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "placer/seen.h"
#include "t/unit/statusdoc.h"

#define NOW INT64_C(1795419780000) /* 2026-11-23T07:43:00Z */

static char name[] = "c", image[] = "nginx";

/* A pod of one container that is applied on a device that answers. */
struct point {
	struct podstatus_in in;
	struct pod pod;
	struct pod_container containers[1];
	struct app_report report;
};

static void
ordinary(struct point *p, enum app_state state, uint16_t ready, uint16_t of)
{
	*p = (struct point){ 0 };
	p->containers[0] =
	    (struct pod_container){ .name = name, .image = image };
	p->pod = (struct pod){ .containers = p->containers,
		.ncontainers = 1,
		.generation = 1 };
	p->pod.seen.phase = PHASE_RUNNING;
	p->in = (struct podstatus_in){ .pod = &p->pod,
		.state = RUNNING,
		.device = "edge-1",
		.report = &p->report,
		.applied = 1,
		.connected = 1,
		.running_ms = NOW,
		.now = { 0, NOW } };
	p->report.state = state;
	p->report.ready = ready;
	p->report.of = of;
}

static const char *
message_of(struct json_object *status, const char *type)
{
	return statusdoc_text(statusdoc_condition(status, type), "message");
}

/* A kubelet's words, of those containers and no others. */
Test(status_json, what_is_not_ready_is_named)
{
	static const struct {
		uint16_t ready, of;
		const char *initialized, *unready;
	} told[] = {
		{ 0, 0, "containers with incomplete status: [i s j]",
		    "containers with unready status: [s a b]" },
		{ 2, 3, "containers with incomplete status: [s j]",
		    "containers with unready status: [s a b]" },
		{ 3, 4, "containers with incomplete status: [j]",
		    "containers with unready status: [a b]" },
		{ 3, 5, "", "containers with unready status: [a b]" },
	};
	char names[][2] = { "i", "s", "j", "a", "b" };
	struct pod_container all[5];
	struct json_object *j;
	struct podstatus s;
	struct point p;
	size_t i;

	ordinary(&p, APP_RUNNING, 0, 0);
	for (i = 0; i < 5; i++) {
		all[i] = p.containers[0];
		all[i].name = names[i];
		all[i].init = i < 3;
		all[i].sidecar = i == 1;
	}
	p.pod.containers = all;
	p.pod.ncontainers = 5;
	p.pod.seen.phase = PHASE_PENDING;
	p.in.running_ms = 0;
	p.in.message = "something else";
	for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		p.report.ready = told[i].ready;
		p.report.of = told[i].of;
		podstatus_make(&p.in, &s);
		j = statusdoc_read(&s);
		cr_expect_str_eq(message_of(j, "Initialized"),
		    told[i].initialized, "%zu", i);
		cr_expect_str_eq(message_of(j, "Ready"), told[i].unready, "%zu",
		    i);
		cr_expect_str_eq(message_of(j, "ContainersReady"),
		    told[i].unready, "%zu", i);
		json_object_put(j);
		podstatus_clear(&s);
	}
	ordinary(&p, APP_RUNNING, 1, 1);
	podstatus_make(&p.in, &s);
	j = statusdoc_read(&s);
	cr_expect_str_eq(message_of(j, "Ready"), "", "it is");
	json_object_put(j);
	podstatus_clear(&s);
}

/* What the API says of the pod is what was told. */
static struct json_object *
tell(struct point *p)
{
	struct json_object *j;
	struct podstatus s;

	podstatus_make(&p->in, &s);
	j = statusdoc_read(&s);
	seen_read(j, &p->pod.seen);
	p->containers[0].told = (struct ended){ 0 };
	seen_ends(j, p->containers, 1);
	podstatus_clear(&s);
	return j;
}

/* Of a container that starts again and again, over the times that it is told.
 */
Test(status_json, the_run_before_has_its_times)
{
	static const struct {
		int64_t after_ms;
		enum app_state state;
		uint32_t restarts;
		int64_t from_ms, to_ms; /* after NOW; of lastState */
	} told[] = {
		{ 0, APP_RUNNING, 0, -1, -1 },
		/* it ended, and waits to be started again */
		{ 5000, APP_ERROR, 0, 0, 5000 },
		{ 7000, APP_ERROR, 0, 0, 5000 },
		/* it failed again, and nobody saw it run */
		{ 9000, APP_ERROR, 1, 5000, 9000 },
		/* it runs, which is told a second time, and ends */
		{ 20000, APP_RUNNING, 1, 5000, 9000 },
		{ 30000, APP_RUNNING, 1, 5000, 9000 },
		{ 50000, APP_ERROR, 1, 20000, 50000 },
		/* it runs and was started anew in between */
		{ 60000, APP_RUNNING, 2, 50000, 60000 },
		{ 70000, APP_RUNNING, 3, 60000, 70000 },
		/* it ended well */
		{ 80000, APP_COMPLETED, 3, 70000, 80000 },
	};
	struct unit_ended unit = { .unit = (char[]){ "a_c.service" },
		.ended = { .known = 1, .code = 3 } };
	struct exits exits = { .list = &unit, .n = 1 };
	char from[STAMP_SIZE], to[STAMP_SIZE];
	struct json_object *j, *t;
	struct point p;
	size_t i;

	ordinary(&p, APP_RUNNING, 1, 1);
	p.in.running_ms = NOW;
	p.in.app = "a";
	for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		p.report.state = told[i].state;
		p.report.ready = told[i].state == APP_RUNNING;
		p.report.restarts = told[i].restarts;
		p.in.now.wall_ms = NOW + told[i].after_ms;
		p.in.exits = i > 0 ? &exits : NULL;
		j = tell(&p);
		t = jread_member(
		    jread_member(
			jread_item(jread_member(j, "containerStatuses"), 0),
			"lastState"),
		    "terminated");
		from[0] = to[0] = '\0';
		if (told[i].to_ms >= 0) {
			stamp_format(NOW + told[i].from_ms, from);
			stamp_format(NOW + told[i].to_ms, to);
		}
		cr_expect_str_eq(statusdoc_text(t, "startedAt"), from, "%zu",
		    i);
		cr_expect_str_eq(statusdoc_text(t, "finishedAt"), to, "%zu", i);
		json_object_put(j);
	}
}

/*
 * As long as messages may be, of as many containers as a pod may have: it still
 * goes over the link.
 */
Test(status_json, no_message_makes_it_too_long_to_be_sent)
{
	static struct pod_container many[MAX_CONTAINERS];
	static char said[1024 * 1024 + 1], long_image[512];
	static char long_name[64];
	AUTO_FREE char *message = NULL;
	struct podstatus s;
	struct point p;
	size_t i;

	memset(said, '"', sizeof(said) - 1); /* two bytes each */
	memset(long_image, 'i', sizeof(long_image) - 1);
	memset(long_name, 'n', sizeof(long_name) - 1);
	message = utf8_message(said, MAX_TEXT);
	ordinary(&p, APP_STARTING, 0, 1);
	p.in.state = STARTING;
	p.pod.seen.phase = PHASE_PENDING;
	p.in.reason = "ImagePullBackOff";
	p.in.message = message;
	for (i = 0; i < MAX_CONTAINERS; i++) {
		many[i] = p.containers[0];
		many[i].image = long_image;
		many[i].name = long_name;
		many[i].init = i < MAX_CONTAINERS / 2;
	}
	p.pod.containers = many;
	p.pod.ncontainers = MAX_CONTAINERS;
	podstatus_make(&p.in, &s);
	cr_expect_geq(strlen(s.json), 2 * MAX_TEXT * MAX_CONTAINERS);
	cr_expect_leq(strlen(s.json), MAX_STATUS);
	podstatus_clear(&s);
}

/* A patch merges: what no longer holds must be said to be gone. */
Test(status_json, old_reasons_are_taken_back)
{
	struct podstatus s;
	struct point p;

	ordinary(&p, APP_RUNNING, 1, 1);
	podstatus_make(&p.in, &s);
	cr_assert_not_null(strstr(s.json,
	    "\"phase\":\"Running\",\"reason\":null,\"message\":null"));
	cr_assert_not_null(strstr(s.json,
	    "{\"type\":\"Ready\",\"status\":"
	    "\"True\",\"observedGeneration\":1,\"reason\":null,"
	    "\"message\":null,"));
	podstatus_clear(&s);
}
