/* SPDX-License-Identifier: ISC */
/*
 * suspect.c: who made a device's version fail.
 *
 * Owns the search: which pods are suspected, which are withheld while others
 * are tried, who is found guilty.  What becomes of them is life.def's.
 *
 * A version that failed is split: half of the suspects stay in the spec, half
 * are withheld as a batch.  A half that fails is split on; one that holds is
 * cleared for good and the batch withheld last comes back: half of it, when
 * the guilty one must be in it.  Nobody is blamed but who was named by the
 * device or failed alone.  Of n suspects with k guilty ones each version that
 * fails is a set on a path from all to one guilty, at most k(log2 n + 1), and
 * each that holds follows one that failed or takes a guilty one out.
 */
#include "placer/suspect.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/again.h"
#include "placer/facts.h"
#include "placer/live.h"
#include "placer/said.h"

/* What the device says of an update until now is no news of the next. */
void
suspect_forget(struct wdevice *d)
{
	free(d->judged);
	d->judged = NULL;
	d->unsure = 0;
	if (d->dev != NULL && d->dev->update_since != NULL)
		d->judged = xstrdup(d->dev->update_since);
}

/*
 * We remember nothing: a failure that already stands there may be of a version
 * before the one in the spec.  If it is not, it lasts.
 */
void
suspect_first_read(const struct world *w, struct wdevice *d)
{
	if (!w->forgot || !d->dev->failed)
		return;
	suspect_forget(d);
	d->unsure = 1;
}

static int
has_news(const struct wdevice *d)
{
	return d->judged == NULL || d->dev->update_since == NULL ||
	    strcmp(d->judged, d->dev->update_since) != 0;
}

/* Of one that did not settle: it is done, with another version. */
static int
is_done(const struct wdevice *d)
{
	return d->dev->update_reason != NULL &&
	    strcmp(d->dev->update_reason, "Updated") == 0;
}

static int
is_suspect(const struct wpod *p, const struct wdevice *d)
{
	return p->sent && !p->applied && !p->blamed && !p->withheld &&
	    !p->reverting && device_entry(d->dev, p->app) != NULL;
}

/* Of what ran here before us we only know that it runs. */
static int
is_heard_of(const struct wpod *p, const struct wdevice *d)
{
	const struct app_report *r = device_report(d->dev, p->app);

	return p->proven_images == 0 && r != NULL && r->state == APP_RUNNING;
}

/* The suspects, or those among them of whom nothing runs; their number. */
static size_t
gather(const struct wdevice *d, struct wpod **list)
{
	struct wpod *p;
	size_t n = 0, all = 0;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		all += is_suspect(p, d) != 0;
		if (is_suspect(p, d) && !is_heard_of(p, d))
			list[n++] = p;
	}
	if (n > 0 || all == 0)
		return n;
	TAILQ_FOREACH(p, &d->pods, on_device)
		if (is_suspect(p, d))
			list[n++] = p;
	return n;
}

static void
withhold(struct world *w, struct wdevice *d, struct wpod *p, uint32_t batch)
{
	p->withheld = p->suspect = 1;
	p->batch = batch;
	d->isolating = 1;
	world_look(w, p);
}

/* Whom the device names is guilty; 1: there is one. */
static int
blame_named(struct world *w, struct wdevice *d, struct wpod *const *list,
    size_t n)
{
	const char *words = said_words(d->dev);
	size_t i, named = 0;

	for (i = 0; i < n; i++) {
		if (!said_names(words, list[i]))
			continue;
		list[i]->blamed = 1;
		world_look(w, list[i]);
		named++;
	}
	return named > 0;
}

static void
split(struct world *w, struct wdevice *d, struct wpod *const *list, size_t n)
{
	size_t i;

	d->bad_batch = ++d->batches;
	for (i = 0; i < n; i++)
		if (i < n - n / 2)
			list[i]->suspect = 1;
		else
			withhold(w, d, list[i], d->bad_batch);
}

void
suspect_judge(struct world *w, struct wdevice *d, struct now now)
{
	AUTO_FREE struct wpod **list = xcalloc(d->npods + 1, sizeof(*list));
	size_t n = gather(d, list);

	if (d->dev->failed || is_done(d))
		again_refused(d);
	d->hung_boot = d->fetch_boot = 0;
	suspect_forget(d);
	d->bad_batch = 0;
	if (blame_named(w, d, list, n) || live_judge(w, d, n, now) || n == 0)
		return;
	if (n > 1) {
		split(w, d, list, n);
		return;
	}
	list[0]->blamed = 1;
	world_look(w, list[0]);
}

/* Since when it holds, as a clock; 1: it is over. */
static int
runs_out(struct world *w, struct wdevice *d, int64_t *since, int holds,
    int64_t ms, struct now now)
{
	if (!holds) {
		*since = 0;
		return 0;
	}
	if (*since == 0)
		*since = now.boot_ms;
	if (now.boot_ms - *since >= ms)
		return 1; /* looked at again when something comes of it */
	world_look_device_at(w, d, *since + ms);
	return 0;
}

/* -- who holds up others -- */

static int
is_removed(const struct wpod *p, const struct wdevice *d)
{
	return p->state == LEAVING && p->flying == IO_NONE &&
	    device_entry(d->dev, p->app) == NULL;
}

/*
 * Of a version that is being fetched: does a removal wait for it, or pods
 * whose images are there?
 */
static int64_t
patience(const struct wdevice *d)
{
	const char *words = said_words(d->dev);
	size_t suspects = 0, named = 0, others = 0;
	const struct wpod *p;
	int removed = 0;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		removed |= is_removed(p, d);
		others += p->withheld;
		if (!is_suspect(p, d))
			continue;
		suspects++;
		named += said_names(words, p) != 0;
	}
	if (removed && suspects > 0)
		return SUSPECT_REMOVAL_MS;
	if (named > 0 && suspects - named + others > 0)
		return SUSPECT_FETCH_MS << d->parked;
	return INT64_MAX;
}

static int
is_blocked(struct world *w, struct wdevice *d, struct now now)
{
	int64_t ms = said_fetching(d->dev) && facts_device(d, now) == HERE ?
	    patience(d) :
	    INT64_MAX;

	return runs_out(w, d, &d->blocked_boot, ms != INT64_MAX, ms, now);
}

void
suspect_park(struct world *w, struct wdevice *d)
{
	const char *words = said_words(d->dev);
	struct wpod *p;
	int removed = 0;

	d->blocked_boot = 0;
	TAILQ_FOREACH(p, &d->pods, on_device)
		removed |= is_removed(p, d);
	if (!removed && d->parked < SUSPECT_PARKED_MAX)
		d->parked++;
	TAILQ_FOREACH(p, &d->pods, on_device)
		if (is_suspect(p, d) && (removed || said_names(words, p)))
			withhold(w, d, p, PARKED);
}

/* -- what the device says -- */

static int
blamed_is_there(const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (p->blamed && device_entry(d->dev, p->app) != NULL)
			return 1;
	return 0;
}

/* Of this version: of what was taken out of it, these are old words. */
static int
fetches(const struct wdevice *d)
{
	const char *words = said_words(d->dev);
	const struct wpod *p;

	if (!said_fetching(d->dev))
		return 0;
	TAILQ_FOREACH(p, &d->pods, on_device)
		if (p->withheld && device_entry(d->dev, p->app) == NULL &&
		    said_names(words, p))
			return 0;
	return 1;
}

/*
 * It goes on saying neither that it applied the version, nor that it failed:
 * while it fetches what the version wants it is given more time.
 */
static int
is_hung(struct world *w, struct wdevice *d, struct now now)
{
	int waits = (!d->dev->failed || d->unsure) &&
	    facts_device(d, now) == HERE && d->dev->summary != DEVICE_UNKNOWN;
	int late = fetches(d);

	return runs_out(w, d, &d->hung_boot, waits && !late, w->apply_ms, now) |
	    runs_out(w, d, &d->fetch_boot, waits && late, w->pull_ms, now);
}

/* Nobody could be guilty: it refused the same before, seen by nobody. */
static int
is_ignored(const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (is_suspect(p, d) || p->filed == FILED_NEW)
			return 0;
	return 1;
}

enum spec_version
suspect_version(struct world *w, struct wdevice *d, int rendered,
    struct now now)
{
	if (!rendered || d->gone) {
		d->hung_boot = d->blocked_boot = 0;
		return UNDERWAY;
	}
	if (facts_settled(d)) {
		if (!d->isolating && d->nqueued == 0)
			d->parked = 0;
		d->hung_boot = d->fetch_boot = d->blocked_boot = 0;
		return SETTLED;
	}
	if (again_is_skipped(d)) {
		d->hung_boot = d->fetch_boot = d->blocked_boot = 0;
		return SKIPPED;
	}
	if (is_hung(w, d, now) && !blamed_is_there(d))
		return is_ignored(d) ? INNOCENT : HUNG;
	if (is_blocked(w, d, now))
		return BLOCKED;
	if (!d->dev->failed)
		return UNDERWAY;
	if (blamed_is_there(d))
		return JUDGED;
	return has_news(d) ? BROKEN : INNOCENT;
}

/* -- who was withheld -- */

/* The batch withheld last, how many it has; those parked come at the end. */
static size_t
last_batch(const struct wdevice *d, uint32_t *batch)
{
	const struct wpod *p;
	size_t n = 0;

	*batch = PARKED;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!p->withheld || p->batch < *batch)
			continue;
		n = p->batch == *batch ? n + 1 : 1;
		*batch = p->batch;
	}
	return n;
}

static void
end_search(struct world *w, struct wdevice *d)
{
	struct wpod *p;

	d->isolating = 0;
	d->bad_batch = 0;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		p->suspect = 0;
		world_look(w, p);
	}
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
}

void
suspect_release(struct world *w, struct wdevice *d)
{
	uint32_t batch;
	size_t n = last_batch(d, &batch);
	struct wpod *p;

	if (batch != PARKED && batch == d->bad_batch)
		n -= n / 2; /* all of it would fail once more */
	else
		d->bad_batch = 0;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (!p->withheld || p->batch != batch || n == 0)
			continue;
		p->withheld = 0;
		world_look(w, p);
		n--;
	}
	if (batch == PARKED)
		end_search(w, d); /* or there were none */
}
