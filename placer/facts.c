/* SPDX-License-Identifier: ISC */
/*
 * facts.c: reads the four facts of life.def off the world.
 *
 * Owns what "here", "applied" or "taken out" mean; never changes anything.
 */
#include "placer/facts.h"

#include <string.h>

#include "placer/deadline.h"

int
facts_stale(const struct wdevice *d)
{
	if (d->dev == NULL)
		return 1;
	if (d->wrote_created == NULL ||
	    strcmp(d->wrote_created, d->dev->created) != 0)
		return 0;
	return d->dev->generation < d->wrote_generation;
}

int
facts_settled(const struct wdevice *d)
{
	return !facts_stale(d) && d->change_id == 0 && !world_is_frozen(d) &&
	    d->dev->applied;
}

enum life_device
facts_device(const struct wdevice *d, struct now now)
{
	if (d->gone)
		return GONE;
	if (d->unreadable || d->dev == NULL || d->thaw > 0)
		return FROZEN;
	if (!d->dev->enrolled && !d->dev->decommissioning)
		return AWAY;
	switch (d->dev->summary) {
	case DEVICE_AWAITING_RECONNECT:
	case DEVICE_CONFLICT_PAUSED:
		return FROZEN;
	case DEVICE_POWERED_OFF:
		return AWAY;
	case DEVICE_UNKNOWN:
		if (d->away_boot != 0 ||
		    (d->unknown_boot != 0 &&
			now.boot_ms - d->unknown_boot >= UNKNOWN_MS))
			return AWAY;
		return HERE;
	case DEVICE_ONLINE:
	case DEVICE_DEGRADED:
	case DEVICE_ERROR:
	case DEVICE_REBOOTING:
	case DEVICE_SUMMARY_COUNT:
		break;
	}
	return HERE;
}

int
facts_fresh(const struct wdevice *d, struct now now)
{
	return now.boot_ms - d->read_boot <= FRESH_MS;
}

int64_t
facts_due(const struct world *w, const struct wpod *p)
{
	int64_t ms = w->reconnect_ms, since = p->device->away_boot;

	if (p->pod != NULL && p->pod->reconnect_ms == RECONNECT_NEVER)
		return INT64_MAX;
	if (p->pod != NULL && p->pod->reconnect_ms > 0)
		ms = p->pod->reconnect_ms;
	if (since == 0)
		return INT64_MAX;
	if (since < w->flight_since)
		since = w->flight_since;
	return since + ms;
}

int
facts_left(const struct wpod *p)
{
	const struct wdevice *d = p->device;

	return d != NULL && d->dev != NULL && !d->gone && p->node != NULL &&
	    !p->node->is_former &&
	    (d->dev->decommissioning || d->node != p->node);
}

int
facts_given_up(const struct wpod *p)
{
	return p->device != NULL && (p->given_up.on || p->device->given_up.on);
}

int
facts_has_run(const struct wpod *p)
{
	return p->proven_images != 0 || p->running_ms != 0 ||
	    p->pod->seen.running_ms != 0 ||
	    p->pod->seen.phase == PHASE_RUNNING ||
	    p->pod->seen.phase == PHASE_UNKNOWN;
}

static int
is_overdue(const struct world *w, const struct wpod *p, struct now now)
{
	return w->flight_reachable && now.boot_ms >= facts_due(w, p) &&
	    facts_fresh(p->device, now) &&
	    (p->device->node == NULL || !p->device->node->brake);
}

static enum life_device
device_fact(const struct world *w, const struct wpod *p, struct now now)
{
	enum life_device is;

	if (p->device == NULL)
		return HERE;
	is = facts_device(p->device, now);
	if (is == GONE)
		return is;
	if (facts_given_up(p) && world_is_closed(p->device))
		return GONE;
	if (facts_given_up(p) && p->flying == IO_NONE)
		return GIVEN_UP; /* else what is on its way is awaited */
	if (is == FROZEN)
		return is;
	if (facts_left(p))
		return LEFT;
	if (world_is_drained(p->device))
		return DRAINED;
	if (is == AWAY)
		return is_overdue(w, p, now) ? OVERDUE : AWAY;
	return p->device->dev->owner != NULL ? OWNED : HERE;
}

static int
is_known(const struct wdevice *d, const char *app)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (strcmp(p->app, app) == 0)
			return 1;
	return device_entry(d->dev, app) != NULL;
}

const char *
facts_stray(const struct wdevice *d, struct now now)
{
	size_t i;

	if (d->node == NULL || facts_settled(d) || facts_device(d, now) != HERE)
		return NULL;
	for (i = 0; i < d->dev->nreports; i++)
		if (!is_known(d, d->dev->reports[i].name))
			return d->dev->reports[i].name;
	return NULL;
}

static enum life_pod
pod_fact(const struct wpod *p, struct now now)
{
	if (p->pod == NULL)
		return NO_POD;
	if (p->pod->terminating)
		return TERMINATING;
	if (p->pod->seen.phase == PHASE_SUCCEEDED ||
	    p->pod->seen.phase == PHASE_FAILED)
		return TERMINAL;
	return deadline_is_over(p, now) ? EXPIRED : WANTED;
}

/*
 * An entry of a pod that nobody listed: another writer may have written it
 * before we heard of the pod, so two more complete lists come first.
 */
static int
is_new_orphan(const struct world *w, const struct wpod *p)
{
	return p->adopted && w->rounds < (uint64_t)p->adopted_round + 2;
}

int
facts_may_be_stopping(const struct world *w, const struct wpod *p,
    struct now now)
{
	const struct wdevice *d;

	if (!w->forgot || p->pod == NULL || !p->pod->terminating ||
	    p->node == NULL || p->device != NULL ||
	    now.boot_ms >= w->writer_boot + w->pull_ms)
		return 0;
	TAILQ_FOREACH(d, &p->node->devices, on_node)
		if (facts_device(d, now) == HERE && !facts_settled(d))
			return 1;
	return 0;
}

/*
 * No seat, no pod: facts only after a complete list of the side that would
 * show it (design 6).
 */
static enum life_seat
seat_fact(const struct world *w, const struct wpod *p, struct now now)
{
	int pods_known =
	    p->node == NULL || p->node->pods_listed || p->node->purge.on;

	if (p->pod == NULL && (!pods_known || is_new_orphan(w, p)))
		return UNSURE;
	if (p->device == NULL)
		return w->devices_listed && pods_known &&
			!facts_may_be_stopping(w, p, now) ?
		    NO_SEAT :
		    UNSURE;
	if (p->device->dev == NULL && !p->device->gone &&
	    !p->device->unreadable)
		return UNSURE;
	return p->retreating ? RETREATING : SEATED;
}

/*
 * Our memory may be older than what another replica did: it may have sent the
 * entry and taken it out.  Before a pod is let go for never having been sent,
 * the device must have settled.
 */
static int
is_doubted(const struct wpod *p, struct now now)
{
	return p->doubted && (p->retreating || pod_fact(p, now) != WANTED);
}

static enum life_entry
entry_absent(const struct wpod *p, const struct wdevice *d, struct now now)
{
	if (!p->sent && !is_doubted(p, now))
		return NEVER_SENT;
	return facts_settled(d) ? CLEARED : TAKEN_OUT;
}

/* Where what is wanted was proven, nothing older is brought back. */
static enum life_entry
entry_failed(const struct wpod *p, const struct app_entry *e)
{
	if (p->proven_images == 0)
		return NEW_FAILED;
	return p->pod != NULL && p->pod->images == p->proven_images &&
		e->images == p->proven_images ?
	    NEW_FAILED :
	    UPDATE_FAILED;
}

static enum life_entry
entry_present(const struct wpod *p, const struct wdevice *d,
    const struct app_entry *e)
{
	if (p->blamed)
		return entry_failed(p, e);
	if (p->pod != NULL && e->images != 0 && e->images != p->pod->images)
		return OTHER_IMAGES;
	if (p->ended)
		return ENDED;
	if (p->applied || facts_settled(d))
		return APPLIED;
	return SENT;
}

static enum life_entry
entry_fact(const struct wpod *p, struct now now)
{
	const struct wdevice *d = p->device;
	const struct app_entry *e;

	if (d == NULL)
		return NEVER_SENT;
	if (p->unread)
		return UNREAD;
	if (p->withheld && !p->retreating && pod_fact(p, now) == WANTED)
		return WITHHELD;
	if (p->flying == IO_CUT)
		return TAKEN_OUT;
	if (p->flying == IO_SET)
		return SENT;
	if (d->dev == NULL)
		return p->sent ? UNREAD : NEVER_SENT;
	if ((e = device_entry(d->dev, p->app)) == NULL)
		return entry_absent(p, d, now);
	return entry_present(p, d, e);
}

struct life_facts
facts_of(const struct world *w, const struct wpod *p, struct now now)
{
	return (struct life_facts){
		.pod = pod_fact(p, now),
		.seat = seat_fact(w, p, now),
		.entry = entry_fact(p, now),
		.device = device_fact(w, p, now),
	};
}
