/* SPDX-License-Identifier: ISC */
/*
 * budget.c: the request budget.  Owns the counting and the order of ranks;
 * never sends, never knows what a request is for.
 */
#include "flightside/budget.h"

enum {
	/* One request: tenths a minute are units a millisecond. */
	BUCKET_UNIT = 10 * 60 * 1000,
	BURST = 40,
	MINUTE_MS = 60 * 1000,
	PAUSE_MS = 10 * 1000, /* after a refusal that names no time */
	PAUSE_MAX_MS = 3600 * 1000,
};

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void
bucket_init(struct bucket *b, int64_t tenths, int64_t burst, int64_t now)
{
	b->tenths = most(tenths, 1);
	b->full = most(burst, 1) * BUCKET_UNIT;
	b->have = b->full;
	b->at_ms = now;
}

static int64_t
bucket_have(const struct bucket *b, int64_t now)
{
	int64_t passed = most(now - b->at_ms, 0);

	/* Full long before the product overflows. */
	if (passed > b->full / b->tenths)
		return b->full;
	return least(b->have + passed * b->tenths, b->full);
}

static void
bucket_fill(struct bucket *b, int64_t now)
{
	b->have = bucket_have(b, now);
	b->at_ms = most(now, b->at_ms);
}

/* Another rate; what is there stays, as far as it fits. */
static void
bucket_change(struct bucket *b, int64_t tenths, int64_t burst, int64_t now)
{
	bucket_fill(b, now);
	b->tenths = most(tenths, 1);
	b->full = most(burst, 1) * BUCKET_UNIT;
	b->have = least(b->have, b->full);
}

int
bucket_take(struct bucket *b, int64_t now)
{
	bucket_fill(b, now);
	if (b->have < BUCKET_UNIT)
		return 0;
	b->have -= BUCKET_UNIT;
	return 1;
}

int64_t
bucket_wait(const struct bucket *b, int64_t now)
{
	int64_t missing = BUCKET_UNIT - bucket_have(b, now);

	if (missing <= 0)
		return 0;
	return (missing + b->tenths - 1) / b->tenths;
}

/* The buckets follow the rate that is used. */
static void
apply(struct budget *b, int64_t now)
{
	int64_t burst = most(BURST, b->slowed / 6);

	bucket_change(&b->all, b->slowed * 10, burst, now);
	bucket_change(&b->motion, b->slowed * 6, burst * 6 / 10, now);
	bucket_change(&b->full, b->slowed * 10 / 6, burst / 6, now);
}

void
budget_init(struct budget *b, uint32_t rate, int64_t now)
{
	int64_t burst = most(BURST, rate / 6);

	*b = (struct budget){ .rate = rate, .slowed = rate, .free_at = now };
	bucket_init(&b->all, (int64_t)rate * 10, burst, now);
	bucket_init(&b->motion, (int64_t)rate * 6, burst * 6 / 10, now);
	bucket_init(&b->full, (int64_t)rate * 10 / 6, burst / 6, now);
}

void
budget_change(struct budget *b, uint32_t rate, int64_t now)
{
	b->slowed = most(b->slowed * rate / most(b->rate, 1), 1);
	b->rate = rate;
	apply(b, now);
}

/* A tenth of the configured rate comes back each minute. */
static void
recover(struct budget *b, int64_t now)
{
	if (b->slowed >= b->rate || now < b->better_at)
		return;
	b->slowed = least(b->slowed + (b->rate + 9) / 10, b->rate);
	b->better_at = now + MINUTE_MS;
	apply(b, now);
}

static int
waits(unsigned int waiting, enum budget_class c)
{
	return (waiting & 1u << c) != 0;
}

static enum budget_class
turn(struct budget *b, unsigned int waiting, int64_t now)
{
	if (waits(waiting, BUDGET_FULL) && bucket_take(&b->full, now))
		return BUDGET_FULL;
	if (waits(waiting, BUDGET_WRITE))
		return BUDGET_WRITE;
	if (waits(waiting, BUDGET_MOTION) && bucket_take(&b->motion, now))
		return BUDGET_MOTION;
	if (waits(waiting, BUDGET_FULL))
		return BUDGET_FULL;
	if (waits(waiting, BUDGET_REST))
		return BUDGET_REST;
	return BUDGET_CLASSES;
}

enum budget_class
budget_next(struct budget *b, unsigned int waiting, int64_t now)
{
	enum budget_class c;

	recover(b, now);
	if (now < b->free_at || bucket_wait(&b->all, now) > 0)
		return BUDGET_CLASSES;
	c = turn(b, waiting, now);
	if (c != BUDGET_CLASSES)
		bucket_take(&b->all, now);
	return c;
}

static void
give_back(struct bucket *b)
{
	b->have = least(b->have + BUCKET_UNIT, b->full);
}

void
budget_return(struct budget *b, enum budget_class c)
{
	give_back(&b->all);
	if (c == BUDGET_MOTION)
		give_back(&b->motion);
}

int64_t
budget_wait(struct budget *b, unsigned int waiting, int64_t now)
{
	int64_t wait;

	if (waiting == 0)
		return -1;
	wait = most(bucket_wait(&b->all, now), b->free_at - now);
	if (waiting == 1u << BUDGET_MOTION)
		wait = most(wait, bucket_wait(&b->motion, now));
	return most(wait, 0);
}

void
budget_refused(struct budget *b, int64_t pause_ms, int64_t now)
{
	/* Those that were under way are refused as well: one refusal. */
	if (now >= b->free_at)
		b->slowed = most(b->slowed / 2, 1);
	b->free_at = most(b->free_at, now + pause_ms);
	b->better_at = b->free_at + MINUTE_MS;
	apply(b, now);
	/* Nothing is saved up during the pause either. */
	b->all.have = b->motion.have = b->full.have = 0;
	b->all.at_ms = b->motion.at_ms = b->full.at_ms = b->free_at;
}

int64_t
budget_pause(int64_t retry_after_ms, int64_t reset_s, int64_t wall_ms)
{
	int64_t pause = retry_after_ms > 0 ? retry_after_ms : PAUSE_MS, left;

	if (reset_s > 0 && reset_s < INT64_MAX / 1000) {
		left = reset_s * 1000 - wall_ms;
		if (left > 0 && (retry_after_ms <= 0 || left < pause))
			pause = left;
	}
	return least(pause, PAUSE_MAX_MS);
}
