/* SPDX-License-Identifier: ISC */
/*
 * The machine of one device's spec: when it writes, what an answer makes of
 * what was on its way, and who is found guilty.
 */
#include "placer/change.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/again.h"
#include "placer/suspect.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define NOW INT64_C(1000000)

enum {
	PODS = 5
};

struct stage {
	struct world *w;
	struct wdevice *d;
	struct wpod *p[PODS];
	struct app_entry entries[PODS];
	struct effects fx;
};

static struct now
at(int64_t ms)
{
	return (struct now){ NOW + ms, NOW + ms };
}

static void
set_up(struct stage *s)
{
	char name[8];
	int i;

	*s = (struct stage){ .w = fleet_world() };
	s->d = fleet_add(s->w,
	    &(struct fleet_device){ "d", 8, 8192, NULL, NULL, NULL });
	s->d->dev->rendered = s->d->dev->settled = s->d->dev->applied = 1;
	s->d->dev->generation = 1;
	s->w->nodes[0].until_boot = INT64_MAX;
	s->w->devices_listed = s->w->flight_reachable = 1;
	for (i = 0; i < PODS; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		s->p[i] = fleet_pod(s->w, name, "1", "1Mi", NULL, NULL);
		world_seat(s->w, s->p[i], s->d);
		snprintf(s->p[i]->app, sizeof(s->p[i]->app), "k8s-%s", name);
		s->entries[i].name = s->p[i]->app;
	}
}

static void
tear_down(struct stage *s)
{
	effects_clear(&s->fx);
	fleet_free(s->w);
}

static int
writes(struct stage *s, int64_t ms)
{
	size_t i;
	int n = 0;

	effects_clear(&s->fx);
	change_look(s->w, s->d, at(ms), &s->fx);
	for (i = 0; i < s->fx.n; i++)
		n += s->fx.list[i].kind == EFFECT_CHANGE;
	return n;
}

static void
answer(struct stage *s, enum why_kind kind, int64_t ms)
{
	change_answered(s->w, s->d,
	    &(struct change_answer){ .kind = kind,
		.generation = 2,
		.created = s->d->dev->created,
		.text = "the rule" },
	    at(ms));
}

/* All in the spec and sent, as after a write that was stored. */
static void
all_sent(struct stage *s)
{
	static char since[] = "2026-01-01T00:00:00Z";
	int i;

	for (i = 0; i < PODS; i++)
		s->p[i]->sent = 1;
	s->d->dev->entries = s->entries;
	s->d->dev->nentries = PODS;
	s->d->dev->settled = s->d->dev->applied = 0;
	s->d->dev->update_since = since;
}

/* Its report came in at that time. */
static void
reported(struct stage *s, struct app_report *r, uint16_t of, int64_t ms)
{
	r->state = APP_RUNNING;
	r->ready = r->of = of;
	s->d->dev->reports = r;
	s->d->dev->nreports = 1;
	s->d->read_boot = NOW + ms;
	change_read(s->w, s->d, at(ms), &s->fx);
	s->d->dev->nreports = 0;
	s->d->dev->reports = NULL;
}

Test(change, a_pod_runs_when_its_main_container_does)
{
	static const char init[] =
	    "\"initContainers\":[{\"name\":\"i\",\"image\":\"x\"}]";
	struct app_report r = { 0 };
	struct stage s;
	struct wpod *p;

	set_up(&s);
	p = fleet_pod(s.w, "init", "1", "1Mi", NULL, init);
	world_seat(s.w, p, s.d);
	snprintf(p->app, sizeof(p->app), "k8s-init");
	p->pod->order_ms = (uint64_t)NOW;
	r.name = p->app;
	/* the one that keeps the pod, and the init container */
	reported(&s, &r, 2, 1000);
	cr_assert_eq(p->running_ms, 0);
	cr_assert_eq(s.d->deployed.n, 0);
	reported(&s, &r, 3, 5000);
	cr_assert_eq(p->running_ms, NOW + 5000);
	cr_assert_eq(s.d->deployed.n, 1);
	cr_assert_eq(s.d->deployed.us, 5000 * 1000);
	reported(&s, &r, 3, 9000);
	cr_assert_eq(p->running_ms, NOW + 5000);
	tear_down(&s);
	NO_LEAKS();
}

Test(change, a_restart_does_not_deploy_again_what_the_api_shows_to_run)
{
	struct app_report r = { 0 };
	struct stage s;

	set_up(&s);
	r.name = s.p[0]->app;
	s.p[0]->pod->seen.started_ms = NOW;
	reported(&s, &r, 1, 3600 * 1000);
	cr_assert_eq(s.p[0]->running_ms, NOW);
	cr_assert_eq(s.d->deployed.n, 0);
	tear_down(&s);
	NO_LEAKS();
}

Test(change, additions_wait_for_company_and_for_the_render)
{
	struct stage s;

	set_up(&s);
	change_queue(s.w, s.p[0], IO_SET, at(0));
	cr_assert_eq(writes(&s, PACE_COMPANY_MS - 1), 0);
	s.d->dev->rendered = 0;
	cr_assert_eq(writes(&s, PACE_COMPANY_MS), 0);
	s.d->dev->rendered = 1;
	cr_assert_eq(writes(&s, PACE_COMPANY_MS), 1);
	change_sent(s.w, s.d, 7, at(200));
	cr_assert_eq(s.p[0]->flying, IO_SET);
	cr_assert_eq(s.d->nqueued, 0);
	change_queue(s.w, s.p[1], IO_SET, at(300));
	cr_assert_eq(writes(&s, 5000), 0, "one write at a time");
	tear_down(&s);
	NO_LEAKS();
}

Test(change, a_removal_waits_neither_for_the_render_nor_for_a_read)
{
	struct stage s;

	set_up(&s);
	s.d->dev->rendered = 0;
	change_queue(s.w, s.p[0], IO_CUT, at(0));
	cr_assert_eq(writes(&s, PACE_REMOVAL_MS), 1);
	change_queue(s.w, s.p[0], IO_NONE, at(100));
	cr_assert_eq(s.d->nurgent, 0);
	cr_assert_eq(writes(&s, 1000), 0);
	tear_down(&s);
	NO_LEAKS();
}

Test(change, what_nobody_knows_is_read_and_pauses_grow)
{
	struct stage s;
	int64_t hold = 0, last = 0;
	int i;

	set_up(&s);
	for (i = 0; i < 10; i++) {
		change_queue(s.w, s.p[0], IO_SET, at(0));
		change_sent(s.w, s.d, 7, at(0));
		answer(&s, ERR_AGAIN, 0);
		cr_assert(s.p[0]->unread && s.p[0]->flying == IO_NONE);
		hold = s.d->hold_boot - NOW;
		cr_assert(hold > last || (hold == last && hold == 60000));
		last = hold;
	}
	answer(&s, ERR_NONE, 0);
	cr_assert_eq(s.d->hold_boot, 0);
	tear_down(&s);
	NO_LEAKS();
}

Test(change, a_rule_that_forbids_one_is_found_one_by_one)
{
	struct stage s;

	set_up(&s);
	change_queue(s.w, s.p[0], IO_SET, at(0));
	change_queue(s.w, s.p[1], IO_SET, at(0));
	change_sent(s.w, s.d, 7, at(200));
	answer(&s, ERR_DENIED, 200);
	cr_assert(!s.p[0]->denied && !s.p[1]->denied);
	change_queue(s.w, s.p[0], IO_SET, at(1000));
	change_queue(s.w, s.p[1], IO_SET, at(1000));
	cr_assert_eq(writes(&s, 3000), 1);
	cr_assert_eq(s.d->nqueued, 1);
	cr_assert_eq(s.p[0]->queued, IO_SET);
	change_sent(s.w, s.d, 8, at(3000));
	answer(&s, ERR_DENIED, 3000);
	cr_assert(s.p[0]->denied);
	cr_assert_str_eq(s.p[0]->why_waits, "the rule");
	cr_assert_gt(s.p[0]->retry_boot, NOW + 3000);
	tear_down(&s);
	NO_LEAKS();
}

Test(change, only_the_writer_writes)
{
	struct stage s;

	set_up(&s);
	change_queue(s.w, s.p[0], IO_SET, at(0));
	s.w->nodes[0].until_boot = NOW + 1000;
	cr_assert_eq(writes(&s, 999), 1);
	cr_assert_eq(writes(&s, 1000), 0);
	tear_down(&s);
	NO_LEAKS();
}

static void
look(struct stage *s, struct now now)
{
	effects_clear(&s->fx);
	change_look(s->w, s->d, now, &s->fx);
}

static int
count(const struct stage *s, size_t offset)
{
	int i, n = 0;

	for (i = 0; i < PODS; i++)
		n += *((const uint8_t *)s->p[i] + offset);
	return n;
}

#define COUNT(s, member) count(s, offsetof(struct wpod, member))

Test(suspect, one_suspect_is_guilty)
{
	struct stage s;
	int i;

	set_up(&s);
	all_sent(&s);
	for (i = 1; i < PODS; i++)
		s.p[i]->applied = 1;
	s.d->dev->failed = 1;
	look(&s, at(0));
	cr_assert(s.p[0]->blamed);
	cr_assert_eq(COUNT(&s, blamed), 1);
	cr_assert_eq(COUNT(&s, withheld), 0);
	tear_down(&s);
	NO_LEAKS();
}

Test(suspect, of_several_half_are_tried_while_the_others_are_withheld)
{
	struct stage s;
	int i;

	set_up(&s);
	all_sent(&s);
	s.d->dev->failed = 1;
	look(&s, at(0));
	cr_assert_eq(COUNT(&s, blamed), 0);
	cr_assert_eq(COUNT(&s, withheld), PODS / 2);
	cr_assert(s.d->isolating);
	/* Those that were left are applied: one of the others is guilty. */
	s.d->dev->failed = 0;
	s.d->dev->settled = s.d->dev->applied = 1;
	for (i = 0; i < PODS; i++)
		s.p[i]->applied = !s.p[i]->withheld;
	look(&s, at(1000));
	cr_assert_eq(COUNT(&s, withheld), PODS / 4);
	tear_down(&s);
	NO_LEAKS();
}

Test(suspect, an_old_failure_is_no_news)
{
	char since[] = "2026-01-01T00:00:00Z";
	struct stage s;

	set_up(&s);
	all_sent(&s);
	s.d->dev->failed = 1;
	s.d->dev->update_since = since;
	suspect_forget(s.d);
	look(&s, at(0));
	cr_assert_eq(COUNT(&s, withheld) + COUNT(&s, blamed), 0);
	since[18] = '1';
	look(&s, at(0));
	cr_assert_eq(COUNT(&s, withheld), PODS / 2);
	tear_down(&s);
	NO_LEAKS();
}

/* A pod was taken out, and the device refuses to be without it. */
static void
removal_refused(struct stage *s)
{
	static char since[] = "2026-01-01T00:00:00Z",
		    hash[] = "0123456789abcdef";

	set_up(s);
	all_sent(s);
	world_no_pod(s->w, s->p[0]);
	s->p[0]->state = LEAVING;
	s->d->dev->entries++;
	s->d->dev->nentries--;
	for (int i = 1; i < PODS; i++)
		s->p[i]->applied = 1;
	s->d->dev->failed = 1;
	s->d->dev->version = 5;
	s->d->dev->update_since = since;
	s->d->dev->hash = hash;
}

Test(again, a_removal_that_was_refused_is_written_in_other_bytes)
{
	static char again[] = "k8s-p9.try.again", *configs[] = { again };
	AUTO_FREE char *first = NULL, *next = NULL;
	struct stage s;

	removal_refused(&s);
	cr_assert_eq(writes(&s, 0), 0);
	cr_assert_eq(COUNT(&s, withheld) + COUNT(&s, blamed), 0);
	cr_assert_eq(writes(&s, AGAIN_MS - 1), 0);
	cr_assert_eq(writes(&s, AGAIN_MS), 1);
	cr_assert(s.d->again);
	first = again_entry(s.d, at(AGAIN_MS));
	cr_assert_str_eq(first,
	    "{\"name\":\"k8s-p0.try.again\",\"inline\":[{\"path\":"
	    "\"/var/lib/vk-flightctl/k8s-p0/try.again/at\",\"content\":"
	    "\"1030000\"}]}");
	s.d->dev->configs = configs;
	s.d->dev->nconfigs = 1;
	next = again_entry(s.d, at(0));
	cr_assert(strstr(next, "\"k8s-p9.try.again\""), "one for each device");
	s.d->dev->nconfigs = 0;
	tear_down(&s);
	NO_LEAKS();
}

Test(again, pauses_grow_until_the_device_is_clean)
{
	int64_t t = 0, pause;
	struct stage s;
	int i;

	removal_refused(&s);
	for (i = 0; i < 8; i++) {
		pause =
		    AGAIN_MS << i < AGAIN_MAX_MS ? AGAIN_MS << i : AGAIN_MAX_MS;
		cr_assert_eq(writes(&s, t), 0);
		cr_assert_eq(writes(&s, t + pause - 1), 0, "%d", i);
		cr_assert_eq(writes(&s, t += pause), 1, "%d", i);
	}
	s.d->dev->failed = 0;
	s.d->dev->settled = s.d->dev->applied = 1;
	cr_assert_eq(writes(&s, t), 0);
	cr_assert_eq(s.d->again_tries, 0);
	tear_down(&s);
	NO_LEAKS();
}

Test(again, nobody_is_tried_where_the_device_is_away_or_one_is_guilty)
{
	struct stage s;

	removal_refused(&s);
	s.p[1]->blamed = 1;
	cr_assert_eq(writes(&s, 0), 0);
	cr_assert_eq(writes(&s, AGAIN_MAX_MS), 0);
	s.p[1]->blamed = 0;
	s.d->dev->summary = DEVICE_POWERED_OFF;
	cr_assert_eq(writes(&s, AGAIN_MAX_MS), 0);
	cr_assert_eq(writes(&s, 3 * AGAIN_MAX_MS), 0);
	tear_down(&s);
	NO_LEAKS();
}

/* The search puts together what was refused: its agent would not look. */
Test(again, what_was_refused_and_comes_again_is_told_apart_at_once)
{
	struct stage s;

	removal_refused(&s);
	cr_assert_eq(writes(&s, 0), 0);
	s.d->dev->failed = 0;
	s.d->dev->version = 7; /* two writes later */
	cr_assert_eq(writes(&s, 1), 1);
	s.d->dev->hash[0] = 'f';
	cr_assert_eq(writes(&s, 2), 0);
	s.d->dev->hash[0] = '0';
	tear_down(&s);
	NO_LEAKS();
}

/* So it is of what was refused before our start. */
Test(again, a_device_that_is_done_with_another_version_does_not_look)
{
	char updated[] = "Updated";
	struct stage s;
	int64_t t;

	removal_refused(&s);
	s.d->dev->failed = 0;
	s.d->dev->update_reason = updated;
	t = s.w->apply_ms;
	cr_assert_eq(writes(&s, 0), 0);
	cr_assert_eq(writes(&s, t), 0);
	cr_assert_eq(writes(&s, t + AGAIN_MS), 1);
	s.d->dev->update_reason = NULL;
	tear_down(&s);
	NO_LEAKS();
}

Test(suspect, a_version_hangs_when_it_neither_moves_nor_fetches)
{
	char reason[] = "Preparing";
	struct stage s;

	set_up(&s);
	all_sent(&s);
	s.d->dev->update_reason = reason;
	look(&s, at(0));
	look(&s, at(s.w->pull_ms - 1));
	cr_assert_eq(COUNT(&s, withheld), 0);
	s.d->dev->update_reason = NULL;
	look(&s, at(0));
	look(&s, at(s.w->apply_ms - 1));
	cr_assert_eq(COUNT(&s, withheld), 0);
	look(&s, at(s.w->apply_ms));
	cr_assert_eq(COUNT(&s, withheld), PODS / 2);
	tear_down(&s);
	NO_LEAKS();
}

Test(suspect, nothing_is_fetched_for_ever)
{
	char reason[] = "Preparing";
	struct stage s;

	set_up(&s);
	all_sent(&s);
	s.d->dev->update_reason = reason;
	look(&s, at(0));
	look(&s, at(s.w->pull_ms));
	cr_assert_eq(COUNT(&s, withheld), PODS / 2);
	tear_down(&s);
	NO_LEAKS();
}

Test(suspect, a_removal_waits_for_no_image)
{
	char another[] = "another";
	char reason[] = "Preparing";
	struct stage s;

	set_up(&s);
	all_sent(&s);
	s.d->dev->update_reason = reason;
	s.entries[0].name = another;
	s.p[0]->state = LEAVING;
	look(&s, at(0));
	look(&s, at(SUSPECT_REMOVAL_MS - 1));
	cr_assert_eq(COUNT(&s, withheld), 0);
	look(&s, at(SUSPECT_REMOVAL_MS));
	cr_assert_eq(COUNT(&s, withheld), PODS - 1);
	cr_assert_eq(COUNT(&s, blamed), 0);
	/* It is gone: they come back, all at once, and nothing is searched. */
	s.d->dev->entries = NULL;
	s.d->dev->nentries = 0;
	s.d->dev->settled = s.d->dev->applied = 1;
	look(&s, at(SUSPECT_REMOVAL_MS + 1000));
	cr_assert_eq(COUNT(&s, withheld), 0);
	cr_assert(!s.d->isolating);
	tear_down(&s);
	NO_LEAKS();
}

Test(suspect, an_image_that_is_fetched_holds_up_others_for_a_minute)
{
	char reason[] = "Preparing";
	char words[] = "3/4 images complete, pending: k8s-p1";
	struct stage s;

	set_up(&s);
	all_sent(&s);
	s.d->dev->update_reason = reason;
	s.d->dev->update_message = words;
	look(&s, at(0));
	look(&s, at(SUSPECT_FETCH_MS - 1));
	cr_assert_eq(COUNT(&s, withheld), 0);
	look(&s, at(SUSPECT_FETCH_MS));
	cr_assert_eq(COUNT(&s, withheld), 1);
	cr_assert(s.p[1]->withheld);
	tear_down(&s);
	NO_LEAKS();
}
