/* SPDX-License-Identifier: ISC */
/*
 * roll.c: how each worker is, as the placer is told.
 *
 * Owns the counts of restarts.  Never sends: crew.c does.
 */
#include "supervisor/roll.h"

#include <stdio.h>

static enum crew_state
state_of(enum tend_state s)
{
	switch (s) {
	case TEND_DOWN:
		return CREW_DOWN;
	case TEND_STARTING:
		return CREW_STARTING;
	case TEND_READY:
		return CREW_READY;
	case TEND_DYING:
		return CREW_DYING;
	}
	return CREW_UNKNOWN;
}

void
roll_state(struct roll *r, enum proc who, enum tend_state s, int64_t now)
{
	struct body_crew *m = &r->now[who];
	enum crew_state state = state_of(s);

	if (m->state == state)
		return;
	m->restarts += state == CREW_STARTING && m->ended_boot != 0;
	m->who = who;
	m->state = state;
	m->since_boot = (uint64_t)now;
	r->news[who] = 1;
}

void
roll_end(struct roll *r, enum proc who, const char *how, int64_t now)
{
	struct body_crew *m = &r->now[who];

	m->ended_boot = (uint64_t)now;
	(void)snprintf(m->end, sizeof(m->end), "%s", how);
	r->news[who] = m->state != CREW_UNKNOWN;
}

void
roll_refused(struct roll *r, enum proc who)
{
	r->now[who].refused++;
	r->news[who] = r->now[who].state != CREW_UNKNOWN;
}

void
roll_forget(struct roll *r)
{
	enum proc who;

	for (who = 0; who < PROC_COUNT; who++)
		r->news[who] = r->now[who].state != CREW_UNKNOWN;
}

const struct body_crew *
roll_next(struct roll *r)
{
	enum proc who;

	for (who = 0; who < PROC_COUNT; who++) {
		if (!r->news[who])
			continue;
		r->news[who] = 0;
		return &r->now[who];
	}
	return NULL;
}
