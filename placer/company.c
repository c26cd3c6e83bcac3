/* SPDX-License-Identifier: ISC */
/*
 * company.c: who goes along in one write.
 *
 * All of a version waits for the slowest of it, and an image that is not on
 * the device costs 30 s at best and has no end at worst.  So what wants one
 * goes after what does not.  Owns that choice; never queues anything.
 */
#include "placer/company.h"

#include "placer/change.h"
#include "placer/contest.h"

enum {
	TURN_MS = 1000, /* who was left out is looked at again */
};

static int
adds(const struct wpod *p)
{
	return p->queued == IO_SET || p->queued == IO_FILES;
}

static void
leave(struct world *w, struct wpod *p, int64_t then_boot, struct now now)
{
	change_queue(w, p, IO_NONE, now);
	world_look_at(w, p, then_boot);
}

/* Contested or not, what is there may be changed. */
static void
leave_new(struct world *w, struct wdevice *d, struct now now)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (adds(p) && device_entry(d->dev, p->app) == NULL)
			leave(w, p, contest_until(d), now);
}

/* Removals, or one addition. */
static void
leave_all_but_one(struct world *w, struct wdevice *d, struct now now)
{
	int room = d->nurgent == 0;
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (adds(p) && room-- <= 0)
			leave(w, p, now.boot_ms + TURN_MS, now);
}

/* -- images -- */

static int
runs_image(const struct wdevice *d, uint64_t image)
{
	const struct wpod *p;
	size_t i;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!p->applied || p->pod == NULL ||
		    p->pod->images != p->sent_images)
			continue;
		for (i = 0; i < p->pod->ncontainers; i++)
			if (p->pod->containers[i].image_id == image)
				return 1;
	}
	return 0;
}

/* Has the device all that it wants?  What ran before is known to be there. */
static int
is_there(const struct wdevice *d, const struct wpod *p)
{
	size_t i;

	if (p->queued == IO_FILES || p->reverting || p->pod == NULL)
		return 1;
	for (i = 0; i < p->pod->ncontainers; i++)
		if (!runs_image(d, p->pod->containers[i].image_id))
			return 0;
	return 1;
}

/* Would it be held up by an image that is fetched? */
static int
is_quick(const struct wdevice *d, const struct wpod *p)
{
	if (p->state == LEAVING || p->queued == IO_CUT)
		return 1;
	if (!adds(p) && (p->applied || !p->sent || p->withheld))
		return 0;
	return is_there(d, p);
}

static int
has_quick(const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (is_quick(d, p))
			return 1;
	return 0;
}

static void
leave_images(struct world *w, struct wdevice *d, struct now now)
{
	struct wpod *p;

	if (!has_quick(d))
		return;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued != IO_SET || is_there(d, p))
			continue;
		if (p->left_boot == 0)
			p->left_boot = now.boot_ms;
		if (now.boot_ms - p->left_boot < COMPANY_IMAGE_MS)
			leave(w, p, now.boot_ms + TURN_MS, now);
	}
}

void
company_choose(struct world *w, struct wdevice *d, struct now now)
{
	if (now.boot_ms < contest_until(d))
		leave_new(w, d, now);
	else if (now.boot_ms < d->single_boot)
		leave_all_but_one(w, d, now);
	else
		leave_images(w, d, now);
}
