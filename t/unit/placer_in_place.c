/* SPDX-License-Identifier: ISC */
/*
 * What is asked of a pod that a device has: the pod stays as it was admitted,
 * and its status answers.
 */
#include "placer/in_place.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/xmem.h"
#include "placer/pod.h"
#include "placer/podstatus.h"
#include "placer/seen.h"
#include "t/unit/leaks.h"
#include "t/unit/statusdoc.h"

#define RESOURCES(cpu)                                                   \
	"{\"limits\":{\"memory\":\"64Mi\"},\"requests\":{\"cpu\":\"" cpu \
	"\",\"memory\":\"64Mi\"}}"
#define HALF RESOURCES("500m")
#define FOUR RESOURCES("4")

static struct now now = { 1000, 1000000000000 };

/* A pod that asks for that much, with this more in its spec, so told of. */
static struct pod *
pod_of(const char *resources, const char *more, const char *status)
{
	AUTO_FREE char *text = xasprintf(
	    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"p\",\"uid\":\"u\","
	    "\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"generation\":2},"
	    "\"spec\":{\"nodeName\":\"x\",%s\"containers\":[{\"name\":\"c\","
	    "\"image\":\"i\",\"resources\":%s}]},\"status\":%s}",
	    more, resources, status);
	struct why why;
	struct pod *pod = pod_parse(span_of(text), &why);

	cr_assert_not_null(pod, "%s: %s", text, why.text);
	return pod;
}

/* What is told of it while a device runs it. */
static struct json_object *
status_of(const struct pod *pod, const char *device, int *is_told)
{
	static struct app_report report = { .state = APP_RUNNING,
		.ready = 1,
		.of = 1 };
	struct podstatus_in in = { .pod = pod,
		.state = RUNNING,
		.device = device,
		.report = &report,
		.applied = 1,
		.connected = 1,
		.now = now };
	struct json_object *j;
	struct podstatus s;

	podstatus_make(&in, &s);
	*is_told = podstatus_is_told(&s, pod);
	j = statusdoc_read(&s);
	podstatus_clear(&s);
	return j;
}

/* All that is told of a pod of which nothing was asked yet. */
static char *
told_before(void)
{
	struct pod *pod = pod_of(HALF, "", "{}");
	struct json_object *status;
	int told;

	status = status_of(pod, "d", &told);
	pod_free(pod);
	return jmake_text(&status);
}

static struct json_object *
item(struct json_object *status, const char *list)
{
	return jread_item(jread_member(status, list), 0);
}

static struct json_object *
resize_of(struct json_object *status)
{
	return statusdoc_condition(status, SEEN_RESIZE_PENDING);
}

Test(in_place, what_it_was_admitted_with_is_told_once_a_device_has_it)
{
	struct pod *pod = pod_of(HALF, "", "{}");
	AUTO_JSON struct json_object *seated = NULL, *waits = NULL;
	AUTO_FREE char *text = NULL;
	int told;

	seated = status_of(pod, "d", &told);
	waits = status_of(pod, NULL, &told);
	text = jmake_copy(
	    jread_member(item(seated, "containerStatuses"), "resources"));
	cr_expect_str_eq(text, HALF);
	cr_expect_null(
	    jread_member(item(waits, "containerStatuses"), "resources"));
	cr_expect_null(resize_of(seated));
	pod_free(pod);
	NO_LEAKS();
}

Test(in_place, a_resized_pod_keeps_what_it_has_and_says_so)
{
	AUTO_FREE char *before = told_before();
	struct pod *pod = pod_of(FOUR, "", before);
	AUTO_JSON struct json_object *status = NULL;
	AUTO_FREE char *text = NULL;
	int told;

	cr_expect(pod->resized);
	cr_expect_eq(pod->cpu_m, 500);
	status = status_of(pod, "d", &told);
	cr_expect_not(told);
	cr_assert_not_null(resize_of(status));
	cr_expect_str_eq(jread_string(
			     jread_member(resize_of(status), "reason")),
	    "Infeasible");
	text = jmake_copy(
	    jread_member(item(status, "containerStatuses"), "resources"));
	cr_expect_str_eq(text, HALF, "and again, so that it stays known");
	pod_free(pod);
	NO_LEAKS();
}

Test(in_place, a_resize_that_is_taken_back_is_said_no_more)
{
	struct pod *pod = pod_of(HALF, "",
	    "{\"containerStatuses\":[{\"name\":\"c\",\"resources\":" HALF
	    "}],\"conditions\":[{\"type\":\"PodResizePending\",\"status\":"
	    "\"True\"}]}");
	AUTO_JSON struct json_object *status = NULL;
	int told;

	cr_expect_not(pod->resized);
	status = status_of(pod, "d", &told);
	cr_expect_not(told);
	cr_assert_not_null(resize_of(status));
	cr_expect_str_eq(jread_string(
			     jread_member(resize_of(status), "$patch")),
	    "delete");
	pod_free(pod);
	NO_LEAKS();
}

/* Whoever may write a status may write this. */
Test(in_place, nonsense_in_a_status_is_not_what_a_pod_was_admitted_with)
{
	static const char *const lies[] = { "null", "7", "[]",
		"{\"requests\":{\"cpu\":\"much\"}}",
		"{\"requests\":{\"cpu\":7}}",
		"{\"limits\":{\"memory\":\"-1\"}}" };
	size_t i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		AUTO_FREE char *status = xasprintf(
		    "{\"containerStatuses\":[{\"name\":\"c\",\"resources\":%s}"
		    "]}",
		    lies[i]);
		struct pod *pod = pod_of(FOUR, "", status);

		cr_expect_eq(pod->cpu_m, 4000, "%s", lies[i]);
		cr_expect_not(pod->resized, "%s", lies[i]);
		pod_free(pod);
	}
	NO_LEAKS();
}

Test(in_place, a_container_to_look_into_it_has_ended_before_it_began)
{
	AUTO_FREE char *before = told_before();
	struct pod *pod = pod_of(HALF,
	    "\"ephemeralContainers\":[{\"name\":\"look\",\"image\":\"b\"},"
	    "{\"image\":\"nameless\"}],",
	    before);
	AUTO_JSON struct json_object *status = NULL, *again = NULL;
	AUTO_FREE char *text = NULL, *first = NULL, *then = NULL;
	struct json_object *end;
	int told;

	cr_assert_eq(pod->ndebuggers, 1);
	status = status_of(pod, "d", &told);
	cr_expect_not(told);
	cr_expect_eq(jread_count(
			 jread_member(status, "ephemeralContainerStatuses")),
	    1);
	end = jread_member(
	    jread_member(item(status, "ephemeralContainerStatuses"), "state"),
	    "terminated");
	cr_expect_str_eq(jread_string(jread_member(end, "reason")),
	    IN_PLACE_DEBUGGER);
	first = xstrdup(jread_string(jread_member(end, "finishedAt")));
	pod_free(pod);

	text = jmake_copy(status);
	pod = pod_of(HALF,
	    "\"ephemeralContainers\":[{\"name\":\"look\",\"image\":\"b\"}],",
	    text);
	now.wall_ms += 60 * 1000;
	again = status_of(pod, "d", &told);
	cr_expect(told, "%s", text);
	then = xstrdup(jread_string(jread_member(
	    jread_member(jread_member(item(again, "ephemeralContainerStatuses"),
			     "state"),
		"terminated"),
	    "finishedAt")));
	cr_expect_str_eq(first, then);
	pod_free(pod);
	NO_LEAKS();
}
