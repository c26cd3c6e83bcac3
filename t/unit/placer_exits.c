/* SPDX-License-Identifier: ISC */
/*
 * How containers ended: what a device says of it, whatever else it says, and
 * what is told of it, also when the device has forgotten.
 */
#include "placer/exits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/limits.h"
#include "common/xmem.h"
#include "placer/device.h"
#include "placer/podstatus.h"
#include "placer/seen.h"

#define PREFIX "k8s-0123456789-"
#define APP PREFIX "default-web-de19433b"
#define NOW INT64_C(1795419780000)

/* A device whose status.systemd is that; what our names start with. */
static struct device *
device_read_as(const char *systemd, const char *prefix)
{
	AUTO_FREE char *text =
	    xasprintf("{\"metadata\":{\"name\":\"d\",\"creationTimestamp\":"
		      "\"2026-01-01T00:00:00Z\"},\"spec\":{},\"status\":"
		      "{\"systemd\":%s}}",
		systemd);
	struct why why = { .text = "" };
	struct device *d = device_parse(span_of(text), prefix, &why);

	cr_assert_not_null(d, "%s: %s", text, why.text);
	return d;
}

static struct device *
device_with(const char *systemd)
{
	return device_read_as(systemd, PREFIX);
}

static struct device *
device_that_says(const char *container, const char *description)
{
	AUTO_FREE char *list =
	    xasprintf("[{\"unit\":\"vk-" APP "_%s.service\",\"description\":"
		      "\"%s\"}]",
		container, description);

	return device_with(list);
}

enum {
	UNKNOWN = -1,
	ODD = -2,
};

Test(exits, what_systemd_says)
{
	static const struct {
		const char *description;
		int code, oom;
	} rows[] = {
		{ "success exited 0", 0, 0 },
		{ "exit-code exited 3", 3, 0 },
		{ "exit-code exited 255", 255, 0 },
		{ "signal killed KILL", 137, 0 },
		{ "signal killed TERM", 143, 0 },
		{ "core-dump dumped SEGV", 139, 0 },
		{ "oom-kill exited 137", 137, 1 },
		{ "oom-kill killed KILL", 137, 1 },
		{ "timeout killed ABRT", 134, 0 },
		/* a command before it failed */
		{ "exit-code  ", UNKNOWN, 0 },
		{ "exit-code", UNKNOWN, 0 },
		{ "", ODD, 0 },
		{ "exit-code exited", ODD, 0 },
		{ "exit-code exited 256", ODD, 0 },
		{ "exit-code exited -1", ODD, 0 },
		{ "exit-code exited -5", ODD, 0 },
		{ "exit-code exited +3", ODD, 0 },
		{ "exit-code exited 3x", ODD, 0 },
		{ "exit-code exited 3 4", ODD, 0 },
		{ "exit-code exited KILL", ODD, 0 },
		{ "signal killed 9", ODD, 0 },
		{ "signal killed ", ODD, 0 },
		{ "exit-code  3", ODD, 0 },
		{ "exit-code ended 3", ODD, 0 },
		{ "a-result-of-just-thirty-1-bytes exited 3", 3, 0 },
		{ "a-result-of-just-thirty-2-bytes. exited 3", ODD, 0 },
		{ "a-word-of-more-than-thirty-two-bytes exited 3", ODD, 0 },
		{ "/usr/bin/sleep 5", ODD, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *s = rows[i].description;
		struct device *d = device_that_says("web", s);
		const struct ended *e = exits_find(&d->exits, APP, "web");

		cr_expect_eq(d->exits.odd != NULL, rows[i].code == ODD, "%s",
		    s);
		cr_expect_eq(e != NULL, rows[i].code >= 0, "%s", s);
		if (e != NULL) {
			cr_expect_eq(e->code, rows[i].code, "%s", s);
			cr_expect_eq(e->oom, rows[i].oom, "%s", s);
		}
		device_free(d);
	}
}

Test(exits, whose_it_is)
{
	struct device *d = device_that_says("web", "exit-code exited 3");

	cr_expect_not_null(exits_find(&d->exits, APP, "web"));
	cr_expect_null(exits_find(&d->exits, APP, "we"));
	cr_expect_null(exits_find(&d->exits, APP, "web-2"));
	cr_expect_null(exits_find(&d->exits, PREFIX "default-we", "web"));
	cr_expect_null(exits_find(&d->exits, APP "0", "web"));
	cr_expect_null(
	    exits_find(&d->exits, PREFIX "default-web-de19433c", "web"));
	cr_expect_null(exits_find(&d->exits, APP, "log"));
	device_free(d);
	/* Ours by its name, and of no container. */
	d = device_with("[{\"unit\":\"vk-" APP "-web.service\","
			"\"description\":\"exit-code exited 3\"}]");
	cr_expect_eq(d->exits.n, 1);
	cr_expect_null(exits_find(&d->exits, APP, "web"));
	device_free(d);
}

/* Before the cluster is known. */
Test(exits, without_a_prefix_nothing_is_ours)
{
	static const char *const says[] = { "exit-code exited 3", "odd" };
	struct device *d;
	size_t i;

	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		AUTO_FREE char *list =
		    xasprintf("[{\"unit\":\"vk-" APP "_web.service\","
			      "\"description\":\"%s\"}]",
			says[i]);

		d = device_read_as(list, "");
		cr_expect_eq(d->exits.n, 0, "%s", says[i]);
		cr_expect_null(d->exits.odd, "%s", says[i]);
		device_free(d);
	}
}

Test(exits, no_name_is_longer_than_names_are)
{
	const int rest = (int)strlen("vk-" APP "_.service");
	struct device *d;
	int len;

	for (len = MAX_NAME; len <= MAX_NAME + 1; len++) {
		AUTO_FREE char *container = xasprintf("%0*d", len - rest, 7);

		d = device_that_says(container, "exit-code exited 3");
		cr_expect_eq(d->exits.n, len <= MAX_NAME, "%d", len);
		device_free(d);
	}
}

/* Nothing there is an error of the device; only a unit of ours can be odd. */
Test(exits, whatever_stands_there)
{
	static const char *const lists[] = { "null", "7", "{}", "[]",
		"[null,7,{},[]]", "[{\"unit\":7,\"description\":\"x\"}]",
		"[{\"unit\":\"sshd.service\",\"description\":\"x\"}]",
		"[{\"unit\":\"vk-\",\"description\":\"x\"}]",
		"[{\"unit\":\"ab-" APP "_web.service\"}]",
		"[{\"unit\":\"vk-k8s-9999999999-a_b.service\"}]",
		/* it went away while the agent was listing units */
		"[{\"unit\":\"vk-" APP "_a.service\",\"description\":\"vk-" APP
		"_a.service\"}]" };
	struct device *d;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		d = device_with(lists[i]);
		cr_expect_eq(d->exits.n, 0, "%s", lists[i]);
		cr_expect_null(d->exits.odd, "%s", lists[i]);
		device_free(d);
	}
	d = device_with("[{\"unit\":\"vk-" APP "_a.service\"},"
			"{\"unit\":\"vk-" APP "_b.service\",\"description\":7},"
			"{\"unit\":\"vk-" APP "_c.service\",\"description\":"
			"\"exit-code exited 4\"}]");
	cr_expect_str_eq(d->exits.odd, APP "_a.service");
	cr_expect_eq(d->exits.n, 1);
	cr_expect_eq(exits_find(&d->exits, APP, "c")->code, 4);
	device_free(d);
}

/* -- what is told -- */

struct told {
	int code; /* UNKNOWN: it is no such state */
	char reason[16];
	int unreported;
};

static struct json_object *
status_of(struct podstatus_in *in)
{
	struct json_object *status;
	struct podstatus s;

	podstatus_make(in, &s);
	status = jread_parse(span_of(s.json), NULL);
	podstatus_clear(&s);
	return status;
}

static struct told
told_of(struct json_object *c, const char *state)
{
	struct json_object *t =
	    jread_member(jread_member(c, state), "terminated");
	struct told told = { UNKNOWN, "", 0 };

	if (t == NULL)
		return told;
	told.code = json_object_get_int(jread_member(t, "exitCode"));
	(void)snprintf(told.reason, sizeof(told.reason), "%s",
	    jread_string(jread_member(t, "reason")));
	told.unreported = jread_member(t, "message") != NULL;
	return told;
}

/* The status of a pod of one container; it is then what the API says. */
static struct told
tell(struct podstatus_in *in, struct pod *pod, const char *state)
{
	struct json_object *status = status_of(in);
	struct told told;

	told = told_of(jread_item(jread_member(status, "containerStatuses"), 0),
	    state);
	seen_read(status, &pod->seen);
	pod->containers[0].told = (struct ended){ 0 };
	pod->containers[0].told_ms = 0;
	seen_ends(status, pod->containers, 1);
	json_object_put(status);
	return told;
}

/* A pod's end, or its last one, by what is reported; NULL: nothing is. */
static const struct row {
	const char *description;
	enum restart_policy restart;
	enum life_state state;
	enum app_state report;
	const char *in; /* the container's */
	struct told told;
} rows[] = {
	{ NULL, RESTART_NEVER, DONE, APP_ERROR, "state", { 1, "Error", 1 } },
	{ "exit-code exited 3", RESTART_NEVER, DONE, APP_ERROR, "state",
	    { 3, "Error", 0 } },
	{ "oom-kill exited 137", RESTART_NEVER, DONE, APP_ERROR, "state",
	    { 137, "OOMKilled", 0 } },
	{ "exit-code  ", RESTART_NEVER, DONE, APP_ERROR, "state",
	    { 1, "Error", 1 } },
	{ "what", RESTART_NEVER, DONE, APP_ERROR, "state", { 1, "Error", 1 } },
	{ "success exited 0", RESTART_NEVER, DONE, APP_COMPLETED, "state",
	    { 0, "Completed", 0 } },
	{ NULL, RESTART_NEVER, DONE, APP_COMPLETED, "state",
	    { 0, "Completed", 0 } },
	/* it waits to be started again */
	{ NULL, RESTART_ALWAYS, RUNNING, APP_ERROR, "lastState",
	    { 1, "Error", 1 } },
	{ "exit-code exited 5", RESTART_ALWAYS, RUNNING, APP_ERROR, "lastState",
	    { 5, "Error", 0 } },
	{ "success exited 0", RESTART_ALWAYS, RUNNING, APP_COMPLETED,
	    "lastState", { 0, "Completed", 0 } },
	/* and runs again */
	{ NULL, RESTART_ALWAYS, RUNNING, APP_RUNNING, "lastState",
	    { UNKNOWN, "", 0 } },
	{ "exit-code exited 5", RESTART_ALWAYS, RUNNING, APP_RUNNING,
	    "lastState", { 5, "Error", 0 } },
	{ "exit-code exited 5", RESTART_NEVER, RUNNING, APP_RUNNING,
	    "lastState", { UNKNOWN, "", 0 } },
	/* ended by us: what came before says nothing of it */
	{ "exit-code exited 5", RESTART_ALWAYS, TIMED_OUT, APP_RUNNING, "state",
	    { 1, "Error", 1 } },
};

static void
expect(const struct row *row, struct told told, const char *when)
{
	cr_expect(told.code == row->told.code &&
		strcmp(told.reason, row->told.reason) == 0 &&
		told.unreported == row->told.unreported,
	    "row %td, %s: %d %s %d", row - rows, when, told.code, told.reason,
	    told.unreported);
}

static void
try(const struct row *row)
{
	char name[] = "web", image[] = "x";
	const char *s = row->description;
	struct device *d =
	    s == NULL ? device_with("[]") : device_that_says("web", s);
	struct pod_container c = { .name = name, .image = image };
	struct app_report report = { .state = row->report,
		.ready = row->report == APP_RUNNING,
		.of = 1 };
	struct pod pod = { .containers = &c,
		.ncontainers = 1,
		.restart = row->restart };
	struct podstatus_in in = { .pod = &pod,
		.state = row->state,
		.app = APP,
		.exits = &d->exits,
		.device = "d",
		.report = &report,
		.applied = 1,
		.connected = 1,
		.report_final = row->state == DONE,
		.running_ms = 1,
		.now = { 0, NOW } };

	expect(row, tell(&in, &pod, row->in), "told");
	/* The application goes, and with it all that tells of it. */
	in.exits = NULL;
	in.report = NULL;
	if (row->state == DONE)
		expect(row, tell(&in, &pod, row->in), "told again");
	device_free(d);
}

Test(exits, what_is_told)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		try(&rows[i]);
}

/* -- one of two -- */

/* What is told of the first, by how it ended. */
static const struct {
	const char *description;
	enum restart_policy restart;
	const char *state;
} firsts[] = {
	{ "success exited 0", RESTART_NEVER, "terminated" },
	{ "exit-code exited 5", RESTART_NEVER, "terminated" },
	{ "success exited 0", RESTART_ON_FAILURE, "terminated" },
	{ "exit-code exited 5", RESTART_ON_FAILURE, "running" },
	{ "success exited 0", RESTART_ALWAYS, "running" },
	{ "exit-code  ", RESTART_NEVER, "running" },
};

static struct json_object *
container(struct json_object *status, int i)
{
	return jread_item(jread_member(status, "containerStatuses"), i);
}

static int
is_in(struct json_object *status, int i, const char *state)
{
	return jread_member(jread_member(container(status, i), "state"),
		   state) != NULL;
}

static int
flag(struct json_object *status, int i, const char *key)
{
	return json_object_get_boolean(jread_member(container(status, i), key));
}

static const char *
finished_at(struct json_object *status)
{
	return jread_string(
	    jread_member(jread_member(jread_member(container(status, 0),
					  "state"),
			     "terminated"),
		"finishedAt"));
}

static void
one_of_two(size_t i)
{
	char names[][8] = { "web", "log" }, image[] = "x", other[] = "y";
	struct device *d = device_that_says("web", firsts[i].description);
	struct pod_container c[] = { { .name = names[0], .image = image },
		{ .name = names[1], .image = image } };
	struct app_report report = { .state = APP_RUNNING,
		.ready = 2,
		.of = 3 };
	struct pod pod = { .containers = c,
		.ncontainers = 2,
		.restart = firsts[i].restart };
	struct podstatus_in in = { .pod = &pod,
		.state = RUNNING,
		.app = APP,
		.exits = &d->exits,
		.device = "d",
		.report = &report,
		.applied = 1,
		.connected = 1,
		.running_ms = 1,
		.now = { 0, NOW } };
	struct json_object *first = status_of(&in), *next;
	int over = strcmp(firsts[i].state, "terminated") == 0;

	cr_expect(is_in(first, 0, firsts[i].state), "row %zu", i);
	cr_expect(is_in(first, 1, "running"), "row %zu", i);
	cr_expect(!over || !flag(first, 0, "ready"), "row %zu", i);
	cr_expect_eq(flag(first, 0, "started"), !over, "row %zu", i);
	/* The device boots, and has forgotten; later, and of another image. */
	seen_read(first, &pod.seen);
	seen_ends(first, c, 2);
	in.exits = NULL;
	in.now.wall_ms += 60000;
	next = status_of(&in);
	cr_expect(is_in(next, 0, firsts[i].state), "row %zu, later", i);
	if (over)
		cr_expect_str_eq(finished_at(next), finished_at(first));
	json_object_put(next);
	c[0].image = other;
	c[0].told = (struct ended){ 0 };
	c[0].told_ms = 0;
	seen_ends(first, c, 2);
	next = status_of(&in);
	cr_expect(is_in(next, 0, "running"), "row %zu, another", i);
	json_object_put(next);
	json_object_put(first);
	device_free(d);
}

Test(exits, of_two_the_one_that_ended_for_good)
{
	size_t i;

	for (i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		one_of_two(i);
}
