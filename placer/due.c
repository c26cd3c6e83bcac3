/* SPDX-License-Identifier: ISC */
/*
 * due.c: what is to be looked at again, and when.
 *
 * Owns the order.  Each pod and device is there once, at the earliest time
 * that anyone asked for: who looks at it says anew when the next look is due.
 * Never reads a clock.
 */
#include <stddef.h>

#include "placer/world.h"

RB_GENERATE(due_tree, due, link, due_cmp)

int
due_cmp(const struct due *a, const struct due *b)
{
	if (a->at_boot != b->at_boot)
		return a->at_boot < b->at_boot ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return 0;
}

static void
due_set(struct world *w, struct due_tree *t, struct due *d, int64_t at_boot)
{
	if (d->at_boot != 0 && d->at_boot <= at_boot)
		return;
	if (d->at_boot != 0)
		RB_REMOVE(due_tree, t, d);
	d->at_boot = at_boot;
	d->seq = ++w->seq;
	RB_INSERT(due_tree, t, d);
}

static void
due_clear(struct due_tree *t, struct due *d)
{
	if (d->at_boot == 0)
		return;
	RB_REMOVE(due_tree, t, d);
	d->at_boot = 0;
}

static struct due *
due_next(struct due_tree *t, int64_t boot_ms)
{
	struct due *d;

	d = RB_MIN(due_tree, t);
	if (d == NULL || d->at_boot > boot_ms)
		return NULL;
	due_clear(t, d);
	return d;
}

#define OWNER_OF(d, type) \
	((struct type *)((char *)(d)-offsetof(struct type, due)))

void
world_look_at(struct world *w, struct wpod *p, int64_t boot_ms)
{
	uint64_t order = p->pod != NULL ? p->pod->order_ms : 0;

	if (p->due.order != order) { /* its place among those of that time */
		if (p->due.at_boot != 0 && p->due.at_boot < boot_ms)
			boot_ms = p->due.at_boot;
		due_clear(&w->due_pods, &p->due);
		p->due.order = order;
	}
	due_set(w, &w->due_pods, &p->due, boot_ms);
}

/* 1 is before any instant: at once. */
void
world_look(struct world *w, struct wpod *p)
{
	world_look_at(w, p, 1);
}

void
world_look_device(struct world *w, struct wdevice *d)
{
	due_set(w, &w->due_devices, &d->due, 1);
}

void
world_look_device_at(struct world *w, struct wdevice *d, int64_t boot_ms)
{
	due_set(w, &w->due_devices, &d->due, boot_ms);
}

void
world_unlook(struct world *w, struct wpod *p)
{
	due_clear(&w->due_pods, &p->due);
}

void
world_unlook_device(struct world *w, struct wdevice *d)
{
	due_clear(&w->due_devices, &d->due);
}

void
world_look_pods_of(struct world *w, struct wdevice *d)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		world_look(w, p);
}

void
world_look_all(struct world *w)
{
	struct wdevice *d;
	struct wpod *p;

	RB_FOREACH(p, wpod_tree, &w->pods)
		world_look(w, p);
	RB_FOREACH(d, wdevice_tree, &w->devices)
		world_look_device(w, d);
}

struct wpod *
world_next_pod(struct world *w, int64_t boot_ms)
{
	struct due *d;

	if ((d = due_next(&w->due_pods, boot_ms)) == NULL)
		return NULL;
	return OWNER_OF(d, wpod);
}

struct wdevice *
world_next_device(struct world *w, int64_t boot_ms)
{
	struct due *d;

	if ((d = due_next(&w->due_devices, boot_ms)) == NULL)
		return NULL;
	return OWNER_OF(d, wdevice);
}

int64_t
world_next_due(const struct world *w)
{
	struct due_tree pods = w->due_pods, devices = w->due_devices;
	const struct due *p, *d;
	int64_t at = INT64_MAX;

	if ((p = RB_MIN(due_tree, &pods)) != NULL)
		at = p->at_boot;
	if ((d = RB_MIN(due_tree, &devices)) != NULL && d->at_boot < at)
		at = d->at_boot;
	return at;
}
