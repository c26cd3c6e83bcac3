/* SPDX-License-Identifier: ISC */
/*
 * budget.c: the request budget.  Owns the counting and the order of ranks;
 * never sends, never knows what a request is for.
 */
#include "flightside/budget.h"

#include "common/least.h"

enum {
	BURST = 40,
	BURSTS = 6, /* a minute's requests are so many bursts */
	MINUTE_MS = 60 * 1000,
	PAUSE_MS = 10 * 1000, /* after a refusal that names no time */
	PAUSE_MAX_MS = 3600 * 1000,
};

/* -- shares -- */

static const struct share {
	int64_t least, most;
} shares[BUDGET_CLASSES] = {
#define X(name, least, most) [BUDGET_##name] = { least, most },
	BUDGET_SHARES(X)
#undef X
};

int64_t
budget_burst(int64_t rate)
{
	return most(least(rate / BURSTS, BURST), 1);
}

int64_t
budget_interval(int64_t rate, enum budget_class c)
{
	int64_t a_minute = rate * shares[c].least;

	return ((int64_t)MINUTE_MS * BUDGET_WHOLE + a_minute - 1) / a_minute;
}

/* Until its turn, then the others' that came before, each once, a pair two. */
int64_t
budget_bound(int64_t rate, enum budget_class c)
{
	return budget_interval(rate, c) +
	    ((BUDGET_CLASSES + 1) * (int64_t)MINUTE_MS + rate - 1) / rate;
}

/* bucket_init() or bucket_change(), to what the rate that is used gives. */
static void
each_bucket(struct budget *b, int64_t now,
    void (*set)(struct bucket *, int64_t tenths, int64_t burst, int64_t now))
{
	int64_t burst = budget_burst(b->slowed);
	unsigned int c;

	set(&b->all, b->slowed * 10, burst, now);
	for (c = 0; c < BUDGET_CLASSES; c++)
		set(&b->most[c], b->slowed * 10 * shares[c].most / BUDGET_WHOLE,
		    burst * shares[c].most / BUDGET_WHOLE, now);
}

static void
apply(struct budget *b, int64_t now)
{
	unsigned int c;

	each_bucket(b, now, bucket_change);
	b->kept = least(b->kept, b->all.have / BUCKET_UNIT);
	for (c = 0; c < BUDGET_CLASSES; c++)
		b->due[c] =
		    least(b->due[c], now + budget_interval(b->slowed, c));
}

void
budget_init(struct budget *b, uint32_t rate, int64_t now)
{
	unsigned int c;

	*b = (struct budget){ .rate = rate, .slowed = rate, .free_at = now };
	each_bucket(b, now, bucket_init);
	for (c = 0; c < BUDGET_CLASSES; c++)
		b->due[c] = now;
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

/* -- turns -- */

/* Milliseconds until the class may have a turn, of its own most share. */
static int64_t
class_wait(const struct budget *b, unsigned int c, int64_t now)
{
	return shares[c].most == BUDGET_WHOLE ? 0 :
						bucket_wait(&b->most[c], now);
}

/*
 * Of those whose turn has come by their least share the one whose came first;
 * else the first by rank.
 */
static enum budget_class
turn(const struct budget *b, unsigned int waiting, int64_t now)
{
	enum budget_class first = BUDGET_CLASSES, oldest = BUDGET_CLASSES;
	unsigned int c;

	for (c = 0; c < BUDGET_CLASSES; c++) {
		if ((waiting & 1u << c) == 0 || class_wait(b, c, now) > 0)
			continue;
		if (first == BUDGET_CLASSES)
			first = c;
		if (b->due[c] <= now &&
		    (oldest == BUDGET_CLASSES || b->due[c] < b->due[oldest]))
			oldest = c;
	}
	return oldest != BUDGET_CLASSES ? oldest : first;
}

/* Who is served late is not cheated; who did not ask saves up nothing. */
static void
count(struct budget *b, enum budget_class c, int64_t now)
{
	int64_t ms = budget_interval(b->slowed, c);

	b->due[c] = least(most(b->due[c], now - ms), now) + ms;
	bucket_take(&b->all, now);
	if (shares[c].most < BUDGET_WHOLE)
		bucket_take(&b->most[c], now);
}

/* A burst too small for two makes them two single ones. */
static int
is_pair(const struct budget *b, unsigned int waiting, enum budget_class c)
{
	return c == BUDGET_WRITE && (waiting & BUDGET_PAIR) != 0 &&
	    (b->kept + 2) * BUCKET_UNIT <= b->all.full;
}

static int
uses_kept(const struct budget *b, unsigned int waiting)
{
	return (waiting & BUDGET_KEPT) != 0 && b->kept > 0;
}

/* Until the bucket has what it takes, beside what is kept in it. */
static int64_t
all_wait(const struct budget *b, unsigned int waiting, enum budget_class c,
    int64_t now)
{
	return bucket_wait_for(&b->all, b->kept + 1 + is_pair(b, waiting, c),
	    now);
}

enum budget_class
budget_next(struct budget *b, unsigned int waiting, int64_t now)
{
	enum budget_class c;

	recover(b, now);
	if (now < b->free_at)
		return BUDGET_CLASSES;
	if (uses_kept(b, waiting)) {
		b->kept--;
		count(b, BUDGET_WRITE, now);
		return BUDGET_WRITE;
	}
	c = turn(b, waiting, now);
	if (c == BUDGET_CLASSES || all_wait(b, waiting, c, now) > 0)
		return BUDGET_CLASSES;
	b->kept += is_pair(b, waiting, c);
	count(b, c, now);
	return c;
}

int64_t
budget_keeps(const struct budget *b)
{
	return b->kept;
}

int64_t
budget_left(const struct budget *b, int64_t now)
{
	return bucket_have(&b->all, now) / BUCKET_UNIT;
}

void
budget_unkeep(struct budget *b)
{
	b->kept = most(b->kept - 1, 0);
}

void
budget_return(struct budget *b, enum budget_class c)
{
	bucket_give(&b->all);
	bucket_give(&b->most[c]);
	b->due[c] -= budget_interval(b->slowed, c);
}

int64_t
budget_wait(struct budget *b, unsigned int waiting, int64_t now)
{
	int64_t wait = INT64_MAX;
	unsigned int c;

	if (waiting == 0)
		return -1;
	if (uses_kept(b, waiting))
		return most(b->free_at - now, 0);
	for (c = 0; c < BUDGET_CLASSES; c++)
		if ((waiting & 1u << c) != 0)
			wait = least(wait, class_wait(b, c, now));
	wait = most(wait, b->free_at - now);
	return most(all_wait(b, waiting, turn(b, waiting, now + most(wait, 0)),
			now),
	    wait);
}

void
budget_refused(struct budget *b, int64_t pause_ms, int64_t now)
{
	unsigned int c;

	/* Those that were under way are refused as well: one refusal. */
	if (now >= b->free_at)
		b->slowed = most(b->slowed / 2, 1);
	b->free_at = most(b->free_at, now + pause_ms);
	b->better_at = b->free_at + MINUTE_MS;
	apply(b, now);
	/* Nothing is saved up during the pause either, nor kept over it. */
	b->kept = 0;
	b->all.have = 0;
	b->all.at_ms = b->free_at;
	for (c = 0; c < BUDGET_CLASSES; c++) {
		b->most[c].have = 0;
		b->most[c].at_ms = b->free_at;
	}
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
