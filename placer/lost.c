/* SPDX-License-Identifier: ISC */
/*
 * lost.c: the clock of a device that went silent.
 *
 * Owns when a clock starts and stops and who is told; what follows when it
 * runs out is life.def's.
 */
#include "placer/lost.h"

#include "common/xmem.h"
#include "placer/facts.h"

static void
tell(struct wdevice *d, struct effects *fx, const char *reason, int warning,
    const char *text)
{
	struct effect *e;
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->pod == NULL || p->pod->terminating)
			continue;
		e = effects_add(fx, EFFECT_EVENT);
		e->pod = p;
		e->reason = reason;
		e->number = (uint64_t)warning;
		e->text = xasprintf("Device %s %s", d->name, text);
	}
}

static void
save_clock(struct wdevice *d, struct now now, struct effects *fx)
{
	struct effect *e;

	e = effects_add(fx, EFFECT_CLOCK);
	e->device = d;
	e->number = d->away_boot == 0 ? 0 :
	    (uint64_t)(now.wall_ms - (now.boot_ms - d->away_boot));
}

static void
start(struct world *w, struct wdevice *d, struct now now, struct effects *fx)
{
	d->away_boot = now.boot_ms;
	d->disconnections++;
	if (d->node != NULL)
		d->node->naway++;
	save_clock(d, now, fx);
	tell(d, fx, "DeviceDisconnected", 1, "disconnected");
	world_look_pods_of(w, d);
}

static void
stop(struct world *w, struct wdevice *d, struct now now, struct effects *fx)
{
	d->away_boot = 0;
	if (d->node != NULL && d->node->naway > 0)
		d->node->naway--;
	save_clock(d, now, fx);
	tell(d, fx, "DeviceReconnected", 0, "is connected again");
	world_look_pods_of(w, d);
}

/* Its pods are looked at again when the clock runs out for them. */
static void
arm(struct world *w, struct wdevice *d)
{
	struct wpod *p;
	int64_t at;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if ((at = facts_due(w, p)) != INT64_MAX)
			world_look_at(w, p, at);
}

void
lost_look(struct world *w, struct wdevice *d, struct now now,
    struct effects *fx)
{
	int away;

	if (d->dev == NULL)
		return;
	if (d->dev->summary != DEVICE_UNKNOWN)
		d->unknown_boot = 0;
	else if (d->unknown_boot == 0)
		d->unknown_boot = now.boot_ms;
	if (d->unknown_boot != 0 && now.boot_ms < d->unknown_boot + UNKNOWN_MS)
		world_look_device_at(w, d, d->unknown_boot + UNKNOWN_MS);
	if (!w->flight_reachable)
		return; /* nobody is lost while Flightctl does not answer */
	away = facts_device(d, now) == AWAY;
	if (away && d->away_boot == 0)
		start(w, d, now, fx);
	else if (!away && d->away_boot != 0)
		stop(w, d, now, fx);
	if (away)
		arm(w, d);
}
