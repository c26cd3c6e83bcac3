/* SPDX-License-Identifier: ISC */
/*
 * However the server fails, and however often the placer asks, few requests
 * of pods are sent that failed before; all go when it fails no more.  In leaps
 * (leap.h).
 */
#include <event2/event.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/mono.h"
#include "common/xevent.h"
#include "kubeside/api.h"
#include "kubeside/calls.h"
#include "kubeside/events.h"
#include "t/unit/apiserver.h"
#include "t/unit/leap.h"

enum {
	PODS = 40,
	AGAIN_MS = 500, /* the placer waits for seconds, and longer */
	MINUTE_MS = 60000,
	MINUTES = 3,
	UNTIL_MS = 10000, /* a writer's Lease */
	SOON_MS = 30000,
	NOBODY = -1,
};

enum what {
	STATUS,
	DELETE,
	READ,
	EVENT,
};

static struct calls *calls;
static struct events *events;
static struct pods *pods;
static enum what what;
static int answer; /* the server's, to all others */
static int well;   /* of this pod: it is taken */
static struct event *again[PODS];
static int taken[PODS];

/* --- the server ----------------------------------------------------------- */

static int
is_of(size_t i, int pod)
{
	char name[32];

	snprintf(name, sizeof(name), "/p%d", pod);
	return strstr(apiserver_asked[i].target, name) != NULL &&
	    strlen(strstr(apiserver_asked[i].target, name)) <
	    strlen(name) + sizeof("/status");
}

static void
on_asked(size_t i)
{
	if (well != NOBODY && is_of(i, well))
		apiserver_reply(i, 200, "{\"kind\":\"Pod\"}");
	else
		apiserver_reply(i, answer, "{}");
}

/* --- the placer ----------------------------------------------------------- */

static void
ask(int i)
{
	struct body_pod_status s = { .ns = "ns", .status = span_of("{}") };
	struct body_pod_delete d = { .ns = "ns" };
	struct body_get_object o = { .kind = OBJECT_SECRET,
		.ns = "ns",
		.name = "s" };
	struct body_event e = { .node = "n", .ns = "ns", .reason = "R" };

	switch (what) {
	case STATUS:
		s.until_boot = (uint64_t)now_read().boot_ms + UNTIL_MS;
		snprintf(s.name, sizeof(s.name), "p%d", i);
		snprintf(s.uid, sizeof(s.uid), "u%d", i);
		calls_status(calls, (uint64_t)i, 0, &s);
		break;
	case DELETE:
		d.until_boot = (uint64_t)now_read().boot_ms + UNTIL_MS;
		snprintf(d.name, sizeof(d.name), "p%d", i);
		snprintf(d.uid, sizeof(d.uid), "u%d", i);
		calls_delete(calls, (uint64_t)i, 0, &d);
		break;
	case READ:
		snprintf(o.pod_uid, sizeof(o.pod_uid), "u%d", i);
		calls_object(calls, (uint64_t)i, &o);
		break;
	case EVENT:
		snprintf(e.pod_name, sizeof(e.pod_name), "p%d", i);
		snprintf(e.uid, sizeof(e.uid), "u%d", i);
		events_post(events, &e);
		xevent_in(again[i], AGAIN_MS);
		break;
	}
}

static void
on_again(evutil_socket_t fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	ask((int)((struct event **)arg - again));
}

static void
on_done(uint64_t id, const struct why *why, void *arg)
{
	(void)arg;
	if (why->kind == ERR_NONE)
		taken[id]++;
	else
		xevent_in(again[id], AGAIN_MS);
}

static void
on_object(uint64_t id, struct span object, void *arg)
{
	(void)object;
	(void)arg;
	taken[id]++;
}

static int64_t
on_until(unsigned int node, void *arg)
{
	(void)node;
	(void)arg;
	return now_read().boot_ms + UNTIL_MS;
}

static void
set_up(void)
{
	static const struct calls_ops ops = { on_done, on_object, on_until };
	struct api *api = apiserver_open();
	char text[256];
	int i;

	apiserver_asks = on_asked;
	well = NOBODY;
	pods = pods_new();
	calls = calls_new(apiserver_base, api, pods, &ops, NULL);
	events = events_new(apiserver_base, api);
	pods_list_begin(pods, 0);
	for (i = 0; i < PODS; i++) {
		again[i] = xevent_timer(apiserver_base, on_again, &again[i]);
		snprintf(text, sizeof(text),
		    "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"p%d\","
		    "\"uid\":\"u%d\"},\"spec\":{\"nodeName\":\"n\","
		    "\"volumes\":[{\"secret\":{\"secretName\":\"s\"}}]}}",
		    i, i);
		pods_see(pods, 0, "n", span_of(text), NULL);
	}
	pods_list_end(pods, 0);
	leap_at_once(1);
}

static void
tear_down(void)
{
	int i;

	leap_at_once(0);
	for (i = 0; i < PODS; i++)
		event_free(again[i]);
	calls_free(calls);
	events_free(events);
	pods_free(pods);
	apiserver_close();
}

TestSuite(storm, .init = set_up, .fini = tear_down);

static void
on_end(evutil_socket_t fd, short event, void *arg)
{
	(void)fd;
	(void)event;
	*(int *)arg = 1;
}

static void
run_for(int64_t ms)
{
	int over = 0;
	struct event *end = xevent_timer(apiserver_base, on_end, &over);

	xevent_in(end, ms);
	while (!over)
		event_base_loop(apiserver_base, EVLOOP_ONCE);
	event_free(end);
}

static void
ask_all(int n)
{
	int i;

	for (i = 0; i < n; i++)
		ask(i);
}

static int
count_taken(void)
{
	int i, n = 0;

	for (i = 0; i < PODS; i++)
		n += taken[i] > 0;
	return n;
}

/*
 * Each first one is free; so many more each minute.  Of all, for one that was
 * sent may arrive after a leap.
 */
static void
is_bounded(int status, unsigned int burst, unsigned int a_minute)
{
	size_t from = apiserver_count, n;
	unsigned int minute;

	answer = status;
	ask_all(PODS);
	for (minute = 1; minute <= MINUTES; minute++) {
		run_for(MINUTE_MS);
		n = apiserver_count - from;
		cr_expect_leq(n, PODS + burst + minute * a_minute + 1,
		    "%d, minute %u: %zu", status, minute, n);
	}
	cr_expect_eq(count_taken(), 0);
}

/* What waited goes without a wait. */
static void
all_go(void)
{
	answer = 200;
	run_for(SOON_MS);
	cr_expect_eq(count_taken(), PODS, "%d of %d", count_taken(), PODS);
}

static void
storm(enum what w, int status)
{
	what = w;
	is_bounded(status, CALLS_BURST, CALLS_A_MINUTE);
	all_go();
}

Test(storm, of_statuses_that_are_no_good)
{
	storm(STATUS, 422);
}

Test(storm, of_redirections)
{
	storm(STATUS, 302);
}

Test(storm, of_errors)
{
	storm(STATUS, 500);
}

Test(storm, of_a_server_that_has_no_time)
{
	storm(STATUS, 503);
}

Test(storm, of_what_is_not_allowed)
{
	storm(STATUS, 403);
}

Test(storm, of_deletes)
{
	storm(DELETE, 422);
}

Test(storm, of_objects)
{
	storm(READ, 500);
}

/* Who failed once is not behind those who fail for ever. */
Test(storm, is_not_paid_by_others)
{
	what = STATUS;
	answer = 422;
	ask_all(PODS - 1);
	run_for(MINUTE_MS);
	ask(PODS - 1);
	run_for(AGAIN_MS);
	well = PODS - 1;
	run_for(SOON_MS / 6);
	cr_expect_eq(taken[well], 1);
	cr_expect_eq(count_taken(), 1);
}

Test(storm, of_events)
{
	what = EVENT;
	is_bounded(403, EVENTS_BURST, EVENTS_A_MINUTE);
}
