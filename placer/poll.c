/* SPDX-License-Identifier: ISC */
/*
 * poll.c: when a device in motion is read again.
 *
 * Owns the instants of polls.  Never decides about a pod or a spec.
 */
#include "placer/poll.h"

#include "placer/facts.h"

/*
 * fresh: of what was replaced it is first reported that it ended, or that not
 * all of it is ready.
 */
static int
moves(const struct wpod *p, int fresh)
{
	const struct app_report *r;

	if (p->flying != IO_NONE || p->unread)
		return 1;
	if (p->final_boot != 0 && !p->ended)
		return 1;
	if (p->filed != FILED_NOT)
		return 1;
	if (!p->sent && !p->doubted)
		return 0;
	if (p->state == LEAVING || p->state == RETREAT)
		return 1;
	if (!p->applied)
		return !p->withheld;
	r = device_report(p->device->dev, p->app);
	if (p->ended)
		return 0;
	if (r == NULL)
		return 1;
	if (fresh)
		return r->state != APP_RUNNING || r->ready != r->of;
	return r->state != APP_RUNNING && r->state != APP_COMPLETED &&
	    r->state != APP_ERROR;
}

static void
ask(struct wdevice *d, struct effects *fx, enum read_for what_for)
{
	struct effect *e;

	if (d->read_id != 0)
		return;
	e = effects_add(fx, EFFECT_READ);
	e->device = d;
	e->number = what_for;
}

int
poll_moves(const struct wdevice *d, struct now now)
{
	int fresh =
	    d->motion_boot != 0 && now.boot_ms - d->motion_boot < POLL_CALM_MS;
	const struct wpod *p;

	if (d->dev == NULL)
		return 0;
	TAILQ_FOREACH(p, &d->pods, on_device)
		if (moves(p, fresh))
			return 1;
	return facts_stray(d, now) != NULL;
}

void
poll_look(struct world *w, struct wdevice *d, int in_motion, struct now now,
    struct effects *fx)
{
	if (d->want_read != READ_MOTION) {
		ask(d, fx, d->want_read);
		d->want_read = READ_MOTION;
	}
	if (!in_motion) {
		d->poll_boot = d->motion_boot = 0;
		return;
	}
	if (d->motion_boot == 0) {
		d->motion_boot = now.boot_ms;
		d->poll_boot =
		    pace_poll_first(&w->pace, d->dev == NULL, now.boot_ms);
	}
	if (now.boot_ms >= d->poll_boot) {
		ask(d, fx, READ_MOTION);
		d->poll_boot =
		    pace_poll_next(&w->pace, d->motion_boot, now.boot_ms);
	}
	world_look_device_at(w, d, d->poll_boot);
}
