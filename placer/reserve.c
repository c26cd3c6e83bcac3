/* SPDX-License-Identifier: ISC */
/*
 * reserve.c: which device is kept for a pod that has waited long.
 *
 * Owns wpod.reserves and wdevice.reserved_for.  Never chooses for a pod that
 * finds room (pick.c).
 */
#include "placer/reserve.h"

#include "common/least.h"
#include "placer/pick.h"

enum {
	PATIENCE_MS = 5 * 60 * 1000,
	SHARE = 10 /* one device in so many may be kept */
};

/*
 * The API knows it from before our start.  Nobody waits since the future, and
 * longer than long enough is the same.
 */
static int64_t
waits_since(const struct wpod *p, struct now now)
{
	const struct pod_seen *seen = &p->pod->seen;
	int64_t ago = 0;

	if (seen->cond[COND_DEVICE].status == TRUTH_FALSE &&
	    seen->cond[COND_DEVICE].since_ms > 0)
		ago = now.wall_ms - seen->cond[COND_DEVICE].since_ms;
	if (ago < 0)
		ago = 0;
	return now.boot_ms - (ago > PATIENCE_MS ? PATIENCE_MS : ago);
}

static int
may_keep_one_more(const struct wnode *n)
{
	const struct wdevice *d;
	int64_t kept = 0;

	TAILQ_FOREACH(d, &n->devices, on_node)
		kept += d->reserved_for != NULL;
	return kept < most((int64_t)n->ndevices / SHARE, 1);
}

static void
keep(struct wpod *p, struct wdevice *d)
{
	p->reserves = d;
	d->reserved_for = p;
	world_device_changed(d);
}

static void
give_back(struct wpod *p)
{
	struct wdevice *d = p->reserves;

	p->reserves = NULL;
	d->reserved_for = NULL;
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
}

void
reserve_look(struct world *w, struct wpod *p, struct now now)
{
	struct wdevice *d;

	if (p->room_boot == 0)
		p->room_boot = waits_since(p, now);
	if (now.boot_ms - p->room_boot < PATIENCE_MS) {
		world_look_at(w, p, p->room_boot + PATIENCE_MS);
		return;
	}
	if (p->reserves != NULL || !may_keep_one_more(p->node))
		return;
	if ((d = pick_nearest(p->node, p)) != NULL)
		keep(p, d);
}

void
reserve_end(struct wpod *p)
{
	p->room_boot = 0;
	if (p->reserves != NULL)
		give_back(p);
}

void
reserve_lose(struct wdevice *d)
{
	if (d->reserved_for != NULL)
		give_back(d->reserved_for);
}
