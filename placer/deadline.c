/* SPDX-License-Identifier: ISC */
/*
 * deadline.c: how long a pod may be active.
 *
 * Owns the clock of spec.activeDeadlineSeconds: from status.startTime on, by
 * the wall once, when it is first seen there, and by the boot clock from then
 * on, over a restart too.  What follows is life.def's.
 */
#include "placer/deadline.h"

static int
has_deadline(const struct wpod *p)
{
	return p->pod != NULL && p->pod->deadline_ms > 0 &&
	    p->active_boot != 0 && !p->ended;
}

int
deadline_is_over(const struct wpod *p, struct now now)
{
	return has_deadline(p) &&
	    now.boot_ms - p->active_boot >= p->pod->deadline_ms;
}

/* Never more than what passed on the wall, nor since the machine's start. */
static void
start_clock(struct wpod *p, struct now now, struct effects *fx)
{
	int64_t passed = now.wall_ms - p->pod->seen.start_ms;

	if (passed < 0)
		passed = 0;
	p->active_boot = passed < now.boot_ms ? now.boot_ms - passed : 1;
	effects_pod(fx, EFFECT_ACTIVE, p);
}

void
deadline_look(struct world *w, struct wpod *p, struct now now,
    struct effects *fx)
{
	if (p->pod == NULL || p->pod->deadline_ms == 0)
		return;
	if (p->active_boot == 0 && p->pod->seen.start_ms != 0)
		start_clock(p, now, fx);
	if (!has_deadline(p) || p->pod->terminating)
		return;
	if (!deadline_is_over(p, now)) {
		p->expired = 0;
		world_look_at(w, p, p->active_boot + p->pod->deadline_ms);
		return;
	}
	if (p->expired || p->pod->seen.phase == PHASE_SUCCEEDED ||
	    p->pod->seen.phase == PHASE_FAILED)
		return;
	p->expired = 1;
	effects_event(fx, p, 1, DEADLINE_REASON, DEADLINE_TEXT);
	effects_record(fx, p, "Expire", DEADLINE_TEXT);
}
