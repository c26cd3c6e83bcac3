/* SPDX-License-Identifier: ISC */
/*
 * What is told goes into the world, absence only at the end of a complete
 * list, and what is malformed harms nobody else.
 */
#include "placer/intake.h"

#include <bsd/string.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

static const struct now now = { 1000 * 1000, INT64_C(1795419780000) };
static int warnings;
static char told[4096]; /* the last of them: what it is about, and why */

static void
on_line(const struct body_log *line, void *arg)
{
	(void)arg;
	if (line->level > LOG_LEVEL_WARN)
		return;
	warnings++;
	(void)snprintf(told, sizeof(told), "%s|%s|%s|%s", line->pod,
	    line->fleet, line->text, line->error);
}

static void
listen_to_logs(void)
{
	log_set_sink(on_line, NULL);
}

TestSuite(intake, .init = listen_to_logs);

static struct body_pods
pods_of(const struct world *w)
{
	struct body_pods m = { .node = "" };

	(void)strlcpy(m.node, w->nodes[0].name, sizeof(m.node));
	return m;
}

static void
pod(struct world *w, const char *name, enum pod_how how, const char *more)
{
	AUTO_FREE char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"%s\","
	    "\"namespace\":\"default\",\"uid\":\"uid-%s\","
	    "\"creationTimestamp\":\"2026-01-01T00:00:00Z\"%s},\"spec\":{"
	    "\"nodeName\":\"%s\",\"containers\":[{\"name\":\"c\",\"image\":"
	    "\"x\"}]}}",
	    name, name, more, w->nodes[0].name);
	struct body_pod m = { .how = how, .object = span_of(text) };

	(void)strlcpy(m.node, w->nodes[0].name, sizeof(m.node));
	intake_pod(w, &m);
}

static struct wpod *
known(struct world *w, const char *name)
{
	AUTO_FREE char *uid = xasprintf("uid-%s", name);
	struct wpod *p = world_pod(w, uid);

	return p != NULL && p->pod != NULL ? p : NULL;
}

Test(intake, a_pod_is_gone_when_a_complete_list_is_without_it)
{
	struct world *w = fleet_world();
	struct body_pods m = pods_of(w);

	pod(w, "a", POD_ADDED, "");
	pod(w, "b", POD_ADDED, "");
	intake_pods_begin(w, &m);
	pod(w, "b", POD_LISTED, "");
	cr_assert_not_null(known(w, "a"), "the list is not yet complete");
	intake_pods_end(w, &m);
	cr_assert_null(known(w, "a"));
	cr_assert_not_null(known(w, "b"));
	pod(w, "b", POD_DELETED, "");
	cr_assert_null(known(w, "b"));
	pod(w, "never", POD_DELETED, "");
	cr_assert_null(known(w, "never"));
	fleet_free(w);
	NO_LEAKS();
}

Test(intake, a_link_that_ends_takes_its_certainty_along)
{
	struct world *w = fleet_world();
	struct body_pods m = pods_of(w);

	w->nodes[0].until_boot = INT64_MAX;
	intake_kube_lost(w);
	cr_assert(!w->nodes[0].pods_listed && w->nodes[0].until_boot == 0);
	intake_pods_end(w, &m);
	cr_assert(!w->nodes[0].pods_listed, "an end without a beginning");
	w->flight_reachable = 1;
	intake_flight_lost(w, (struct now){ 1000, 0 });
	cr_assert(!w->devices_listed && !w->flight_up);
	cr_assert_eq(intake_due(w), 11000);
	intake_look(w, (struct now){ 10999, 0 });
	cr_assert(w->flight_reachable, "it may be back at once");
	intake_flight_linked(w);
	cr_assert_eq(intake_due(w), INT64_MAX);
	intake_look(w, (struct now){ 99000, 0 });
	cr_assert(w->flight_reachable && w->flight_up);
	intake_flight_lost(w, (struct now){ 99000, 0 });
	intake_look(w, (struct now){ 109000, 0 });
	cr_assert(!w->flight_reachable && w->flight_state == FLIGHT_SILENT);
	cr_assert_str_eq(w->flight_text, "flightside is away");
	cr_assert_eq(intake_due(w), INT64_MAX, "told once");
	fleet_free(w);
	NO_LEAKS();
}

/* Clocks begin anew after any time in which devices could not be seen. */
Test(intake, only_while_flightctl_answers_clocks_run)
{
	struct world *w = fleet_world();
	struct body_flight_state m = { .state = FLIGHT_ANSWERS };
	struct now at = { 1000, 0 };
	unsigned int how;

	for (how = 0; how <= FLIGHT_STATES; how++) {
		m.state = how;
		w->flight_known = 0;
		intake_flight_state(w, &m, at);
		cr_expect_eq(w->flight_reachable, how == FLIGHT_ANSWERS);
		cr_expect_eq(w->flight_known, how != FLIGHT_ANSWERS,
		    "there is no list to wait for");
		m.state = FLIGHT_ANSWERS;
		at.boot_ms += 1000;
		intake_flight_state(w, &m, at);
		cr_expect(w->flight_reachable);
		if (how != FLIGHT_ANSWERS)
			cr_expect_eq(w->flight_since, at.boot_ms);
	}
	fleet_free(w);
	NO_LEAKS();
}

Test(intake, after_a_429_writes_gather_for_what_is_left)
{
	struct world *w = fleet_world();
	struct body_flight_state m = { .state = FLIGHT_ANSWERS };
	struct now at = { 1000, 0 };
	int64_t set = w->pace.set, tick = pace_tick_ms(&w->pace);

	m.rate = (uint32_t)set / 2;
	intake_flight_state(w, &m, at);
	cr_expect_eq(w->pace.rate, set / 2);
	cr_expect_geq(pace_tick_ms(&w->pace), tick);
	m.rate = 0; /* not said: as before */
	intake_flight_state(w, &m, at);
	cr_expect_eq(w->pace.rate, set / 2);
	m.rate = (uint32_t)set + 1; /* never more than is set */
	intake_flight_state(w, &m, at);
	cr_expect_eq(w->pace.rate, set);
	fleet_free(w);
	NO_LEAKS();
}

Test(intake, what_is_no_pod_is_one_line_and_harms_nobody)
{
	struct world *w = fleet_world();
	struct body_pod m = { .how = POD_ADDED, .object = span_of("{\"a\":") };

	warnings = 0;
	intake_pod(w, &m);
	cr_assert_eq(warnings, 1);
	pod(w, "a", POD_ADDED,
	    ",\"annotations\":{\"vk.flightctl.io/"
	    "reconnect-timeout\":\"soon\"}");
	cr_assert_eq(warnings, 2);
	cr_assert_not_null(known(w, "a"), "a wish is wrong, the pod is not");
	fleet_free(w);
	NO_LEAKS();
}

/* Its name is; what else is in it has come to harm on the way. */
Test(intake, a_pod_that_cannot_be_read_in_a_list_is_not_gone)
{
	struct world *w = fleet_world();
	struct body_pods m = pods_of(w);
	struct body_pod bad = { .how = POD_LISTED,
		.object =
		    span_of("{\"metadata\":{\"namespace\":\"default\","
			    "\"name\":\"a\",\"uid\":\"uid-a\"},"
			    "\"spec\":{\"containers\":[\"\xff\xfe{]\"]}}") };

	memcpy(bad.node, m.node, sizeof(bad.node));
	pod(w, "a", POD_ADDED, "");
	pod(w, "b", POD_ADDED, "");
	intake_pods_begin(w, &m);
	intake_pod(w, &bad);
	intake_pods_end(w, &m);
	cr_assert_not_null(known(w, "a"));
	cr_assert_null(known(w, "b"));
	fleet_free(w);
	NO_LEAKS();
}

static void
device(struct world *w, const char *name, const char *more, uint64_t read_boot,
    struct effects *fx)
{
	AUTO_FREE char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"%s\","
	    "\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{}%s}",
	    name, more);
	struct body_device m = { .read_boot = read_boot,
		.object = span_of(text) };

	intake_device(w, &m, now, fx);
}

Test(intake, a_device_that_cannot_be_read_is_frozen_and_not_gone)
{
	struct world *w = fleet_world();
	struct effects fx = { NULL, 0, 0 };
	struct body_devices list = { .complete = 1 };
	struct body_device_bad bad = { .name = "d", .kind = ERR_LIMIT };

	warnings = 0;
	device(w, "d", "", 1, &fx);
	device(w, "e", ",\"status\":{\"conditions\":7}", 1, &fx);
	cr_assert_eq(warnings, 1);
	cr_assert(world_device(w, "e")->unreadable);
	intake_devices_begin(w, &list);
	intake_device_bad(w, &bad);
	intake_devices_end(w, &list);
	cr_assert(world_device(w, "d")->unreadable);
	cr_assert(!world_device(w, "d")->gone);
	cr_assert(world_device(w, "e")->want_read, "absent is not yet gone");
	device(w, "d", "", 2, &fx);
	cr_assert(!world_device(w, "d")->unreadable);
	effects_clear(&fx);
	fleet_free(w);
	NO_LEAKS();
}

Test(intake, a_unit_that_tells_nothing_is_one_line_and_harms_nothing)
{
	struct world *w = fleet_world();
	struct effects fx = { NULL, 0, 0 };
	const char *more =
	    ",\"status\":{\"systemd\":[{\"unit\":"
	    "\"vk-k8s-0123456789-a_b.service\",\"description\":\"so so\"}]}";

	(void)strlcpy(w->prefix, "k8s-0123456789-", sizeof(w->prefix));
	warnings = 0;
	device(w, "d", more, 1, &fx);
	device(w, "d", more, 2, &fx);
	cr_assert_eq(warnings, 1);
	cr_assert(!world_device(w, "d")->unreadable);
	device(w, "d", "", 3, &fx);
	cr_assert_eq(warnings, 1);
	effects_clear(&fx);
	fleet_free(w);
	NO_LEAKS();
}

static void
labels(struct world *w, const char *text)
{
	struct body_node m = { .labels = span_of(text) };

	(void)strlcpy(m.node, w->nodes[0].name, sizeof(m.node));
	intake_node(w, &m);
}

static void
nameless_device(struct world *w, const char *text)
{
	struct body_device m = { .read_boot = 1, .object = span_of(text) };
	struct effects fx = { NULL, 0, 0 };

	intake_device(w, &m, now, &fx);
	cr_expect_eq(fx.n, 0);
	effects_clear(&fx);
}

static void
pod_of_another(struct world *w, const char *node)
{
	struct body_pod m = { .how = POD_ADDED };
	AUTO_FREE char *text = xasprintf(
	    "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\",\"uid\":"
	    "\"u\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},"
	    "\"spec\":{\"nodeName\":\"%s\",\"containers\":[{\"name\":\"c\","
	    "\"image\":\"x\"}]}}",
	    node);

	m.object = span_of(text);
	(void)strlcpy(m.node, node, sizeof(m.node));
	intake_pod(w, &m);
}

static void
one_pod_more(struct world *w, const char *name)
{
	w->npods += MAX_PODS;
	pod(w, name, POD_ADDED, "");
	w->npods -= MAX_PODS;
}

Test(intake, what_is_left_alone_is_told_with_what_it_is_about)
{
	static const struct {
		void (*take)(struct world *, const char *);
		const char *what, *told;
	} cases[] = {
		{ labels, "{",
		    "||the labels of node vk-flightctl cannot be "
		    "read|JSON: unexpected end of data near byte 1" },
		{ nameless_device, "{\"metadata\":{}}",
		    "||a device without a name is left alone|"
		    "metadata.name: not there" },
		{ pod_of_another, "worker-1",
		    "default/a||a pod that is not of a node of ours is left "
		    "alone|" },
		{ one_pod_more, "b",
		    "default/b||more than 10000 pods: it is not taken|" },
	};
	struct world *w = fleet_world();
	size_t i;

	warnings = 0;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cases[i].take(w, cases[i].what);
		cr_expect_eq(warnings, (int)i + 1);
		cr_expect_str_eq(told, cases[i].told);
	}
	cr_expect_eq(w->npods, 0);
	cr_expect(TAILQ_EMPTY(&w->nodes[0].devices));
	fleet_free(w);
	NO_LEAKS();
}

Test(intake, an_answer_that_was_overtaken_is_dropped)
{
	struct world *w = fleet_world();
	struct effects fx = { NULL, 0, 0 };
	const char *online =
	    ",\"status\":{\"summary\":{\"status\":\"Online\"}}";

	device(w, "d", online, 5, &fx);
	device(w, "d", "", 4, &fx);
	cr_assert_eq(world_device(w, "d")->dev->summary, DEVICE_ONLINE);
	device(w, "d", "", 5, &fx);
	cr_assert_eq(world_device(w, "d")->dev->summary, DEVICE_UNKNOWN);
	effects_clear(&fx);
	fleet_free(w);
	NO_LEAKS();
}

Test(intake, a_list_that_broke_off_says_nothing_of_who_is_absent)
{
	struct world *w = fleet_world();
	struct effects fx = { NULL, 0, 0 };
	struct body_devices list = { .complete = 0 };

	device(w, "d", "", 1, &fx);
	w->devices_listed = 0;
	intake_devices_begin(w, &list);
	intake_devices_end(w, &list);
	cr_assert(!w->devices_listed);
	cr_assert(!world_device(w, "d")->want_read);
	effects_clear(&fx);
	fleet_free(w);
	NO_LEAKS();
}
