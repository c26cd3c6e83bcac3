/* SPDX-License-Identifier: ISC */
/*
 * The contract of a pod's life (T004, T038): from what both sides say to what
 * is done, case by case.  What follows from it over time is t/scene's.
 */
#include "placer/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/prepare.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define NOW INT64_C(1000000)

static char app[] = "k8s-a", owner[] = "Fleet/x";
static struct app_entry entry = { .name = app, .images = 7 };

struct stage {
	struct world *w;
	struct wdevice *d;
	struct wpod *p;
	struct effects fx;
	struct now now;
};

/* A pod that nobody decided on yet; its entry needs no translation. */
static struct stage
set_up(void)
{
	struct stage s = { .now = { NOW, NOW } };

	s.w = fleet_world();
	memcpy(s.w->cluster, "c", 2);
	s.d = fleet_add(s.w,
	    &(struct fleet_device){ "d", 4, 1024, NULL, NULL, NULL });
	s.p = fleet_pod(s.w, "a", "1", "64Mi", NULL, NULL);
	s.p->has_entry = 1;
	s.p->pod->images = s.p->rendered_images = 7;
	s.d->dev->rendered = s.d->dev->settled = s.d->dev->applied = 1;
	s.d->read_boot = NOW;
	s.w->nodes[0].until_boot = INT64_MAX;
	s.w->flight_reachable = s.w->flight_up = s.w->kube_up =
	    s.w->kube_reachable = 1;
	return s;
}

static void
sits(struct stage *s)
{
	world_seat(s->w, s->p, s->d);
	snprintf(s->p->app, sizeof(s->p->app), "k8s-a");
	s->p->sent = s->p->applied = 1;
	s->p->sent_images = 7;
	s->d->dev->entries = &entry;
	s->d->dev->nentries = 1;
}

static void
comes(struct stage *s)
{
	(void)s;
}
static void
runs(struct stage *s)
{
	sits(s);
}
static void
not_the_writer(struct stage *s)
{
	s->w->nodes[0].until_boot = NOW;
}

static void
not_the_writer_any_more(struct stage *s)
{
	sits(s);
	s->p->pod->terminating = 1;
	not_the_writer(s);
}

static void
no_device_matches(struct stage *s)
{
	s->d->dev->owner = owner;
}

static void
never_fits(struct stage *s)
{
	s->p->room.cpu_m = 5000;
}

static void
is_deleted(struct stage *s)
{
	sits(s);
	s->p->pod->terminating = 1;
}

static void
is_deleted_before_its_write(struct stage *s)
{
	sits(s);
	s->p->sent = 0;
	s->d->dev->nentries = 0;
	s->p->pod->terminating = 1;
}

static void
is_deleted_and_confirmed(struct stage *s)
{
	is_deleted(s);
	s->d->dev->nentries = 0;
}

static void
is_deleted_and_not_confirmed(struct stage *s)
{
	is_deleted_and_confirmed(s);
	s->d->dev->applied = 0;
}

static void
is_deleted_and_was_never_placed(struct stage *s)
{
	s->p->pod->terminating = 1;
}

static void
is_deleted_twice(struct stage *s)
{
	is_deleted_and_confirmed(s);
	s->p->deleting = 1;
}

static void
is_gone_from_the_api(struct stage *s)
{
	sits(s);
	world_no_pod(s->w, s->p);
}

static void
is_gone_and_confirmed(struct stage *s)
{
	is_gone_from_the_api(s);
	s->d->dev->nentries = 0;
}

static void
gets_another_image(struct stage *s)
{
	sits(s);
	s->p->pod->images = s->p->rendered_images = 8;
}

static void
write_is_unknown(struct stage *s)
{
	sits(s);
	s->p->unread = 1;
}

static void
entry_vanished(struct stage *s)
{
	sits(s);
	s->d->dev->nentries = 0;
}

static void
device_is_lost(struct stage *s)
{
	sits(s);
	s->d->dev->summary = DEVICE_POWERED_OFF;
	world_look_device(s->w, s->d);
}

static void
device_is_overdue(struct stage *s)
{
	sits(s);
	s->d->dev->summary = DEVICE_POWERED_OFF;
	s->d->away_boot = NOW - s->w->reconnect_ms;
}

static void
device_is_overdue_by_an_old_read(struct stage *s)
{
	device_is_overdue(s);
	s->d->read_boot = NOW - 60000;
}

static void
device_is_gone(struct stage *s)
{
	sits(s);
	s->d->gone = 1;
}

static void
device_is_frozen(struct stage *s)
{
	is_deleted(s);
	s->d->dev->summary = DEVICE_AWAITING_RECONNECT;
}

static void
devices_not_listed(struct stage *s)
{
	s->w->devices_listed = 0;
}

static const struct {
	const char *what;
	void (*change)(struct stage *);
	const char *does; /* effects in their order, but for records */
} cases[] = {
#define CASE(fn, does) { #fn, fn, does },
	CASE(comes, "SEAT EVENT STATUS CHANGE FIGURES") CASE(not_the_writer,
	    "FIGURES") CASE(not_the_writer_any_more, "FIGURES")
	    CASE(devices_not_listed, "FIGURES") CASE(no_device_matches,
		"EVENT STATUS FIGURES") CASE(never_fits, "EVENT STATUS FIGURES")
		CASE(runs, "STATUS FIGURES") CASE(is_deleted,
		    "EVENT CHANGE FIGURES") CASE(is_deleted_before_its_write,
		    "UNSEAT DELETE FIGURES") CASE(is_deleted_and_confirmed,
		    "UNSEAT DELETE FIGURES") CASE(is_deleted_and_not_confirmed,
		    "FIGURES") CASE(is_deleted_and_was_never_placed,
		    "DELETE FIGURES") CASE(is_deleted_twice, "UNSEAT FIGURES")
		    CASE(is_gone_from_the_api, "CHANGE FIGURES")
			CASE(is_gone_and_confirmed,
			    "UNSEAT FORGET FIGURES") CASE(gets_another_image,
			    "STATUS CHANGE FIGURES") CASE(write_is_unknown,
			    "STATUS READ FIGURES") CASE(entry_vanished,
			    "STATUS CHANGE FIGURES") CASE(device_is_lost,
			    "CLOCK EVENT STATUS FIGURES")
			    CASE(device_is_overdue, "DELETE EVENT FIGURES")
				CASE(device_is_overdue_by_an_old_read,
				    "STATUS READ FIGURES")
				    CASE(device_is_gone, "DELETE EVENT FIGURES")
					CASE(device_is_frozen, "FIGURES")
};

static const char *
word(enum effect_kind kind)
{
	static const char *const words[] = { [EFFECT_SEAT] = "SEAT",
		[EFFECT_ENTRY] = "ENTRY",
		[EFFECT_UNSEAT] = "UNSEAT",
		[EFFECT_FORGET] = "FORGET",
		[EFFECT_CLOCK] = "CLOCK",
		[EFFECT_ACTIVE] = "ACTIVE",
		[EFFECT_RECORD] = NULL,
		[EFFECT_CHANGE] = "CHANGE",
		[EFFECT_READ] = "READ",
		[EFFECT_STATUS] = "STATUS",
		[EFFECT_DELETE] = "DELETE",
		[EFFECT_EVENT] = "EVENT",
		[EFFECT_FETCH] = "FETCH",
		[EFFECT_FIGURES] = "FIGURES",
		[EFFECT_BRAKE] = "BRAKE" };

	return words[kind];
}

/*
 * The turns of two seconds, for what waits for company; polls (reads that are
 * not urgent) say nothing of the case, and each effect counts once.
 */
static void
play(struct stage *s, char *text, size_t size)
{
	const struct effect *e;
	size_t i;

	s->w->flight_known = 1;
	for (; s->now.boot_ms < NOW + 2000; s->now.boot_ms += 100)
		plan_turn(s->w, s->now, &s->fx);
	*text = '\0';
	for (i = 0; i < s->fx.n; i++) {
		e = &s->fx.list[i];
		if (word(e->kind) == NULL || strstr(text, word(e->kind)) ||
		    (e->kind == EFFECT_READ && e->number == READ_MOTION))
			continue;
		snprintf(text + strlen(text), size - strlen(text), "%s%s",
		    *text ? " " : "", word(e->kind));
	}
}

/* FIGURES come first or last by the clock: put last. */
static void
figures_last(char *text)
{
	char *at = strstr(text, "FIGURES");
	size_t len = strlen("FIGURES");

	if (at == NULL || at[len] == '\0')
		return;
	memmove(at, at + len + 1, strlen(at + len + 1) + 1);
	strcat(text, " FIGURES");
}

Test(plan, does_what_each_case_asks_for)
{
	char text[512];
	struct stage s;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = set_up();
		cases[i].change(&s);
		play(&s, text, sizeof(text));
		figures_last(text);
		cr_expect_str_eq(text, cases[i].does, "%s: %s", cases[i].what,
		    text);
		effects_clear(&s.fx);
		fleet_free(s.w);
	}
	NO_LEAKS();
}

Test(plan, the_words_of_what_does_not_fit)
{
	struct stage s = set_up();
	char text[512];

	never_fits(&s);
	play(&s, text, sizeof(text));
	cr_assert_str_eq(s.p->why_reason, "InsufficientResources");
	cr_assert_not_null(strstr(s.p->why_waits,
	    "Insufficient resources: "
	    "Device d has 4 CPU, requested 5 CPU"));
	cr_assert(s.p->hopeless);
	effects_clear(&s.fx);
	fleet_free(s.w);
	NO_LEAKS();
}

Test(plan, the_words_of_a_uid_that_is_none)
{
	static const char pod[] =
	    "{\"metadata\":{\"namespace\":\"default\",\"name\":\"a\",\"uid\":"
	    "\"uid-a\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":"
	    "\"x\"}]}}";
	struct stage s = set_up();
	char text[512];

	s.p->has_entry = 0;
	prepare_object(s.w, s.p, FETCH_POD, span_of(pod));
	play(&s, text, sizeof(text));
	cr_assert_str_eq(s.p->why_reason, "CreateContainerConfigError");
	cr_assert_str_eq(s.p->why_waits,
	    "metadata: namespace \"default\", name \"a\" and uid \"uid-a\" "
	    "make "
	    "no application's name: a uid begins with eight hexadecimal "
	    "digits");
	cr_assert_not(s.p->hopeless);
	effects_clear(&s.fx);
	fleet_free(s.w);
	NO_LEAKS();
}

Test(plan, rests_when_nothing_is_due)
{
	struct stage s = set_up();
	char text[512];

	runs(&s);
	s.d->dev->reports = xcalloc(1, sizeof(struct app_report));
	s.d->dev->nreports = 1;
	s.d->dev->reports[0] = (struct app_report){ .name = app,
		.state = APP_RUNNING,
		.ready = 1,
		.of = 1 };
	play(&s, text, sizeof(text));
	cr_assert_gt(plan_next(s.w), s.now.boot_ms);
	free(s.d->dev->reports);
	effects_clear(&s.fx);
	fleet_free(s.w);
	NO_LEAKS();
}
