/* SPDX-License-Identifier: ISC */
/*
 * explain_clock.c: which clocks run, and what follows when they run out.
 *
 * Owns the words.  Never starts or stops one.
 */
#include "placer/company.h"
#include "placer/contest.h"
#include "placer/explain_own.h"
#include "placer/facts.h"
#include "placer/lost.h"
#include "placer/taken.h"

static void
clock_row(struct explain *x, const char *name, int64_t at_boot,
    const char *text)
{
	explain_row(x,
	    &(struct explain_row){ "clock", name, 0,
		at_boot > x->now.boot_ms ? "runs" : "ran out", at_boot },
	    "%s", text);
}

/* One that runs so long from since on; 0: it does not run. */
static void
since_row(struct explain *x, const char *name, int64_t since, int64_t ms,
    const char *text)
{
	if (since != 0)
		clock_row(x, name, since + ms, text);
}

/* One that matters only while it runs. */
static void
until_row(struct explain *x, const char *name, int64_t at_boot,
    const char *text)
{
	if (at_boot > x->now.boot_ms)
		clock_row(x, name, at_boot, text);
}

void
explain_device_clocks(struct explain *x, const struct wdevice *d)
{
	const struct world *w = x->world;

	if (d->away_boot == 0)
		since_row(x, "unknown", d->unknown_boot, UNKNOWN_MS,
		    "Unknown for so long, it counts as disconnected");
	since_row(x, "hung", d->hung_boot, w->apply_ms,
	    "then its version hangs, and whose fault that is is looked for "
	    "(APPLY_TIMEOUT)");
	since_row(x, "fetch", d->fetch_boot, w->pull_ms,
	    "then what it fetches is given up (PULL_TIMEOUT)");
	until_row(x, "hold", d->hold_boot,
	    "a write was refused: the next one waits so long");
	until_row(x, "contest", contest_until(d),
	    "another writer undoes ours: nothing is added until then");
	since_row(x, "left", d->left != NULL ? d->left_boot : 0, TAKEN_LEFT_MS,
	    "then the pods of a device that left the fleet are evicted");
}

static const char *
stopped_by(const struct explain *x, const struct wpod *p)
{
	const struct wdevice *d = p->device;

	if (facts_due(x->world, p) == INT64_MAX)
		return "the pod waits for its device for ever (annotation "
		       "vk.flightctl.io/reconnect-timeout)";
	if (!x->world->flight_reachable)
		return "Flightctl does not answer: nobody is lost meanwhile";
	if (d->node != NULL && d->node->brake)
		return "the brake is on: too many devices went silent at once "
		       "(vkfctl release-brake)";
	return NULL;
}

static void
say_reconnect(struct explain *x, const struct wpod *p)
{
	const struct wdevice *d = p->device;
	const char *stopped = stopped_by(x, p);
	int64_t due = facts_due(x->world, p);

	if (d->away_boot == 0)
		return;
	if (stopped != NULL)
		explain_row(x,
		    &(struct explain_row){ "clock", "reconnect", 0, "stopped",
			NO_CLOCK },
		    "%s", stopped);
	else if (x->now.boot_ms < due)
		clock_row(x, "reconnect", due,
		    "evicted when the device is not back by then");
	else if (facts_fresh(d, x->now))
		clock_row(x, "reconnect", due,
		    "the device did not come back in time");
	else
		clock_row(x, "reconnect", due,
		    "a fresh read must say that the device is still away");
}

void
explain_pod_clocks(struct explain *x, const struct wpod *p)
{
	int64_t again = lost_evicts_again(x->world);

	until_row(x, "retry", p->retry_boot, "then it is tried again");
	if (p->pod != NULL && p->pod->deadline_ms > 0 && !p->ended)
		since_row(x, "deadline", p->active_boot, p->pod->deadline_ms,
		    "then it fails: activeDeadlineSeconds");
	since_row(x, "image", p->left_boot, COMPANY_IMAGE_MS,
	    "its image goes after what needs none, at most so long");
	if ((p->state == EVICTING || p->state == DRAINING) && !p->evicted)
		until_row(x, "evictions", again,
		    "as many pods as EVICT_RATE allows were evicted this "
		    "minute");
	if (p->device == NULL)
		return;
	say_reconnect(x, p);
	explain_device_clocks(x, p->device);
}
