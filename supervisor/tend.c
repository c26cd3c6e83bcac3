/* SPDX-License-Identifier: ISC */
/*
 * tend.c: what a worker needs next, decided.
 *
 * Owns back-off, watchdog and the order of stopping.  Never signals, forks or
 * reads a clock: crew.c does.
 */
#include "supervisor/tend.h"

#include <string.h>

void
tend_init(struct tend *t, int64_t now)
{
	memset(t, 0, sizeof(*t));
	t->state = TEND_DOWN;
	t->due = now;
}

static enum tend_do
turn_ready(struct tend *t, int64_t now, int64_t *wake)
{
	if (now < t->ping) {
		*wake = t->ping;
		return TEND_WAIT;
	}
	if (!t->asked) {
		t->asked = 1;
		t->ping = now + TEND_SILENT_MS;
		return TEND_PING;
	}
	t->state = TEND_DYING;
	t->due = now + TEND_ABORT_MS;
	return TEND_ABORT;
}

enum tend_do
tend_turn(struct tend *t, int64_t now, int64_t *wake)
{
	if (t->state == TEND_READY)
		return turn_ready(t, now, wake);
	*wake = t->due;
	if (now < t->due)
		return TEND_WAIT;
	switch (t->state) {
	case TEND_DOWN:
		t->state = TEND_STARTING;
		t->started = now;
		t->due = now + TEND_SILENT_MS;
		return TEND_START;
	case TEND_STARTING:
		t->state = TEND_DYING;
		t->due = now + TEND_ABORT_MS;
		return TEND_ABORT;
	case TEND_DYING:
		/* Once is enough; then only its end is waited for. */
		t->due = INT64_MAX;
		return TEND_KILL;
	case TEND_READY:
		break;
	}
	return TEND_WAIT;
}

void
tend_ready(struct tend *t, int64_t now)
{
	if (t->state != TEND_STARTING)
		return;
	t->state = TEND_READY;
	t->heard = now;
	t->ping = now + TEND_PING_MS;
	t->asked = 0;
}

void
tend_pong(struct tend *t, int64_t now)
{
	/* One that starts says so before what may take long: a slow disk. */
	if (t->state == TEND_STARTING)
		t->due = now + TEND_SILENT_MS;
	if (t->state != TEND_READY)
		return;
	t->heard = now;
	t->ping = now + TEND_PING_MS;
	t->asked = 0;
}

void
tend_ask(struct tend *t, int64_t now)
{
	if (t->state == TEND_READY && !t->asked)
		t->ping = now;
}

const char *
tend_text(const struct tend *t)
{
	static const char *const texts[] = {
		[TEND_DOWN] = "has ended and waits to be started again",
		[TEND_STARTING] = "is starting",
		[TEND_READY] = "does not answer",
		[TEND_DYING] = "is being ended",
	};

	return texts[t->state];
}

void
tend_closed(struct tend *t, int64_t now)
{
	if (t->state == TEND_DOWN || t->state == TEND_DYING)
		return;
	t->state = TEND_DYING;
	t->due = now + TEND_CLOSED_MS;
}

int64_t
tend_ended(struct tend *t, int64_t now)
{
	if (now - t->started >= TEND_HEALTHY_MS || t->delay == 0)
		t->delay = TEND_DELAY_MIN_MS;
	else if (t->delay < TEND_DELAY_MAX_MS / 2)
		t->delay *= 2;
	else
		t->delay = TEND_DELAY_MAX_MS;
	t->state = TEND_DOWN;
	t->due = now + t->delay;
	return t->delay;
}

void
tend_stop_init(struct tend_stop *s, int64_t now)
{
	memset(s, 0, sizeof(*s));
	s->began = s->told_at = now;
}

enum tend_stop_do
tend_stop_turn(struct tend_stop *s, const uint8_t *alive, int64_t now,
    int64_t *wake, enum proc *who)
{
	/* Who decides first, who only carries out last. */
	static const enum proc order[] = { PROC_PLACER, PROC_FLIGHTSIDE,
		PROC_KUBESIDE };
	size_t i;
	int left = 0;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		left += alive[order[i]] != 0;
	if (left == 0)
		return STOP_DONE;
	*wake = INT64_MAX;
	if (s->killed)
		return STOP_WAIT;
	if (now - s->began >= TEND_STOP_KILL_MS) {
		s->killed = 1;
		return STOP_KILL;
	}
	*wake = s->began + TEND_STOP_KILL_MS;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!alive[order[i]])
			continue;
		if (!s->told[order[i]]) {
			s->told[order[i]] = 1;
			s->told_at = now;
			*who = order[i];
			return STOP_TELL;
		}
		if (now - s->told_at < TEND_STOP_EACH_MS) {
			if (s->told_at + TEND_STOP_EACH_MS < *wake)
				*wake = s->told_at + TEND_STOP_EACH_MS;
			return STOP_WAIT;
		}
	}
	return STOP_WAIT;
}
