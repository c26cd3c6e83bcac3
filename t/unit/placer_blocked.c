/* SPDX-License-Identifier: ISC */
/*
 * Who is no suspect, how long a version may hang, and how long an image that
 * is being fetched may hold up others: each case one device with two pods.
 */
#include "placer/suspect.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define START INT64_C(1000000)

static struct stage {
	struct world *w;
	struct wdevice *d;
	struct wpod *p[2];
	struct app_entry entries[2];
	struct app_report reports[2];
	char since[8], names_p0[64];
} s;

static struct now
at(int64_t ms)
{
	return (struct now){ .boot_ms = START + ms, .wall_ms = START + ms };
}

static void
set_up(void)
{
	char name[8];
	int i;

	s = (struct stage){ .w = fleet_world(),
		.since = "1",
		.names_p0 = "While Preparing: prefetch failed for k8s-p0: x" };
	s.d = fleet_add(s.w,
	    &(struct fleet_device){ "d", 64, 8192, NULL, NULL, NULL });
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		s.p[i] = fleet_pod(s.w, name, "1", "1Mi", NULL, NULL);
		world_seat(s.w, s.p[i], s.d);
		snprintf(s.p[i]->app, sizeof(s.p[i]->app), "k8s-%s", name);
		s.p[i]->sent = 1;
		s.entries[i].name = s.reports[i].name = s.p[i]->app;
		s.reports[i].state = APP_ERROR;
	}
	s.d->dev->entries = s.entries;
	s.d->dev->nentries = 2;
	s.d->dev->reports = s.reports;
	s.d->dev->nreports = 2;
	s.d->dev->rendered = 1;
	s.d->dev->update_since = s.since;
}

static void
tear_down(void)
{
	s.d->dev->entries = NULL;
	s.d->dev->reports = NULL;
	s.d->dev->nentries = s.d->dev->nreports = 0;
	fleet_free(s.w);
	NO_LEAKS();
}

TestSuite(blocked, .init = set_up, .fini = tear_down);

static enum spec_version
version(int64_t ms)
{
	return suspect_version(s.w, s.d, 1, at(ms));
}

static void
fetches(char *words)
{
	static char preparing[] = "Preparing";

	s.d->dev->update_reason = preparing;
	s.d->dev->update_message = words;
}

/* -- who is a suspect -- */

Test(blocked, what_runs_though_we_never_saw_it_applied_is_suspected_last)
{
	s.d->dev->failed = 1;
	s.reports[0].state = APP_RUNNING;
	suspect_judge(s.w, s.d, at(0));
	cr_expect(!s.p[0]->blamed && s.p[1]->blamed);
}

Test(blocked, what_is_reported_and_does_not_run_is_suspected)
{
	s.d->dev->failed = 1;
	suspect_judge(s.w, s.d, at(0));
	cr_expect(!s.p[0]->blamed && !s.p[1]->blamed);
	cr_expect(s.d->isolating);
}

Test(blocked, what_is_put_back_as_it_ran_is_no_suspect)
{
	s.d->dev->failed = 1;
	s.p[0]->reverting = 1;
	suspect_judge(s.w, s.d, at(0));
	cr_expect(!s.p[0]->blamed && s.p[1]->blamed);
}

/* -- what the device says -- */

Test(blocked, a_version_that_does_not_move_hangs_after_its_time)
{
	cr_expect_eq(version(0), UNDERWAY);
	cr_expect_eq(version(s.w->apply_ms - 1), UNDERWAY);
	cr_expect_eq(version(s.w->apply_ms), HUNG);
}

Test(blocked, what_fetches_has_longer)
{
	fetches(NULL);
	cr_expect_eq(version(0), UNDERWAY);
	cr_expect_eq(version(s.w->apply_ms), UNDERWAY);
	cr_expect_eq(version(s.w->pull_ms - 1), UNDERWAY);
	cr_expect_eq(version(s.w->pull_ms), HUNG);
}

Test(blocked, nobody_else_is_judged_while_the_guilty_one_is_there)
{
	s.d->dev->failed = 1;
	cr_expect_eq(version(0), BROKEN);
	s.p[0]->blamed = 1;
	cr_expect_eq(version(1), JUDGED);
	s.d->dev->failed = 0;
	cr_expect_eq(version(2), UNDERWAY);
	cr_expect_eq(version(2 + s.w->apply_ms), UNDERWAY);
}

Test(blocked, a_failure_of_before_our_memory_is_none_unless_it_lasts)
{
	s.w->forgot = 1;
	s.d->dev->failed = 1;
	suspect_first_read(s.w, s.d);
	cr_expect_eq(version(0), INNOCENT);
	cr_expect_eq(version(s.w->apply_ms), HUNG);
	s.since[0] = '2';
	cr_expect_eq(version(1), BROKEN, "that is another one");
}

/* -- who holds up others -- */

Test(blocked, an_image_holds_up_others_for_a_minute_then_for_two)
{
	fetches(s.names_p0);
	cr_expect_eq(version(0), UNDERWAY);
	cr_expect_eq(version(SUSPECT_FETCH_MS - 1), UNDERWAY);
	cr_assert_eq(version(SUSPECT_FETCH_MS), BLOCKED);
	suspect_park(s.w, s.d);
	cr_expect(s.p[0]->withheld && !s.p[1]->withheld);
	s.p[0]->withheld = 0;
	cr_expect_eq(version(SUSPECT_FETCH_MS), UNDERWAY);
	cr_expect_eq(version(2 * SUSPECT_FETCH_MS), UNDERWAY);
	cr_assert_eq(version(3 * SUSPECT_FETCH_MS), BLOCKED);
	suspect_park(s.w, s.d);
	suspect_release(s.w, s.d);
	s.d->dev->settled = s.d->dev->applied = 1;
	cr_expect_eq(version(3 * SUSPECT_FETCH_MS), SETTLED);
	s.d->dev->settled = s.d->dev->applied = 0;
	cr_expect_eq(version(4 * SUSPECT_FETCH_MS), UNDERWAY);
	cr_expect_eq(version(5 * SUSPECT_FETCH_MS), BLOCKED,
	    "what settled starts again with a minute");
}

Test(blocked, a_removal_waits_ten_seconds_and_parks_all_that_is_fetched)
{
	fetches(s.names_p0);
	s.p[1]->state = LEAVING;
	s.d->dev->nentries = 1;
	s.p[0]->pod->containers[0].image = (char[]){ "another" };
	s.d->dev->update_message = (char[]){ "1/2 images complete" };
	cr_expect_eq(version(0), UNDERWAY);
	cr_expect_eq(version(SUSPECT_REMOVAL_MS - 1), UNDERWAY);
	cr_assert_eq(version(SUSPECT_REMOVAL_MS), BLOCKED);
	suspect_park(s.w, s.d);
	cr_expect(s.p[0]->withheld, "whoever is named or not");
	cr_expect_eq(s.d->parked, 0, "that is not its fault");
}

Test(blocked, the_end_of_a_search_lets_those_that_wait_try_again)
{
	s.d->isolating = 1;
	s.w->nodes[0].retry = 0;
	suspect_release(s.w, s.d);
	cr_expect(!s.d->isolating);
	cr_expect(s.w->nodes[0].retry);
}
