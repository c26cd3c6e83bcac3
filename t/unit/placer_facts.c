/* SPDX-License-Identifier: ISC */
/*
 * How the facts are read off the world, one by one: each case changes one
 * thing of a pod that runs and says what is a fact then.
 */
#include "placer/facts.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "placer/deadline.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define NOW INT64_C(1000000)

static const struct now now = { NOW, NOW };
static char app[] = "k8s-a";
static struct app_entry entry = { .name = app, .images = 7 };

/* A pod that runs on a device which has applied what was written. */
struct stage {
	struct world *w;
	struct wdevice *d;
	struct wpod *p;
	struct device *dev;
};

static struct stage
set_up(void)
{
	struct stage s;

	s.w = fleet_world();
	s.d = fleet_add(s.w,
	    &(struct fleet_device){ "d", 4, 1024, NULL, NULL, NULL });
	s.p = fleet_pod(s.w, "a", "1", "1Mi", NULL, NULL);
	world_seat(s.w, s.p, s.d);
	snprintf(s.p->app, sizeof(s.p->app), "k8s-a");
	s.p->sent = s.p->applied = 1;
	s.p->pod->images = 7;
	s.dev = s.d->dev;
	s.dev->entries = &entry;
	s.dev->nentries = 1;
	s.dev->generation = 5;
	s.dev->rendered = s.dev->settled = s.dev->applied = 1;
	s.d->wrote_generation = 5;
	s.d->wrote_created = xstrdup(s.dev->created);
	s.d->read_boot = NOW;
	s.w->flight_reachable = s.w->flight_up = s.w->kube_up = 1;
	return s;
}

static void
away(struct stage *s)
{
	s->dev->summary = DEVICE_UNKNOWN;
	s->d->away_boot = NOW - s->w->reconnect_ms;
}

static void
is_as_set_up(struct stage *s)
{
	(void)s;
}
static void
no_pod(struct stage *s)
{
	world_no_pod(s->w, s->p);
}
static void
terminating(struct stage *s)
{
	s->p->pod->terminating = 1;
}
static void
has_failed(struct stage *s)
{
	s->p->pod->seen.phase = PHASE_FAILED;
}
static void
expired(struct stage *s)
{
	s->p->pod->deadline_ms = 60000;
	s->p->active_boot = NOW - 60000;
}
static void
nearly_expired(struct stage *s)
{
	expired(s);
	s->p->active_boot++;
}
static void
never_active(struct stage *s)
{
	expired(s);
	s->p->active_boot = 0;
}
static void
expired_and_ended(struct stage *s)
{
	expired(s);
	s->p->ended = 1;
}
static void
expired_and_failed(struct stage *s)
{
	expired(s);
	s->p->pod->seen.phase = PHASE_FAILED;
}
static void
expired_while_withheld(struct stage *s)
{
	expired(s);
	s->p->withheld = 1;
}
static void
pods_unlisted(struct stage *s)
{
	s->w->nodes[0].pods_listed = 0;
}
static void
no_pod_and_unlisted(struct stage *s)
{
	pods_unlisted(s);
	no_pod(s);
}
static void
no_seat(struct stage *s)
{
	world_unseat(s->w, s->p);
}
static void
retreating(struct stage *s)
{
	s->p->retreating = 1;
}
static void
not_sent(struct stage *s)
{
	s->p->sent = 0;
	s->dev->nentries = 0;
}
static void
doubted(struct stage *s)
{
	not_sent(s);
	s->p->doubted = 1;
	s->dev->applied = s->dev->settled = 0;
}
static void
doubted_and_terminating(struct stage *s)
{
	doubted(s);
	terminating(s);
}
static void
doubted_and_retreating(struct stage *s)
{
	doubted(s);
	retreating(s);
}
static void
doubted_and_settled(struct stage *s)
{
	not_sent(s);
	s->p->doubted = 1;
	terminating(s);
}
static void
entry_gone(struct stage *s)
{
	s->dev->nentries = 0;
}
static void
unread(struct stage *s)
{
	s->p->unread = 1;
}
static void
withheld(struct stage *s)
{
	s->p->withheld = 1;
}
static void
ended(struct stage *s)
{
	s->p->ended = 1;
}
static void
other_images(struct stage *s)
{
	s->p->pod->images = 8;
}
static void
blamed(struct stage *s)
{
	s->p->blamed = 1;
}
static void
flying_set(struct stage *s)
{
	s->p->flying = IO_SET;
}
static void
flying_cut(struct stage *s)
{
	s->p->flying = IO_CUT;
}
static void
gone(struct stage *s)
{
	s->d->gone = 1;
}
static void
unreadable(struct stage *s)
{
	s->d->unreadable = 1;
}
static void
off(struct stage *s)
{
	s->dev->summary = DEVICE_POWERED_OFF;
}
static void
reboots(struct stage *s)
{
	s->dev->summary = DEVICE_REBOOTING;
}
static void
not_enrolled(struct stage *s)
{
	s->dev->enrolled = 0;
}

static void
owned(struct stage *s)
{
	s->dev->owner = app;
}
static void
owned_and_away(struct stage *s)
{
	owned(s);
	off(s);
}
static void
left(struct stage *s)
{
	s->d->node = NULL;
}
static void
left_and_away(struct stage *s)
{
	left(s);
	off(s);
}
static void
left_and_frozen(struct stage *s)
{
	left(s);
	s->dev->summary = DEVICE_CONFLICT_PAUSED;
}
static void
decommissioning(struct stage *s)
{
	s->dev->decommissioning = 1;
	s->dev->enrolled = 0;
}
static void
thaws(struct stage *s)
{
	s->d->thaw = 1;
}

static void
devices_unlisted(struct stage *s)
{
	world_unseat(s->w, s->p);
	s->w->devices_listed = 0;
}

static void
orphan(struct stage *s)
{
	world_no_pod(s->w, s->p);
	s->p->adopted = 1;
	s->p->adopted_round = 3;
	s->w->rounds = 4;
}

static void
old_orphan(struct stage *s)
{
	orphan(s);
	s->w->rounds = 5;
}

static void
entry_going(struct stage *s)
{
	s->dev->nentries = 0;
	s->dev->applied = 0;
}

static void
not_applied(struct stage *s)
{
	s->p->applied = 0;
	s->dev->applied = 0;
}

static void
stale(struct stage *s)
{
	s->p->applied = 0;
	s->d->wrote_generation = 6;
}

static void
stale_of_another(struct stage *s)
{
	stale(s);
	s->d->wrote_created[0] ^= 1;
}

static void
update_blamed(struct stage *s)
{
	s->p->blamed = 1;
	s->p->proven_images = 6;
}

/* What is wanted ran here, and stands there once more. */
static void
proven_blamed(struct stage *s)
{
	s->p->blamed = 1;
	s->p->proven_images = 7;
}

/* What ran here stands there again, another is wanted. */
static void
kept_blamed(struct stage *s)
{
	proven_blamed(s);
	s->p->pod->images = 8;
}

static void
just_unknown(struct stage *s)
{
	s->dev->summary = DEVICE_UNKNOWN;
	s->d->unknown_boot = NOW - UNKNOWN_MS + 1;
}

static void
long_unknown(struct stage *s)
{
	s->dev->summary = DEVICE_UNKNOWN;
	s->d->unknown_boot = NOW - UNKNOWN_MS;
}

static void
read_long_ago(struct stage *s)
{
	away(s);
	s->d->read_boot = NOW - FRESH_MS - 1;
}

static void
nearly_overdue(struct stage *s)
{
	away(s);
	s->d->away_boot++;
}

static void
never_overdue(struct stage *s)
{
	away(s);
	s->p->pod->reconnect_ms = RECONNECT_NEVER;
}

static void
braked(struct stage *s)
{
	away(s);
	s->w->nodes[0].brake = 1;
}

static void
flight_away(struct stage *s)
{
	away(s);
	s->w->flight_reachable = 0;
}

static void
flight_just_back(struct stage *s)
{
	away(s);
	s->w->flight_since = NOW - 1000;
}

static const struct {
	const char *what;
	void (*change)(struct stage *);
	struct life_facts is; /* 0: as set up */
} cases[] = {
#define CASE(fn, ...) { #fn, fn, { __VA_ARGS__ } },
	CASE(is_as_set_up, .pod = WANTED) CASE(no_pod,
	    .pod = NO_POD) CASE(terminating,
	    .pod = TERMINATING) CASE(has_failed, .pod = TERMINAL) CASE(expired,
	    .pod = EXPIRED) CASE(nearly_expired,
	    .pod = WANTED) CASE(never_active,
	    .pod = WANTED) CASE(expired_and_ended,
	    .entry = ENDED) CASE(expired_and_failed,
	    .pod = TERMINAL) CASE(expired_while_withheld,
	    .pod = EXPIRED) CASE(pods_unlisted,
	    .seat = SEATED) CASE(no_pod_and_unlisted, .pod = NO_POD,
	    .seat = UNSURE) CASE(no_seat, .seat = NO_SEAT,
	    .entry = NEVER_SENT) CASE(devices_unlisted, .seat = UNSURE,
	    .entry = NEVER_SENT) CASE(orphan, .pod = NO_POD,
	    .seat = UNSURE) CASE(old_orphan, .pod = NO_POD,
	    .seat = SEATED) CASE(retreating, .seat = RETREATING) CASE(not_sent,
	    .entry = NEVER_SENT) CASE(doubted,
	    .entry = NEVER_SENT) CASE(doubted_and_terminating,
	    .pod = TERMINATING, .entry = TAKEN_OUT) CASE(doubted_and_retreating,
	    .seat = RETREATING, .entry = TAKEN_OUT) CASE(doubted_and_settled,
	    .pod = TERMINATING, .entry = CLEARED) CASE(entry_gone,
	    .entry = CLEARED) CASE(entry_going, .entry = TAKEN_OUT) CASE(unread,
	    .entry = UNREAD) CASE(withheld, .entry = WITHHELD) CASE(ended,
	    .entry = ENDED) CASE(other_images, .entry = OTHER_IMAGES)
	    CASE(blamed, .entry = NEW_FAILED) CASE(update_blamed,
		.entry = UPDATE_FAILED) CASE(proven_blamed,
		.entry = NEW_FAILED) CASE(kept_blamed,
		.entry = UPDATE_FAILED) CASE(flying_set,
		.entry = SENT) CASE(flying_cut,
		.entry = TAKEN_OUT) CASE(not_applied, .entry = SENT) CASE(stale,
		.entry = SENT) CASE(stale_of_another,
		.entry = APPLIED) CASE(gone, .device = GONE) CASE(unreadable,
		.device = FROZEN) CASE(off, .device = AWAY) CASE(reboots,
		.device = HERE) CASE(not_enrolled, .device = AWAY) CASE(owned,
		.device = OWNED) CASE(owned_and_away, .device = AWAY) CASE(left,
		.device = LEFT) CASE(left_and_away, .device = LEFT)
		CASE(left_and_frozen, .device = FROZEN) CASE(decommissioning,
		    .device = LEFT) CASE(thaws, .device = FROZEN)
		    CASE(just_unknown, .device = HERE) CASE(long_unknown,
			.device = AWAY) CASE(away, .device = OVERDUE)
			CASE(nearly_overdue, .device = AWAY) CASE(never_overdue,
			    .device = AWAY) CASE(read_long_ago, .device = AWAY)
			    CASE(braked, .device = AWAY)
				CASE(flight_away, .device = AWAY)
				    CASE(flight_just_back, .device = AWAY)
};

Test(facts, are_what_the_world_says)
{
	struct life_facts f;
	struct stage s;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = set_up();
		cases[i].change(&s);
		f = facts_of(s.w, s.p, now);
		cr_expect_eq(f.pod, cases[i].is.pod ? cases[i].is.pod : WANTED,
		    "%s: pod %d", cases[i].what, f.pod);
		cr_expect_eq(f.seat,
		    cases[i].is.seat ? cases[i].is.seat : SEATED, "%s: seat %d",
		    cases[i].what, f.seat);
		cr_expect_eq(f.entry,
		    cases[i].is.entry ? cases[i].is.entry : APPLIED,
		    "%s: entry %d", cases[i].what, f.entry);
		cr_expect_eq(f.device,
		    cases[i].is.device ? cases[i].is.device : HERE,
		    "%s: device %d", cases[i].what, f.device);
		fleet_free(s.w);
	}
	NO_LEAKS();
}

Test(facts, the_clock_is_the_pods_own_and_never_that_of_an_outage)
{
	struct stage s = set_up();

	cr_assert_eq(facts_due(s.w, s.p), INT64_MAX, "no clock runs");
	s.d->away_boot = 1000;
	cr_assert_eq(facts_due(s.w, s.p), 1000 + s.w->reconnect_ms);
	s.p->pod->reconnect_ms = 60000;
	cr_assert_eq(facts_due(s.w, s.p), 61000);
	s.w->flight_since = 5000;
	cr_assert_eq(facts_due(s.w, s.p), 65000);
	s.p->pod->reconnect_ms = RECONNECT_NEVER;
	cr_assert_eq(facts_due(s.w, s.p), INT64_MAX);
	fleet_free(s.w);
	NO_LEAKS();
}

/* A pod that started at 1000 s of the wall is first seen then. */
static int64_t
expires_s(int64_t boot_s, int64_t wall_s)
{
	struct now seen = { boot_s * 1000, wall_s * 1000 };
	struct effects fx = { 0 };
	struct stage s = set_up();
	int64_t at;

	s.p->pod->deadline_ms = 600 * 1000;
	s.p->pod->seen.start_ms = 1000 * 1000;
	deadline_look(s.w, s.p, seen, &fx);
	seen.wall_ms += 1000000 * 1000; /* the wall is not looked at again */
	deadline_look(s.w, s.p, seen, &fx);
	at = s.p->active_boot + s.p->pod->deadline_ms;
	cr_assert(!deadline_is_over(s.p, (struct now){ at - 1, 1 }));
	cr_assert(deadline_is_over(s.p, (struct now){ at, 1 }));
	effects_clear(&fx);
	fleet_free(s.w);
	return at / 1000;
}

Test(facts, a_deadline_never_counts_more_than_passed_by_either_clock)
{
	cr_assert_eq(expires_s(5000, 1000), 5600, "just begun");
	cr_assert_eq(expires_s(5000, 1250), 5350, "after a restart");
	cr_assert_eq(expires_s(5000, 900), 5600, "the wall jumped back");
	cr_assert_eq(expires_s(20, 900000), 600, "the machine is just up");
	NO_LEAKS();
}

static const char *
stray(int applied, enum device_summary summary, const char *name)
{
	struct app_report reports[] = { { .name = app },
		{ .name = (char *)(uintptr_t)name } };
	struct stage s = set_up();
	struct app_report *had = s.dev->reports;
	size_t nhad = s.dev->nreports;
	const char *is;

	s.p->applied = s.dev->applied = (uint8_t)applied;
	s.dev->summary = summary;
	s.d->away_boot = summary == DEVICE_UNKNOWN ? NOW - 1 : 0;
	s.dev->reports = reports;
	s.dev->nreports = 2;
	is = facts_stray(s.d, now);
	s.dev->reports = had;
	s.dev->nreports = nhad;
	fleet_free(s.w);
	return is;
}

Test(facts, a_stray_is_in_no_spec_and_no_pods_and_may_yet_end)
{
	cr_assert_str_eq(stray(0, DEVICE_ONLINE, "k8s-b"), "k8s-b");
	cr_assert_null(stray(0, DEVICE_ONLINE, "k8s-a"));
	cr_assert_null(stray(1, DEVICE_ONLINE, "k8s-b"), "it is settled");
	cr_assert_null(stray(0, DEVICE_UNKNOWN, "k8s-b"), "it is away");
	NO_LEAKS();
}
