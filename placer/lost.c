/* SPDX-License-Identifier: ISC */
/*
 * lost.c: the clock of a device that went silent.
 *
 * Owns when a clock starts and stops, who is told, the brake and the rate of
 * evictions; when a pod is to be evicted is life.def's.
 */
#include "placer/lost.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/facts.h"

enum {
	BRAKE_WINDOW_MS = 10 * 60 * 1000,
	BRAKE_PERCENT = 30,
	BRAKE_LEAST = 3,
	READ_AGAIN_MS = 5 * 1000,
	MINUTE_MS = 60 * 1000
};

static void
tell(struct wdevice *d, struct effects *fx, const char *reason, int warning,
    const char *words)
{
	AUTO_FREE char *text = xasprintf("Device %s %s", d->name, words);

	effects_device_event(fx, d, warning, reason, text);
}

static void
save_clock(struct wdevice *d, struct effects *fx)
{
	effects_add(fx, EFFECT_CLOCK)->device = d;
}

static void
start(struct world *w, struct wdevice *d, struct now now, struct effects *fx)
{
	d->away_boot = now.boot_ms;
	d->disconnections++;
	if (d->node != NULL) {
		d->node->brake_stale = 1;
		d->node->disconnections++;
	}
	world_look_namesakes_on(w, d); /* which need not wait any more */
	save_clock(d, fx);
	tell(d, fx, "DeviceDisconnected", 1, "disconnected");
	world_look_pods_of(w, d);
}

/* Frozen or gone is not back. */
static void
stop(struct world *w, struct wdevice *d, enum life_device is,
    struct effects *fx)
{
	d->away_boot = 0;
	d->motion_boot = 0; /* what is on its way there moves again */
	if (d->node != NULL)
		d->node->brake_stale = 1;
	save_clock(d, fx);
	if (is == HERE)
		tell(d, fx, "DeviceReconnected", 0, "is connected again");
	world_look_pods_of(w, d);
}

/*
 * Our memory is gone: the condition of a pod says since when.  0: none does,
 * and it is no clock of this device.
 */
static int64_t
told_since(const struct wdevice *d)
{
	const struct wpod *p;
	int64_t since, first = 0;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->pod == NULL || p->pod->told_device == NULL ||
		    p->pod->seen.cond[COND_DEVICE].status != TRUTH_UNKNOWN ||
		    strcmp(p->pod->told_device, d->name) != 0)
			continue;
		since = p->pod->seen.cond[COND_DEVICE].since_ms;
		if (since > 0 && (first == 0 || since < first))
			first = since;
	}
	return first;
}

static void
resume(struct wdevice *d, struct now now, struct effects *fx)
{
	int64_t since = told_since(d), passed = now.wall_ms - since;

	if (since == 0 || passed < 0)
		return;
	d->away_boot = passed < now.boot_ms ? now.boot_ms - passed : 1;
	if (d->node != NULL)
		d->node->brake_stale = 1;
	save_clock(d, fx);
}

void
lost_look(struct world *w, struct wdevice *d, struct now now,
    struct effects *fx)
{
	enum life_device is;

	if (d->dev == NULL && !d->gone)
		return;
	if (d->dev == NULL || d->dev->summary != DEVICE_UNKNOWN)
		d->unknown_boot = 0;
	else if (d->unknown_boot == 0)
		d->unknown_boot = now.boot_ms;
	if (d->unknown_boot == now.boot_ms && d->away_boot == 0)
		resume(d, now, fx);
	is = facts_device(d, now);
	if (!w->flight_reachable && is != GONE)
		return; /* nobody is lost while Flightctl does not answer */
	if (is == AWAY && d->away_boot == 0)
		start(w, d, now, fx);
	else if (is != AWAY && d->away_boot != 0)
		stop(w, d, is, fx);
	else if (is == AWAY)
		world_look_pods_of(w, d);
}

/* -- the brake -- */

static int
by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int64_t
lost_missing_since(const struct wdevice *d, const struct wnode *n)
{
	if (d->written_off.on)
		return 0;
	if (d->left == n)
		return d->left_boot;
	return d->node == n ? d->away_boot : 0;
}

/* The most devices that the node began to miss within one window. */
static size_t
most_at_once(struct world *w, const struct wnode *n)
{
	struct wdevice *d;
	size_t first = 0, i, len = 0, most = 0;
	int64_t *since;

	RB_FOREACH(d, wdevice_tree, &w->devices)
		len += lost_missing_since(d, n) != 0;
	since = xcalloc(len + 1, sizeof(*since));
	len = 0;
	RB_FOREACH(d, wdevice_tree, &w->devices)
		if (lost_missing_since(d, n) != 0)
			since[len++] = lost_missing_since(d, n);
	qsort(since, len, sizeof(*since), by_time);
	for (i = 0; i < len; i++) {
		while (since[i] - since[first] > BRAKE_WINDOW_MS)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	free(since);
	return most;
}

void
lost_weigh(struct world *w, struct wnode *n, struct effects *fx)
{
	size_t allowed = n->ndevices * BRAKE_PERCENT / 100;
	struct effect *e;
	struct wdevice *d;
	int was = n->brake;

	if (!n->brake_stale)
		return;
	n->brake_stale = 0;
	if (allowed < BRAKE_LEAST)
		allowed = BRAKE_LEAST;
	n->brake = most_at_once(w, n) > allowed;
	if (was == n->brake)
		return;
	e = effects_add(fx, EFFECT_BRAKE);
	e->node = n;
	e->number = n->brake;
	RB_FOREACH(d, wdevice_tree, &w->devices)
		if (lost_missing_since(d, n) != 0 || d->written_off.on)
			world_look_pods_of(w, d);
}

/* -- eviction -- */

/* Never more than so many a minute: a mistake of ours must stay small. */
static int
may_evict(struct world *w, struct wpod *p, struct now now)
{
	if (w->evict_boot == 0 || now.boot_ms >= w->evict_boot + MINUTE_MS) {
		w->evict_boot = now.boot_ms;
		w->evicted = 0;
	}
	if (w->evicted < w->set->number[SET_EVICT_RATE]) {
		w->evicted++;
		return 1;
	}
	world_look_at(w, p, w->evict_boot + MINUTE_MS);
	return 0;
}

void
lost_not_evicted(struct world *w)
{
	struct wpod *p;

	if (w->evicted > 0)
		w->evicted--;
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->state == EVICTING || p->state == DRAINING)
			world_look(w, p);
}

int64_t
lost_evicts_again(const struct world *w)
{
	return w->evicted < w->set->number[SET_EVICT_RATE] ?
	    0 :
	    w->evict_boot + MINUTE_MS;
}

void
lost_delete(struct world *w, struct wpod *p, struct now now, struct effects *fx,
    const char *reason, const char *text)
{
	AUTO_FREE char *words = NULL;
	struct effect *e;

	if (p->evicted || p->deleting || !w->kube_reachable ||
	    now.boot_ms < p->delete_boot ||
	    (!facts_given_up(p) && !may_evict(w, p, now)))
		return;
	e = effects_add(fx, EFFECT_DELETE);
	e->pod = p;
	e->number = NO_GRACE;
	if (p->evict_told)
		return;
	p->evict_told = 1;
	words = xasprintf("%s; the pod is deleted", text);
	effects_event(fx, p, 1, reason, words);
	effects_record(fx, p, "Evict", text);
}

void
lost_evict(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	if (p->device->given_up.on)
		lost_delete(w, p, now, fx, "DeviceGivenUp",
		    "the device was given up");
	else if (p->given_up.on)
		lost_delete(w, p, now, fx, "GivenUp",
		    "its workload was given up");
	else if (p->device->gone)
		lost_delete(w, p, now, fx, "DeviceDeleted",
		    "Flightctl has no such device any more");
	else
		lost_delete(w, p, now, fx, "DeviceTimeoutExceeded",
		    "the device did not come back in time");
}

/* -- in time -- */

void
lost_arm_device(struct world *w, struct wdevice *d, struct now now)
{
	int64_t at = d->unknown_boot + UNKNOWN_MS;

	/* Past that it waits for Flightctl, or to be read: they look at it. */
	if (d->unknown_boot != 0 && d->away_boot == 0 && now.boot_ms < at)
		world_look_device_at(w, d, at);
}

/* A clock that ran out wants a fresh read before a pod pays for it. */
void
lost_arm_pod(struct world *w, struct wpod *p, struct now now)
{
	struct wdevice *d = p->device;
	int64_t at = facts_due(w, p);

	if (at == INT64_MAX || !w->flight_reachable)
		return;
	if (now.boot_ms < at) {
		world_look_at(w, p, at);
		return;
	}
	if ((d->node != NULL && d->node->brake) || facts_fresh(d, now))
		return;
	world_suspect(d);
	world_look_device(w, d);
	world_look_at(w, p, now.boot_ms + READ_AGAIN_MS);
}
