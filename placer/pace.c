/* SPDX-License-Identifier: ISC */
/*
 * pace.c: gathers changes when requests are short.
 *
 * Owns the placer's idea of the budget; never counts what others spend.
 */
#include "placer/pace.h"

enum {
	BURST = 40, /* at 240 a minute; flightside/budget.c */
	PER_MINUTE = 60000,
	TICK_MIN_MS = 100,
	TICK_MAX_MS = 1000,
};

static int64_t
burst(const struct pace *p)
{
	int64_t n = p->rate / 6;

	return (n > BURST ? n : BURST) * 1000;
}

void
pace_init(struct pace *p, int64_t rate)
{
	p->rate = rate;
	p->at_boot = 0;
	p->tokens = burst(p);
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
refill(struct pace *p, int64_t now_boot)
{
	int64_t passed = now_boot - p->at_boot, most = burst(p);

	p->at_boot = now_boot;
	if (passed > PER_MINUTE)
		passed = PER_MINUTE;
	p->tokens += passed * p->rate / 60;
	if (p->tokens > most)
		p->tokens = most;
}

void
pace_spend(struct pace *p, int64_t now_boot)
{
	refill(p, now_boot);
	p->tokens = p->tokens > 1000 ? p->tokens - 1000 : 0;
}

int64_t
pace_round_ms(struct pace *p, unsigned int n, int64_t now_boot)
{
	refill(p, now_boot);
	if (p->tokens * 2 > burst(p))
		return 0;
	return n * (int64_t)PER_MINUTE / p->rate;
}
