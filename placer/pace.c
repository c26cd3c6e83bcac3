/* SPDX-License-Identifier: ISC */
/*
 * pace.c: gathers changes when requests are short.
 *
 * Owns the placer's idea of the budget; never counts what others spend.
 */
#include "placer/pace.h"

enum {
	BURST = 40, /* as flightside/budget.c has it */
	PER_MINUTE = 60000,
	TICK_MIN_MS = 100,
	TICK_MAX_MS = 1000,
	SHARE = 60, /* per cent of the rate; the rest is for reading */
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
	*p = (struct pace){ .rate = rate };
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
