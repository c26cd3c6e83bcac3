/* SPDX-License-Identifier: ISC */
/*
 * contest.c: another writer that undoes what we wrote.
 *
 * Owns what we believe to be in a device's spec, and the pauses.  Never
 * touches what is another's.
 */
#include "placer/contest.h"

#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

void
contest_answered(struct wdevice *d, int stored)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->flying == IO_NONE || p->flying == IO_FILES)
			continue;
		p->untold = p->flying == IO_SET && (p->untold || !p->there);
		p->there = stored && p->flying == IO_SET;
		p->there_images = p->sent_images;
	}
}

static void
tell_overwritten(struct effects *fx, struct wpod *p)
{
	AUTO_FREE char *text = xasprintf("Device %s: another writer took the "
					 "application out or changed it",
	    p->device->name);

	effects_event(fx, p, 1, "ApplicationOverwritten", text);
}

/* Believes what it reads; 1: that is not what we left. */
static int
is_undone(struct wpod *p, const struct wdevice *d)
{
	const struct app_entry *e = device_entry(d->dev, p->app);
	int was = p->there, changed;

	p->there = e != NULL;
	if (e == NULL)
		return was;
	changed = was && e->images != 0 && e->images != p->there_images;
	p->there_images = e->images;
	return changed;
}

/* Not a Fleet's, and not written by another provider. */
static int
is_ours(const struct wdevice *d, struct now now)
{
	return d->dev->owner == NULL && d->node != NULL &&
	    now.boot_ms < d->node->until_boot;
}

static void
contested(struct wdevice *d, struct now now, struct effects *fx)
{
	AUTO_FREE char *text = NULL;

	d->contest_ms = d->contest_ms == 0 ? CONTEST_MIN_MS : 2 * d->contest_ms;
	if (d->contest_ms > CONTEST_MAX_MS)
		d->contest_ms = CONTEST_MAX_MS;
	d->contest_boot = now.boot_ms + d->contest_ms;
	text = xasprintf("Device %s: another writer undoes what is written to "
			 "it: next try in %lld min",
	    d->name, (long long)d->contest_ms / CONTEST_MIN_MS);
	effects_device_event(fx, d, 1, "DeviceContested", text);
}

void
contest_read(struct world *w, struct wdevice *d, struct now now,
    struct effects *fx)
{
	size_t last = sizeof(d->undone_boot) / sizeof(d->undone_boot[0]) - 1;
	int judge = d->ours, n = 0, undone;
	struct wpod *p;

	d->ours = is_ours(d, now) != 0;
	judge = judge && d->ours;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		undone = is_undone(p, d);
		if (d->dev->rendered)
			p->untold = 0;
		if (!undone || !judge || p->pod == NULL || p->pod->terminating)
			continue;
		tell_overwritten(fx, p);
		n++;
	}
	if (n == 0)
		return;
	memmove(&d->undone_boot[1], &d->undone_boot[0],
	    last * sizeof(d->undone_boot[0]));
	d->undone_boot[0] = now.boot_ms;
	if (now.boot_ms < contest_until(d)) /* nothing of ours meanwhile */
		return;
	if (d->contest_ms == 0 &&
	    (d->undone_boot[last] == 0 ||
		now.boot_ms - d->undone_boot[last] > CONTEST_WINDOW_MS))
		return;
	contested(d, now, fx);
	world_device_changed(d);
	world_look_device_at(w, d, d->contest_boot + CONTEST_WINDOW_MS);
}

void
contest_look(struct world *w, struct wdevice *d, struct now now)
{
	int64_t end = d->contest_boot + CONTEST_WINDOW_MS;

	if (d->contest_ms == 0)
		return;
	if (now.boot_ms < end) {
		world_look_device_at(w, d, end);
		return;
	}
	d->contest_ms = 0;
	memset(d->undone_boot, 0, sizeof(d->undone_boot));
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
}

int64_t
contest_until(const struct wdevice *d)
{
	return d->contest_ms == 0 ? 0 : d->contest_boot;
}
