/* SPDX-License-Identifier: ISC */
/*
 * suspect.c: who made a device's version fail.
 *
 * Owns the search: which pods are suspected, which are withheld while one is
 * tried, who is found guilty.  What becomes of them is life.def's.
 */
#include "placer/suspect.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/facts.h"

/* What the device says of an update until now is no news of the next. */
void
suspect_forget(struct wdevice *d)
{
	free(d->judged);
	d->judged = NULL;
	if (d->dev != NULL && d->dev->update_since != NULL)
		d->judged = xstrdup(d->dev->update_since);
}

static int
has_news(const struct wdevice *d)
{
	return d->judged == NULL || d->dev->update_since == NULL ||
	    strcmp(d->judged, d->dev->update_since) != 0;
}

static int
is_suspect(const struct wpod *p, const struct wdevice *d)
{
	return p->sent && !p->applied && !p->blamed && !p->withheld &&
	    !p->reverting && device_entry(d->dev, p->app) != NULL;
}

/*
 * One suspect is guilty.  Of several, one stays in the spec and the others
 * are withheld; they come back one by one.
 */
static void
judge(struct world *w, struct wdevice *d)
{
	struct wpod *p, *first = NULL;
	size_t n = 0;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!is_suspect(p, d))
			continue;
		if (n++ == 0)
			first = p;
		else
			p->withheld = 1;
		world_look(w, p);
	}
	if (n == 1)
		first->blamed = 1;
	else if (n > 1)
		d->isolating = 1;
}

static int
blamed_is_there(const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (p->blamed && device_entry(d->dev, p->app) != NULL)
			return 1;
	return 0;
}

static int
is_fetching(const struct device *dev)
{
	return dev->update_reason != NULL &&
	    (strcmp(dev->update_reason, "Preparing") == 0 ||
		strcmp(dev->update_reason, "ReadyToUpdate") == 0);
}

/*
 * It goes on saying neither that it applied the version, nor that it failed,
 * nor that it still fetches what the version wants.
 */
static int
is_hung(struct world *w, struct wdevice *d, struct now now)
{
	if (d->dev->settled || d->dev->failed || facts_device(d, now) != HERE ||
	    d->dev->summary == DEVICE_UNKNOWN || is_fetching(d->dev)) {
		d->hung_boot = 0;
		return 0;
	}
	if (d->hung_boot == 0)
		d->hung_boot = now.boot_ms;
	world_look_device_at(w, d, d->hung_boot + w->apply_ms);
	return now.boot_ms - d->hung_boot >= w->apply_ms;
}

enum spec_version
suspect_version(struct world *w, struct wdevice *d, int rendered,
    struct now now)
{
	if (!rendered || d->gone) {
		d->hung_boot = 0;
		return UNDERWAY;
	}
	if (facts_settled(d)) {
		d->hung_boot = 0;
		return SETTLED;
	}
	if (is_hung(w, d, now))
		return blamed_is_there(d) ? UNDERWAY : HUNG;
	if (!d->dev->failed)
		return UNDERWAY;
	return has_news(d) && !blamed_is_there(d) ? BROKEN : JUDGED;
}

void
suspect_judge(struct world *w, struct wdevice *d)
{
	d->hung_boot = 0;
	suspect_forget(d);
	judge(w, d);
}

/* The version holds: the next of those that were withheld has its turn. */
void
suspect_release(struct world *w, struct wdevice *d)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!p->withheld)
			continue;
		p->withheld = 0;
		world_look(w, p);
		return;
	}
	d->isolating = 0;
	if (d->node != NULL)
		d->node->retry = 1;
}
