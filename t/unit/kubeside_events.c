/* SPDX-License-Identifier: ISC */
/* Events: counted, not repeated; bounded. */
#include "kubeside/events.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kubeside/api.h"
#include "t/unit/apiserver.h"

static struct events *events;

static void
set_up(void)
{
	struct api *api = apiserver_open();

	events = events_new(apiserver_base, api);
}

static void
tear_down(void)
{
	events_free(events);
	apiserver_close();
}

TestSuite(events, .init = set_up, .fini = tear_down);

static void
post_as(const char *pod, const char *message, int warning)
{
	struct body_event m = { .node = "n",
		.ns = "ns",
		.uid = "u",
		.warning = (uint8_t)warning,
		.reason = "Failed" };

	snprintf(m.pod_name, sizeof(m.pod_name), "%s", pod);
	snprintf(m.message, sizeof(m.message), "%s", message);
	if (pod[0] == '\0')
		m.ns[0] = m.uid[0] = '\0';
	events_post(events, &m);
}

static void
post(const char *pod, const char *message)
{
	post_as(pod, message, 1);
}

static int
says(size_t i, const char *text)
{
	return strstr(apiserver_asked[i].body, text) != NULL;
}

Test(events, about_a_pod)
{
	post("p", "bad \"thing\"\n");
	apiserver_wait(1);
	cr_expect_str_eq(apiserver_asked[0].method, "POST");
	cr_expect_str_eq(apiserver_asked[0].target,
	    "/api/v1/namespaces/ns/events");
	cr_expect(says(0,
	    "\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":"
	    "\"p\",\"uid\":\"u\""));
	cr_expect(says(0, "\"message\":\"bad \\\"thing\\\"\\n\""));
	cr_expect(says(0, "\"type\":\"Warning\""));
	cr_expect(says(0,
	    "\"source\":{\"component\":\"vk-flightctl-provider\",\"host\":"
	    "\"n\"}"));
	cr_expect(says(0,
	    "\"reportingComponent\":\"vk-flightctl-provider\","
	    "\"reportingInstance\":\"n\""));
	cr_expect(says(0, "\"count\":1"));
}

Test(events, about_a_node_is_in_default)
{
	post("", "x");
	apiserver_wait(1);
	cr_expect_str_eq(apiserver_asked[0].target,
	    "/api/v1/namespaces/default/events");
	cr_expect(says(0, "\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"n\""));
}

Test(events, the_same_is_not_repeated)
{
	post("p", "x");
	apiserver_wait(1);
	post("p", "x");
	post("p", "x");
	apiserver_reply(0, 201, "{}");
	apiserver_run(50);
	post("p", "x");
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 1, "counted later, in one");
	post("p", "y");
	apiserver_wait(2);
	cr_expect(says(1, "\"count\":1"));
}

Test(events, one_that_was_not_taken_is_forgotten)
{
	post("p", "x");
	apiserver_wait(1);
	apiserver_reply(0, 403, "{}");
	apiserver_run(50);
	post("p", "x");
	apiserver_wait(2);
	cr_expect_str_eq(apiserver_asked[1].method, "POST");
	cr_expect(says(1, "\"count\":1"));
}

Test(events, few_fly_at_once)
{
	char message[16];
	int i;

	for (i = 0; i < 2000; i++) {
		snprintf(message, sizeof(message), "m%d", i);
		post("p", message);
	}
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 4);
	apiserver_reply(0, 201, "{}");
	apiserver_wait(5);
}

/* Of a thousand pods that start nobody reads each line; of one that fails... */
Test(events, a_warning_finds_room_where_a_story_does_not)
{
	char message[16];
	size_t i, warnings = 0;

	for (i = 0; i < 2000; i++) {
		snprintf(message, sizeof(message), "m%zu", i);
		post_as("p", message, 0);
	}
	post("p", "bad");
	for (i = 0; i + 4 < 261; i++) {
		apiserver_wait(i + 4);
		apiserver_reply(i, 201, "{}");
	}
	apiserver_wait(261);
	apiserver_run(50);
	cr_expect_eq(apiserver_count, 261);
	for (i = 0; i < apiserver_count; i++)
		warnings += (size_t)says(i, "\"type\":\"Warning\"");
	cr_expect_eq(warnings, 1);
}
