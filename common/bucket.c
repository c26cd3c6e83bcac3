/* SPDX-License-Identifier: ISC */
/*
 * bucket.c: so many in a minute, and some at once (pure).  Owns the counting;
 * never knows what is counted.
 */
#include "common/bucket.h"

#include "common/least.h"

void
bucket_init(struct bucket *b, int64_t tenths, int64_t burst, int64_t now)
{
	b->tenths = most(tenths, 1);
	b->full = most(burst, 1) * BUCKET_UNIT;
	b->have = b->full;
	b->at_ms = now;
}

int64_t
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

void
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
bucket_wait_for(const struct bucket *b, int64_t n, int64_t now)
{
	int64_t missing = n * BUCKET_UNIT - bucket_have(b, now);

	if (missing <= 0)
		return 0;
	return (missing + b->tenths - 1) / b->tenths;
}

int64_t
bucket_wait(const struct bucket *b, int64_t now)
{
	return bucket_wait_for(b, 1, now);
}

void
bucket_give(struct bucket *b)
{
	b->have = least(b->have + BUCKET_UNIT, b->full);
}
