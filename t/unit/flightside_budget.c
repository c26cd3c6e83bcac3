/* SPDX-License-Identifier: ISC */
/* The request budget, minute by minute in virtual time. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "flightside/budget.h"
#include "t/unit/jgen.h"

enum {
	MINUTE = 60 * 1000,
	GRANTS = 200000,
	ALL = (1 << BUDGET_CLASSES) - 1,
};

struct grant {
	int64_t at;
	enum budget_class class;
};

struct run {
	struct budget b;
	struct jgen random;
	struct grant *grants;
	size_t n;
	int64_t now;
};

static void
run_start(struct run *r, uint32_t rate, uint64_t seed)
{
	*r = (struct run){ .random.state = seed, .now = 5000000 };
	r->grants = xcalloc(GRANTS, sizeof(*r->grants));
	budget_init(&r->b, rate, r->now);
}

/* Takes all there is for that long; always: mask that always waits. */
static void
run_for(struct run *r, int64_t ms, unsigned int always, unsigned int maybe)
{
	int64_t end = r->now + ms, wait;
	enum budget_class c;
	unsigned int mask;

	while (r->now < end) {
		mask = always | (maybe & jgen_below(&r->random, ALL + 1));
		c = budget_next(&r->b, mask, r->now);
		if (c != BUDGET_CLASSES) {
			cr_assert(mask & 1u << c);
			cr_assert_lt(r->n, GRANTS);
			r->grants[r->n++] = (struct grant){ r->now, c };
			continue;
		}
		wait = budget_wait(&r->b, mask, r->now);
		r->now += wait > 0 && jgen_below(&r->random, 2) ?
		    wait :
		    1 + jgen_below(&r->random, 700);
	}
}

/* The most grants of these classes in any 60 s. */
static size_t
most_in_a_minute(const struct run *r, unsigned int mask)
{
	size_t from = 0, i, have = 0, most = 0;

	for (i = 0; i < r->n; i++) {
		have += (mask >> r->grants[i].class) & 1;
		while (r->grants[from].at <= r->grants[i].at - MINUTE)
			have -= (mask >> r->grants[from++].class) & 1;
		if (have > most)
			most = have;
	}
	return most;
}

static size_t
granted(const struct run *r, enum budget_class c, int64_t from, int64_t to)
{
	size_t i, have = 0;

	for (i = 0; i < r->n; i++)
		have += r->grants[i].class == c && r->grants[i].at >= from &&
		    r->grants[i].at < to;
	return have;
}

Test(budget, never_over_rate_and_burst_in_any_minute)
{
	static const uint32_t rates[] = { 1, 7, 60, 240, 300, 6000 };
	struct run r;
	size_t i, burst;
	int k;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		run_start(&r, rates[i], 77 + i);
		burst = (size_t)budget_burst(rates[i]);
		cr_assert_leq(burst, 40);
		for (k = 0; k < 10; k++) {
			run_for(&r, MINUTE / 2, 0, ALL);
			if (jgen_below(&r.random, 4) == 0)
				budget_refused(&r.b,
				    jgen_below(&r.random, 20000), r.now);
		}
		run_for(&r, 3 * MINUTE, ALL, 0);
		cr_assert_leq(most_in_a_minute(&r, ALL), rates[i] + burst);
		cr_assert_leq(most_in_a_minute(&r, 1u << BUDGET_MOTION),
		    rates[i] * 6 / 10 + burst * 6 / 10 + 1);
		cr_assert_leq(most_in_a_minute(&r, 1u << BUDGET_SUSPECT),
		    rates[i] / 12 + burst / 12 + 2);
		free(r.grants);
	}
}

Test(budget, all_of_the_rate_is_used_when_there_is_work)
{
	struct run r;
	int64_t from;
	size_t n = 0;
	unsigned int c;

	run_start(&r, 240, 5);
	run_for(&r, MINUTE, ALL, 0);
	from = r.now;
	run_for(&r, 10 * MINUTE, ALL, 0);
	for (c = 0; c < BUDGET_CLASSES; c++)
		n += granted(&r, c, from, r.now);
	cr_assert_geq(n, 2390);
	cr_assert_leq(n, 2410);
	free(r.grants);
}

Test(budget, all_ask_and_each_has_its_least_share)
{
	static const size_t shares[] = {
#define X(name, least, most) least,
		BUDGET_SHARES(X)
#undef X
	};
	struct run r;
	int64_t from;
	unsigned int c;

	run_start(&r, 240, 5);
	from = r.now;
	run_for(&r, 10 * MINUTE, ALL, 0);
	for (c = 0; c < BUDGET_CLASSES; c++)
		/* It is asked up to 700 ms late: a turn is lost then. */
		cr_assert_geq(granted(&r, c, from, r.now) * 100,
		    99 * 10 * shares[c], "class %u: %zu", c,
		    granted(&r, c, from, r.now));
	cr_assert_geq(granted(&r, BUDGET_FULL, from, r.now), 399);
	/* What is left over is the first's. */
	cr_assert_leq(granted(&r, BUDGET_FULL, from, r.now), 410);
	cr_assert_leq(granted(&r, BUDGET_REST, from, r.now), 110);
	free(r.grants);
}

/* Any flood of any others: whoever waits has a turn in the time promised. */
Test(budget, nobody_who_waits_starves)
{
	static const uint32_t rates[] = { 1, 7, 60, 240, 1000, 6000 };
	int64_t since, wait, longest;
	enum budget_class c, who;
	unsigned int mask;
	struct jgen random = { .state = 11 };
	struct budget b;
	int64_t now = 5000000;
	size_t i;
	int turns;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		budget_init(&b, rates[i], now);
		for (who = 0; who < BUDGET_CLASSES; who++) {
			longest = 0;
			since = now;
			mask = ALL;
			for (turns = 0; turns < 3000; turns++) {
				if (jgen_below(&random, 8) == 0)
					mask = jgen_below(&random, ALL + 1);
				c = budget_next(&b, mask | 1u << who, now);
				if (c == who) {
					if (now - since > longest)
						longest = now - since;
					/* and sometimes it does not ask */
					now += jgen_below(&random, 4) == 0 ?
					    jgen_below(&random, 90000) :
					    0;
					since = now;
				}
				if (c != BUDGET_CLASSES)
					continue;
				wait = budget_wait(&b, mask | 1u << who, now);
				cr_assert_gt(wait, 0);
				now += wait;
			}
			cr_assert_leq(longest, budget_bound(rates[i], who),
			    "rate %u class %u: %lld of %lld", rates[i], who,
			    (long long)longest,
			    (long long)budget_bound(rates[i], who));
		}
	}
}

/*
 * Reads and writes in pairs among a flood: each write that was kept for goes
 * at once, never too many in all, and nobody else starves.
 */
struct pairs {
	struct run run;
	int64_t since[BUDGET_CLASSES], longest[BUDGET_CLASSES];
	int64_t reads[40]; /* answers of pairs under way */
	size_t nreads, used, back;
};

static void
pairs_step(struct pairs *p, unsigned int mask)
{
	struct run *r = &p->run;
	int64_t kept = budget_keeps(&r->b), wait;
	enum budget_class c;
	size_t i;

	for (i = 0; i < p->nreads && p->reads[i] > r->now; i++)
		;
	if (i < p->nreads) { /* it came: its write, or none is needed */
		p->reads[i] = p->reads[--p->nreads];
		if (jgen_below(&r->random, 4) == 0) {
			budget_unkeep(&r->b);
			p->back++;
			cr_assert_eq(budget_keeps(&r->b), kept - 1);
			return;
		}
		c = budget_next(&r->b, mask | BUDGET_KEPT, r->now);
		cr_assert_eq(c, BUDGET_WRITE, "a kept one has to wait");
		cr_assert_eq(budget_keeps(&r->b), kept - 1);
		p->used++;
	} else if ((c = budget_next(&r->b, mask | BUDGET_PAIR, r->now)) ==
	    BUDGET_CLASSES) {
		wait = budget_wait(&r->b, mask | BUDGET_PAIR, r->now);
		cr_assert_gt(wait, 0);
		r->now += wait < 20 ? wait : 20;
		return;
	} else if (budget_keeps(&r->b) > kept) {
		cr_assert_eq(c, BUDGET_WRITE);
		p->reads[p->nreads++] = r->now + jgen_below(&r->random, 400);
	}
	cr_assert_lt(r->n, GRANTS);
	r->grants[r->n++] = (struct grant){ r->now, c };
	if (r->now - p->since[c] > p->longest[c])
		p->longest[c] = r->now - p->since[c];
	p->since[c] = r->now;
}

Test(budget, a_write_follows_its_read_at_once)
{
	static const uint32_t rates[] = { 12, 60, 240, 1000 };
	unsigned int c;
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct pairs p = { .nreads = 0 };
		int64_t end;

		run_start(&p.run, rates[i], 31 + i);
		for (c = 0; c < BUDGET_CLASSES; c++)
			p.since[c] = p.run.now;
		end = p.run.now + 20 * MINUTE;
		while (p.run.now < end)
			pairs_step(&p, ALL);
		cr_assert_gt(p.used, 10);
		cr_assert_gt(p.back, 1);
		cr_assert_leq(most_in_a_minute(&p.run, ALL),
		    rates[i] + (size_t)budget_burst(rates[i]));
		for (c = 0; c < BUDGET_CLASSES; c++)
			cr_assert_leq(p.longest[c],
			    budget_bound(rates[i], c) + 20,
			    "%u: class %u: %lld", rates[i], c,
			    (long long)p.longest[c]);
		free(p.run.grants);
	}
}

Test(budget, a_refusal_keeps_nothing)
{
	struct budget b;

	budget_init(&b, 240, 0);
	cr_assert_eq(budget_next(&b, 1 | BUDGET_PAIR, 0), BUDGET_WRITE);
	cr_assert_eq(budget_keeps(&b), 1);
	budget_refused(&b, 5000, 0);
	cr_assert_eq(budget_keeps(&b), 0);
	cr_assert_eq(budget_next(&b, 1 | BUDGET_KEPT, 4999), BUDGET_CLASSES);
	budget_init(&b, 6, 0); /* a burst of one: two single ones */
	cr_assert_eq(budget_next(&b, 1 | BUDGET_PAIR, 0), BUDGET_WRITE);
	cr_assert_eq(budget_keeps(&b), 0);
}

Test(budget, burst_is_a_sixth_and_forty_at_most)
{
	cr_assert_eq(budget_burst(1), 1);
	cr_assert_eq(budget_burst(60), 10);
	cr_assert_eq(budget_burst(240), 40);
	cr_assert_eq(budget_burst(1000000), 40);
}

Test(budget, motion_has_sixty_percent_and_leaves_the_rest)
{
	struct run r;
	int64_t from;

	run_start(&r, 240, 5);
	run_for(&r, MINUTE, 1u << BUDGET_MOTION | 1u << BUDGET_REST, 0);
	from = r.now;
	run_for(&r, 10 * MINUTE, 1u << BUDGET_MOTION | 1u << BUDGET_REST, 0);
	cr_assert_leq(abs((int)granted(&r, BUDGET_MOTION, from, r.now) - 1440),
	    2);
	cr_assert_leq(abs((int)granted(&r, BUDGET_REST, from, r.now) - 960), 3);
	free(r.grants);
}

Test(budget, refusal_is_obeyed_then_half_the_rate_then_slowly_more)
{
	struct run r;
	int64_t from;
	size_t n;

	run_start(&r, 240, 9);
	run_for(&r, MINUTE, 1, 0);
	from = r.now;
	budget_refused(&r.b, 30000, r.now);
	budget_refused(&r.b, 30000, r.now); /* its neighbour: the same */
	n = r.n;
	run_for(&r, 29900, 1, 0);
	cr_assert_eq(granted(&r, BUDGET_WRITE, from, from + 30000), 0);
	run_for(&r, MINUTE, 1, 0);
	cr_assert_leq(r.n - n, 122);
	cr_assert_geq(r.n - n, 110);
	n = r.n;
	run_for(&r, 10 * MINUTE, 1, 0);
	from = r.now;
	run_for(&r, MINUTE, 1, 0);
	cr_assert_geq(granted(&r, BUDGET_WRITE, from, r.now), 238);
	free(r.grants);
}

Test(budget, reset_time_is_truer_than_the_whole_window)
{
	cr_assert_eq(budget_pause(60000, 1000012, 1000000000), 12000);
	cr_assert_eq(budget_pause(60000, -1, 1000000000), 60000);
	cr_assert_eq(budget_pause(60000, 999, 1000000000), 60000);
	cr_assert_eq(budget_pause(-1, 1000100, 1000000000), 100000);
	cr_assert_eq(budget_pause(-1, -1, 1000000000), 10000);
	cr_assert_eq(budget_pause(INT64_MAX, -1, 0), 3600000);
	cr_assert_eq(budget_pause(60000, INT64_MAX, 0), 60000);
}

Test(budget, new_rate_counts_from_now_on)
{
	struct run r;
	size_t n;

	run_start(&r, 240, 3);
	run_for(&r, MINUTE, 1, 0);
	n = r.n;
	budget_change(&r.b, 2400, r.now);
	run_for(&r, MINUTE, 1, 0);
	cr_assert_geq(r.n - n, 2390);
	n = r.n;
	budget_change(&r.b, 60, r.now);
	run_for(&r, MINUTE, 1, 0);
	cr_assert_leq(r.n - n, 60 + 40 + 1);
	free(r.grants);
}
