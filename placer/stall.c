/* SPDX-License-Identifier: ISC */
/*
 * stall.c: gets a spec rendered that Flightctl forgot.
 *
 * Owns the clock of an unrendered generation.  Never touches an entry that a
 * device runs.
 */
#include "placer/stall.h"

#include "placer/facts.h"
#include "placer/live.h"

void
stall_note(struct world *w, struct wdevice *d, struct now now)
{
	const struct device *dev = d->dev;

	if (dev->rendered) {
		d->stalled_boot = 0;
		if (dev->version != d->nudged_version)
			d->stall_ms = 0; /* and truly so: not by our undoing */
		if (dev->hash != NULL)
			w->hash_rule = 1;
		return;
	}
	if (d->stalled_boot != 0 && d->stalled_generation == dev->generation)
		return;
	d->stalled_boot = now.boot_ms;
	d->stalled_generation = dev->generation;
	world_look_device_at(w, d, now.boot_ms + STALL_MS);
}

int
stall_is(const struct wdevice *d, struct now now)
{
	return d->stalled_boot != 0 && !facts_stale(d) &&
	    now.boot_ms >= d->stalled_boot + STALL_MS;
}

static int
may_flip(const struct wpod *p, const struct wdevice *d, enum wish_io io)
{
	int there = device_entry(d->dev, p->app) != NULL;

	if (p->pod == NULL || !p->sent || p->blamed || p->withheld ||
	    p->reverting)
		return 0;
	if (io == IO_CUT)
		return there && p->untold;
	return !there && p->pod->terminating && p->applied && p->has_entry &&
	    p->rendered_images == p->sent_images;
}

static int
flip(struct world *w, struct wdevice *d, enum wish_io io)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!may_flip(p, d, io))
			continue;
		world_queue(w, p, io);
		return 1;
	}
	return 0;
}

/* Files can be written once more; it takes a question or two. */
static int
write_again(struct world *w, struct wdevice *d)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (live_again(w, p))
			return 1;
	return 0;
}

int
stall_nudge(struct world *w, struct wdevice *d, struct now now)
{
	/* A server with another rule of the hash is not stalled. */
	if (!w->hash_rule || !d->dev->spec_valid || d->nqueued > 0 ||
	    d->change_id != 0 || !stall_is(d, now))
		return 0;
	if (now.boot_ms < d->nudged_boot + d->stall_ms) {
		world_look_device_at(w, d, d->nudged_boot + d->stall_ms);
		return 0;
	}
	if (!flip(w, d, IO_CUT) && !flip(w, d, IO_SET) && !write_again(w, d))
		return 0;
	d->nudged_boot = now.boot_ms;
	d->nudged_version = d->dev->version;
	d->stall_ms = 2 * (d->stall_ms == 0 ? STALL_MS : d->stall_ms);
	if (d->stall_ms > STALL_MAX_MS)
		d->stall_ms = STALL_MAX_MS;
	world_look_device_at(w, d, d->nudged_boot + d->stall_ms);
	return d->nqueued > 0;
}
