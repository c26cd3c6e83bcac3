/* SPDX-License-Identifier: ISC */
/*
 * Silent devices: when a clock starts, resumes and stops and who is told, how
 * many at once are a brake, and how many evictions a minute may have.
 */
#include "placer/lost.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "placer/facts.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define NOW INT64_C(100000000)
#define MINUTE INT64_C(60000)
#define FLEET 20

static const struct now now = { .boot_ms = NOW, .wall_ms = 9 * NOW };

struct stage {
	struct world *w;
	struct wdevice *d[FLEET];
	struct wpod *p; /* on d[0] */
	struct effects fx;
};

static struct stage s;

static void
look_at_all(void)
{
	while (world_next_pod(s.w, NOW) != NULL)
		continue;
	while (world_next_device(s.w, NOW) != NULL)
		continue;
}

static void
set_up(void)
{
	char name[8];
	int i;

	memset(&s, 0, sizeof(s));
	s.w = fleet_world();
	for (i = 0; i < FLEET; i++) {
		snprintf(name, sizeof(name), "d%02d", i);
		s.d[i] = fleet_add(s.w,
		    &(struct fleet_device){ name, 8, 8192, NULL, NULL, NULL });
	}
	s.p = fleet_pod(s.w, "p", "1", "1Mi", NULL, NULL);
	world_seat(s.w, s.p, s.d[0]);
	s.p->sent = s.p->applied = 1;
	s.w->flight_reachable = s.w->kube_reachable = 1;
	look_at_all();
}

static void
tear_down(void)
{
	effects_clear(&s.fx);
	fleet_free(s.w);
	NO_LEAKS();
}

TestSuite(lost, .init = set_up, .fini = tear_down);

static const struct effect *
find(enum effect_kind kind, const char *reason)
{
	size_t i;

	for (i = 0; i < s.fx.n; i++)
		if (s.fx.list[i].kind == kind &&
		    (reason == NULL ||
			strcmp(s.fx.list[i].reason, reason) == 0))
			return &s.fx.list[i];
	return NULL;
}

static void
is_silent(struct wdevice *d, int64_t ms)
{
	d->dev->summary = DEVICE_UNKNOWN;
	d->unknown_boot = NOW - ms;
}

static void
has_clock(struct wdevice *d, int64_t ms)
{
	is_silent(d, ms);
	d->away_boot = NOW - ms;
}

Test(lost, a_clock_that_starts_is_saved_told_and_looked_at)
{
	is_silent(s.d[0], UNKNOWN_MS);
	s.d[0]->node->brake_stale = 0;
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, NOW);
	cr_assert_not_null(find(EFFECT_CLOCK, NULL));
	cr_expect_eq(find(EFFECT_CLOCK, NULL)->device, s.d[0]);
	cr_expect_not_null(find(EFFECT_EVENT, "DeviceDisconnected"));
	cr_expect(s.d[0]->node->brake_stale);
	cr_expect_eq(world_next_pod(s.w, NOW), s.p);
}

Test(lost, a_clock_that_stops_is_saved_and_told)
{
	has_clock(s.d[0], MINUTE);
	s.d[0]->dev->summary = DEVICE_ONLINE;
	s.d[0]->node->brake_stale = 0;
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, 0);
	cr_assert_not_null(find(EFFECT_CLOCK, NULL));
	cr_expect_not_null(find(EFFECT_EVENT, "DeviceReconnected"));
	cr_expect(s.d[0]->node->brake_stale);
}

Test(lost, what_is_gone_or_frozen_is_not_called_back)
{
	has_clock(s.d[0], MINUTE);
	s.d[0]->gone = 1;
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, 0);
	cr_expect_null(find(EFFECT_EVENT, "DeviceReconnected"));
}

Test(lost, nobody_is_lost_while_flightctl_does_not_answer)
{
	s.w->flight_reachable = 0;
	is_silent(s.d[0], UNKNOWN_MS);
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, 0);
}

/* -- a clock of before our start: the pods' conditions say since when -- */

static void
was_told(struct wpod *p, const char *device, int64_t wall_ms)
{
	static char names[8][8];
	static size_t n;

	snprintf(names[n], sizeof(names[n]), "%s", device);
	p->pod->told_device = names[n++];
	p->pod->seen.cond[COND_DEVICE].status = TRUTH_UNKNOWN;
	p->pod->seen.cond[COND_DEVICE].since_ms = wall_ms;
}

Test(lost, a_clock_goes_on_from_the_first_that_a_pod_was_told)
{
	struct wpod *q = fleet_pod(s.w, "q", "1", "1Mi", NULL, NULL);

	world_seat(s.w, q, s.d[0]);
	was_told(s.p, "d00", now.wall_ms - 2 * MINUTE);
	was_told(q, "d00", now.wall_ms - 3 * MINUTE);
	is_silent(s.d[0], 0);
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, NOW - 3 * MINUTE);
	cr_expect_not_null(find(EFFECT_CLOCK, NULL));
	cr_expect_null(find(EFFECT_EVENT, "DeviceDisconnected"));
	s.p->pod->told_device = q->pod->told_device = NULL;
}

Test(lost, what_was_told_of_another_device_or_in_the_future_is_no_clock)
{
	was_told(s.p, "d01", now.wall_ms - 2 * MINUTE);
	is_silent(s.d[0], 0);
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, 0);
	was_told(s.p, "d00", now.wall_ms + MINUTE);
	s.d[0]->unknown_boot = 0;
	lost_look(s.w, s.d[0], now, &s.fx);
	cr_expect_eq(s.d[0]->away_boot, 0);
	s.p->pod->told_device = NULL;
}

/* -- the brake -- */

static int
brakes(int n, int64_t apart_ms)
{
	struct wnode *node = &s.w->nodes[0];
	int i;

	for (i = 0; i < FLEET; i++)
		s.d[i]->away_boot = 0;
	for (i = 0; i < n; i++)
		has_clock(s.d[i], MINUTE + i * apart_ms);
	node->brake_stale = 1;
	lost_weigh(s.w, node, &s.fx);
	return node->brake;
}

Test(lost, more_than_thirty_in_a_hundred_within_ten_minutes_are_a_brake)
{
	cr_expect(!brakes(6, 0));
	cr_expect(brakes(7, 0));
	cr_expect(brakes(7, 10 * MINUTE / 6));
	cr_expect(!brakes(7, 10 * MINUTE / 6 + 1));
	cr_expect(!brakes(FLEET, 10 * MINUTE / 6 + 1));
}

Test(lost, a_brake_that_comes_or_goes_is_told_and_looked_at)
{
	cr_assert(brakes(7, 0));
	cr_assert_not_null(find(EFFECT_BRAKE, NULL));
	cr_expect_eq(find(EFFECT_BRAKE, NULL)->number, 1);
	cr_expect_eq(world_next_pod(s.w, NOW), s.p);
	effects_clear(&s.fx);
	cr_assert(!brakes(6, 0));
	cr_assert_not_null(find(EFFECT_BRAKE, NULL));
	cr_expect_eq(find(EFFECT_BRAKE, NULL)->number, 0);
	cr_expect_eq(world_next_pod(s.w, NOW), s.p);
}

/* -- evictions -- */

static size_t
evict(int n, int from, struct now at)
{
	struct wpod *p;
	char name[16];
	size_t done = 0;
	int i;

	for (i = from; i < from + n; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		p = fleet_pod(s.w, name, "1m", "1Mi", NULL, NULL);
		world_seat(s.w, p, s.d[0]);
		effects_clear(&s.fx);
		look_at_all();
		lost_evict(s.w, p, at, &s.fx);
		done += find(EFFECT_DELETE, NULL) != NULL;
	}
	return done;
}

Test(lost, never_more_evictions_a_minute_than_are_set)
{
	struct now later = now;
	int rate = (int)s.w->set->number[SET_EVICT_RATE];

	cr_expect_eq(evict(rate, 0, now), (size_t)rate);
	cr_expect_eq(evict(2, 100, now), 0);
	cr_expect_eq(world_next_due(s.w), NOW + MINUTE, "they come then");
	later.boot_ms += MINUTE - 1;
	cr_expect_eq(evict(1, 200, later), 0);
	later.boot_ms++;
	cr_expect_eq(evict(rate + 1, 300, later), (size_t)rate);
}

Test(lost, nobody_is_evicted_twice)
{
	s.p->evicted = 1;
	lost_evict(s.w, s.p, now, &s.fx);
	cr_expect_null(find(EFFECT_DELETE, NULL));
}

/* -- in time -- */

Test(lost, a_doubt_becomes_a_clock_in_time)
{
	is_silent(s.d[0], 0);
	lost_arm_device(s.w, s.d[0], now);
	cr_expect_eq(world_next_due(s.w), NOW + UNKNOWN_MS);
}

Test(lost, a_pod_is_looked_at_when_its_clock_runs_out)
{
	has_clock(s.d[0], MINUTE);
	lost_arm_pod(s.w, s.p, now);
	cr_expect_eq(world_next_due(s.w), NOW - MINUTE + s.w->reconnect_ms);
}

Test(lost, before_a_pod_pays_its_device_is_read_afresh_again_and_again)
{
	has_clock(s.d[0], s.w->reconnect_ms);
	s.d[0]->read_boot = NOW - FRESH_MS - 1;
	lost_arm_pod(s.w, s.p, now);
	cr_expect_eq(s.d[0]->want_read, READ_SUSPECT);
	cr_expect_eq(world_next_device(s.w, NOW), s.d[0]);
	cr_expect_leq(world_next_due(s.w), NOW + 5000);
}
