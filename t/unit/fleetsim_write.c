/* SPDX-License-Identifier: ISC */
/*
 * fleetsim_write.c: devices by name, their writes, and their polls after.
 * Who goes together and when is asked of group.c and pace.c.
 */
#include "flightside/put.h"
#include "t/unit/fleetsim_own.h"

enum {
	NAME = 52, /* Flightctl's names are hashes */
};

/* -- devices by name (fetch.c) -- */

void
sim_ask(struct fleetsim *s, enum budget_class class)
{
	struct wants *w = &s->wants[class];
	int64_t due = INT64_MAX;
	size_t i;

	if (w->asking || w->n == 0)
		return;
	/* The first came first, and all may wait equally long. */
	for (i = 0; i < w->n && i < GROUP_NAMES; i++)
		if (w->due[(w->head + i) % s->devices] < due)
			due = w->due[(w->head + i) % s->devices];
	due = group_due(w->n, due, s->now);
	if (due > s->now) {
		fleetsim_at(s, due,
		    (struct happening){ .what = TO_ASK, .device = class });
		return;
	}
	w->asking = 1;
	fleetsim_queue(s, class == BUDGET_WRITE ? BASES : POLLS, class);
}

static void
want(struct fleetsim *s, enum budget_class class, unsigned int d, int64_t ms)
{
	struct wants *w = &s->wants[class];
	size_t i = (w->head + w->n++) % s->devices;

	w->device[i] = d;
	w->due[i] = s->now + ms;
	sim_ask(s, class);
}

void
sim_choose(struct fleetsim *s, struct request *r)
{
	struct wants *w = &s->wants[r->class];
	struct group g = { 0 };

	while (w->n > 0 && group_add(&g, NAME, 0)) {
		r->device[r->n++] = w->device[w->head];
		w->head = (w->head + 1) % s->devices;
		w->n--;
	}
	w->asking = 0;
	sim_ask(s, r->class);
}

/* -- writing (placer/change.c, put.c) -- */

void
sim_to_write(struct fleetsim *s, unsigned int d)
{
	struct sdevice *v = &s->device[d];
	int64_t ends = pace_company_ends(&s->pace,
	    &(struct pace_queue){ .ndirty = s->ndirty,
		.dirty_boot = v->dirty,
		.queued_boot = v->dirty,
		.any_boot = s->any,
		.sent_boot = v->wrote },
	    s->now);

	if (s->now < ends) {
		fleetsim_at(s, ends,
		    (struct happening){ .what = TO_WRITE, .device = d });
		return;
	}
	s->ndirty--;
	pace_spend(&s->pace, s->now);
	want(s, BUDGET_WRITE, d, PACE_READ_MS);
}

static void
next_slots(struct fleetsim *s)
{
	struct request *r;

	while (s->nsending < PUT_SENDING && s->nslots > 0) {
		r = fleetsim_queue(s, PUT, BUDGET_WRITE);
		r->device[r->n++] = s->slots[s->slot];
		s->slot = (s->slot + 1) % s->devices;
		s->nslots--;
		s->nsending++;
	}
}

void
sim_on_bases(struct fleetsim *s, const struct request *r)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		s->slots[(s->slot + s->nslots++) % s->devices] = r->device[i];
	next_slots(s);
}

void
sim_on_put(struct fleetsim *s, unsigned int d)
{
	struct sdevice *v = &s->device[d];

	s->nsending--;
	next_slots(s);
	s->r.written++;
	s->r.written_ms = s->now - s->decided;
	v->wrote = v->moved = s->now;
	v->runs = s->now + FLEETSIM_APPLY_MS;
	fleetsim_at(s, pace_poll_first(&s->pace, 0, s->now),
	    (struct happening){ .what = TO_POLL, .device = d });
}

void
sim_on_polls(struct fleetsim *s, const struct request *r)
{
	struct sdevice *v;
	unsigned int i;

	for (i = 0; i < r->n; i++) {
		v = &s->device[r->device[i]];
		if (v->moved == 0 || r->sent < v->runs)
			continue;
		if (s->now - v->runs > s->r.shown_ms)
			s->r.shown_ms = s->now - v->runs;
		v->moved = 0;
		s->r.running++;
	}
}

void
sim_to_poll(struct fleetsim *s, unsigned int d)
{
	struct sdevice *v = &s->device[d];

	if (v->moved == 0)
		return;
	want(s, BUDGET_MOTION, d, 0);
	fleetsim_at(s, pace_poll_next(&s->pace, v->moved, s->now),
	    (struct happening){ .what = TO_POLL, .device = d });
}
