/* SPDX-License-Identifier: ISC */
/*
 * pace.c: gathers changes when requests are short.
 *
 * Owns the placer's idea of the budget; never counts what others spend.
 */
#include "placer/pace.h"

#include "common/least.h"

enum {
	BURST = 40, /* as flightside/budget.c has it */
	PER_MINUTE = 60000,
	TICK_MIN_MS = 100,
	TICK_MAX_MS = 1000,
	SHARE = 60,	/* per cent of the rate; the rest is for reading */
	MANY = 10,	/* devices with changes: a rollout, not a pod */
	MANY_MS = 1000, /* they wait so long for company, or two ticks */
	MOTION_FAST_MS = 30 * 1000,
	MOTION_SLOW_MS = 5 * 60 * 1000,
	SLOW_TICKS = 5,
	REST_TICKS = 30,
};

static int64_t
burst(const struct pace *p)
{
	int64_t n = p->rate / 6;

	if (n < 1)
		n = 1;
	return (n < BURST ? n : BURST) * 1000;
}

void
pace_init(struct pace *p, int64_t rate)
{
	*p = (struct pace){ .set = rate, .rate = rate };
}

void
pace_set(struct pace *p, int64_t rate)
{
	if (rate != p->set)
		pace_init(p, rate);
}

int64_t
pace_tick_ms(const struct pace *p)
{
	int64_t ms = 4 * (int64_t)PER_MINUTE / p->rate;

	if (ms < TICK_MIN_MS)
		return TICK_MIN_MS;
	return ms < TICK_MAX_MS ? ms : TICK_MAX_MS;
}

static void
leak(struct pace *p, int64_t now_boot)
{
	int64_t passed = now_boot - p->at_boot;

	p->at_boot = now_boot;
	if (passed > PER_MINUTE)
		passed = PER_MINUTE;
	p->level -= passed * p->rate * SHARE / 6000;
	if (p->level > 0)
		return;
	p->level = 0;
	p->busy = 0;
}

void
pace_slow(struct pace *p, int64_t rate, int64_t now_boot)
{
	leak(p, now_boot);
	if (rate > 0)
		p->rate = least(rate, p->set);
}

void
pace_spend(struct pace *p, int64_t now_boot)
{
	leak(p, now_boot);
	p->level += 1000;
	if (p->level * 2 >= burst(p))
		p->busy = 1;
}

int
pace_is_busy(struct pace *p, int64_t now_boot)
{
	leak(p, now_boot);
	return p->busy;
}

int64_t
pace_next_boot(struct pace *p, unsigned int n, int64_t sent_boot,
    int64_t now_boot)
{
	int64_t round = n * (int64_t)PER_MINUTE * 100 / (p->rate * SHARE);

	if (!pace_is_busy(p, now_boot) || round == 0)
		return sent_boot;
	return (sent_boot / round + 1) * round;
}

int64_t
pace_company_ends(struct pace *p, const struct pace_queue *q, int64_t now_boot)
{
	int64_t tick = pace_tick_ms(p), longest, last;

	if (q->urgent)
		return least(q->dirty_boot + PACE_REMOVAL_MAX_MS,
		    q->queued_boot + PACE_REMOVAL_MS);
	if (q->ndirty < MANY) {
		longest = most(PACE_COMPANY_MS, tick);
		last = q->queued_boot;
	} else {
		longest = most(MANY_MS, 2 * tick);
		last = q->any_boot;
	}
	return most(pace_next_boot(p, q->ndirty, q->sent_boot, now_boot),
	    least(q->dirty_boot + longest, last + PACE_COMPANY_MS));
}

static int64_t
next_tick(const struct pace *p, int64_t now_boot, int ticks)
{
	int64_t tick = pace_tick_ms(p);

	return (now_boot / tick + ticks) * tick;
}

int64_t
pace_poll_first(const struct pace *p, int never_read, int64_t now_boot)
{
	return next_tick(p, now_boot, never_read ? 0 : 1);
}

int64_t
pace_poll_next(struct pace *p, int64_t moved_boot, int64_t now_boot)
{
	int64_t moved = now_boot - moved_boot;
	int ticks = REST_TICKS;

	if (moved < MOTION_FAST_MS)
		ticks = pace_is_busy(p, now_boot) ? 2 : 1;
	else if (moved < MOTION_SLOW_MS)
		ticks = SLOW_TICKS;
	return next_tick(p, now_boot, ticks);
}
