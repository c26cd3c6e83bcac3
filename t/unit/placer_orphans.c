/* SPDX-License-Identifier: ISC */
/*
 * Entries of ours whose pod nobody listed: orphans, and all of them while a
 * lost database is rebuilt.  In random worlds each leaves its device, whatever
 * that says of its version and whatever else is queued there; nothing is
 * written or said for it, and it takes no other pod's place.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placer/change.h"
#include "placer/plan.h"
#include "placer/proof.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

enum {
	ROUNDS = 2000,
	DEVICES = 3,
	PODS = 9,
	TURNS = 60,
	STEP_MS = 500
};

static char words[] = "While Preparing: prefetch failed for "
		      "docker.io/library/x:latest: internal error occurred";
static char preparing[] = "Preparing";

struct stage {
	struct world *w;
	struct wdevice *d[DEVICES];
	struct app_entry entries[DEVICES][PODS];
	char names[DEVICES][PODS][MAX_APP + 1];
	char since[DEVICES][16];
	struct effects fx;
	struct now now;
	uint64_t id;
};

static uint8_t
one_in(int n)
{
	return random() % n == 0;
}

/* -- a world -- */

static void
says(struct stage *s, int i)
{
	struct device *dev = s->d[i]->dev;

	dev->failed = one_in(3);
	dev->settled = !dev->failed && one_in(2);
	dev->applied = dev->settled && dev->rendered;
	dev->update_reason = one_in(3) ? preparing : NULL;
	dev->update_message = one_in(2) ? words : NULL;
	snprintf(s->since[i], sizeof(s->since[i]), "%ld", random());
}

static void
add_device(struct stage *s, int i)
{
	struct device *dev;
	char name[8];

	snprintf(name, sizeof(name), "d%d", i);
	s->d[i] = fleet_add(s->w,
	    &(struct fleet_device){ name, 64, 8192, NULL, NULL, NULL });
	dev = s->d[i]->dev;
	dev->rendered = 1;
	dev->entries = s->entries[i];
	dev->update_since = s->since[i];
	says(s, i);
	s->d[i]->isolating = one_in(3);
	s->d[i]->files_max = one_in(3);
	s->d[i]->read_boot = s->now.boot_ms;
}

static void
put_entry(struct stage *s, int i, const struct wpod *p)
{
	struct device *dev = s->d[i]->dev;
	struct app_entry *e;

	if (device_entry(dev, p->app) != NULL)
		return;
	e = &s->entries[i][dev->nentries];
	e->name = s->names[i][dev->nentries++];
	e->images = p->sent_images;
	snprintf(e->name, MAX_APP + 1, "%s", p->app);
}

static void
cut_entry(struct stage *s, int i, const struct wpod *p)
{
	struct device *dev = s->d[i]->dev;
	size_t k, last;

	for (k = 0; k < dev->nentries; k++) {
		if (strcmp(s->names[i][k], p->app) != 0)
			continue;
		last = --dev->nentries;
		memmove(s->names[i][k], s->names[i][last], MAX_APP + 1);
		s->entries[i][k].images = s->entries[i][last].images;
		return;
	}
}

/* What was decided on it may be anything: it comes from a database. */
static void
shake(struct wpod *p)
{
	p->sent = !one_in(4);
	p->applied = p->sent && one_in(2);
	p->sent_images = one_in(2) ? p->pod->images : (uint64_t)random() % 3;
	p->proven_images = p->applied ? p->sent_images : 0;
	p->blamed = one_in(6);
	p->withheld = p->suspect = one_in(6);
	p->reverting = one_in(8);
	p->retreating = one_in(8);
	p->adopted = one_in(2);
	p->unread = one_in(6);
	p->filed = (enum filed)(one_in(4) ? random() % 4 : 0);
	p->tries = one_in(4);
}

static void
add_pod(struct stage *s, int i)
{
	int on = (int)(random() % DEVICES);
	struct wpod *p;
	char name[8];

	snprintf(name, sizeof(name), "p%d", i);
	p = fleet_pod(s->w, name, "1", "1Mi", NULL, NULL);
	snprintf(p->app, sizeof(p->app), "k8s-0123456789-%s", name);
	p->has_entry = 1;
	p->rendered_images = p->pod->images;
	if (one_in(5))
		return; /* not yet placed */
	world_seat(s->w, p, s->d[on]);
	shake(p);
	if (!one_in(4))
		put_entry(s, on, p);
	if (one_in(2))
		world_no_pod(s->w, p);
}

static void
set_up(struct stage *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	s->now = (struct now){ 1000000, 1000000 };
	s->w = fleet_world();
	memcpy(s->w->cluster, "c", 2);
	s->w->nodes[0].until_boot = INT64_MAX;
	s->w->flight_reachable = s->w->flight_up = s->w->kube_up = 1;
	for (i = 0; i < DEVICES; i++)
		add_device(s, i);
	for (i = 0; i < PODS; i++)
		add_pod(s, i);
	proof_list(s->w);
	world_look_all(s->w);
}

static void
tear_down(struct stage *s)
{
	int i;

	effects_clear(&s->fx);
	for (i = 0; i < DEVICES; i++) {
		s->d[i]->dev->entries = NULL;
		s->d[i]->dev->nentries = 0;
		s->d[i]->dev->update_since = NULL;
		s->d[i]->dev->update_reason = NULL;
		s->d[i]->dev->update_message = NULL;
	}
	fleet_free(s->w);
}

/* -- what is carried out, as act.c does -- */

static int
index_of(const struct wdevice *d)
{
	return d->name[1] - '0';
}

static void
write_device(struct stage *s, struct wdevice *d)
{
	int i = index_of(d);
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued == IO_NONE)
			continue;
		if (p->queued == IO_CUT) {
			cut_entry(s, i, p);
			continue;
		}
		cr_assert_not_null(p->pod, "nothing is written for an orphan");
		p->sent = 1;
		if (p->reverting)
			continue;
		p->sent_images = p->pod->images;
		p->applied = 0;
		cut_entry(s, i, p);
		put_entry(s, i, p);
	}
	change_sent(s->w, d, ++s->id, s->now);
	change_answered(s->w, d,
	    &(struct change_answer){ .created = d->dev->created,
		.generation = d->dev->generation,
		.text = "" },
	    s->now);
	says(s, i);
}

static void
carry_out(struct stage *s, const struct effect *e)
{
	switch (e->kind) {
	case EFFECT_CHANGE:
		write_device(s, e->device);
		break;
	case EFFECT_UNSEAT:
		world_unseat(s->w, e->pod);
		world_look(s->w, e->pod);
		break;
	case EFFECT_FORGET:
		world_drop_pod(s->w, e->pod);
		break;
	case EFFECT_STATUS:
	case EFFECT_DELETE:
	case EFFECT_EVENT:
	case EFFECT_FETCH:
	case EFFECT_FAULT:
		cr_assert_not_null(e->pod->pod, "nobody is told of an orphan");
		break;
	case EFFECT_SEAT:
	case EFFECT_ENTRY:
	case EFFECT_SEARCH:
	case EFFECT_CLOCK:
	case EFFECT_ACTIVE:
	case EFFECT_WORD:
	case EFFECT_ORDER:
	case EFFECT_STEP:
	case EFFECT_RECORD:
	case EFFECT_READ:
	case EFFECT_POLL:
	case EFFECT_FIGURES:
	case EFFECT_BRAKE:
	case EFFECT_FORMER:
	case EFFECT_KEPT:
	case EFFECT_PURGE:
		break;
	}
}

/* Each device is read, and all of both sides was listed. */
static void
read_all(struct stage *s)
{
	int i;

	s->w->rounds++;
	for (i = 0; i < DEVICES; i++) {
		s->d[i]->read_boot = s->now.boot_ms;
		change_read(s->w, s->d[i], s->now, &s->fx);
		world_look_device(s->w, s->d[i]);
	}
}

static void
turn(struct stage *s)
{
	size_t i;

	plan_turn(s->w, s->now, &s->fx);
	for (i = 0; i < s->fx.n; i++)
		carry_out(s, &s->fx.list[i]);
	effects_clear(&s->fx);
	s->now.boot_ms += STEP_MS;
	s->now.wall_ms += STEP_MS;
	read_all(s);
}

static void
check_queue(const struct stage *s)
{
	const struct wpod *p;
	int i;

	for (i = 0; i < DEVICES; i++)
		TAILQ_FOREACH(p, &s->d[i]->pods, on_device)
			cr_assert(p->pod != NULL || p->queued != IO_SET,
			    "an orphan is to be written");
}

static void
check_end(const struct stage *s, int round)
{
	struct wpod *p;
	int i;

	RB_FOREACH(p, wpod_tree, &s->w->pods)
		for (i = 0; i < DEVICES; i++)
			cr_assert(p->pod != NULL ||
				device_entry(s->d[i]->dev, p->app) == NULL,
			    "round %d: %s is on %s still: rule %u, blamed %d",
			    round, p->name, s->d[i]->name, p->rule, p->blamed);
}

Test(orphans, leave_whatever_else_is_going_on)
{
	struct stage s;
	int round, i;

	srandom(3);
	for (round = 0; round < ROUNDS; round++) {
		set_up(&s);
		for (i = 0; i < TURNS; i++) {
			turn(&s);
			check_queue(&s);
		}
		check_end(&s, round);
		tear_down(&s);
	}
	NO_LEAKS();
}
