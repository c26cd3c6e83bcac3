/* SPDX-License-Identifier: ISC */
/*
 * What a fleet of N devices gets from a budget of B, in virtual time, and that
 * the README says just that.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/least.h"
#include "common/xmem.h"
#include "t/unit/fleetsim.h"

enum {
	MINUTE = 60 * 1000,
	HOUR = 60 * MINUTE,
	SAMPLES = 20,
	AWAY_MS = 37 * 1000 + 301, /* between two: any phase */
};

static const unsigned int fleets[] = { 10, 1000, 10000 };
static const uint32_t rates[] = { 60, 240, 300, 1000 };

enum {
	FLEETS = sizeof(fleets) / sizeof(fleets[0]),
	RATES = sizeof(rates) / sizeof(rates[0]),
};

static void
run_until_shown(struct fleetsim *s, unsigned int n, struct fleetsim_result *r)
{
	int64_t end = fleetsim_now(s) + 24 * (int64_t)HOUR;
	struct fleetsim_result more;

	*r = (struct fleetsim_result){ 0 };
	fleetsim_pods(s, n);
	while (r->running < n) {
		cr_assert_lt(fleetsim_now(s), end, "%u of %u", r->running, n);
		fleetsim_run(s, 1000);
		more = fleetsim_result(s);
		r->running += more.running;
		r->written += more.written;
		if (more.written > 0)
			r->written_ms = more.written_ms;
		if (more.shown_ms > r->shown_ms)
			r->shown_ms = more.shown_ms;
	}
	cr_assert_eq(r->written, n);
}

struct row {
	int64_t one, shown, hundred, all, seen, listed, period;
};

/* The worst of several, for each figure. */
static struct row
measure(unsigned int n, uint32_t rate)
{
	struct fleetsim *s = fleetsim_new(n, rate);
	struct fleetsim_result r;
	struct row row = { 0 };
	unsigned int i;

	fleetsim_run(s, 10 * MINUTE);
	(void)fleetsim_result(s);
	for (i = 0; i < SAMPLES; i++) {
		fleetsim_change(s, i * 7 % n, 1);
		fleetsim_change(s, (i * 7 + 1) % n, 0);
		fleetsim_run(s, 5 * MINUTE + AWAY_MS);
	}
	fleetsim_run(s, 5 * MINUTE);
	r = fleetsim_result(s);
	cr_assert_eq(r.unseen, 0);
	row.seen = r.seen_ms;
	row.listed = r.listed_ms;
	row.period = r.period_ms;
	for (i = 0; i < SAMPLES; i++) {
		fleetsim_run(s, AWAY_MS);
		run_until_shown(s, 1, &r);
		row.one = most(row.one, r.written_ms);
		row.shown = most(row.shown, r.shown_ms);
	}
	fleetsim_run(s, 5 * MINUTE);
	run_until_shown(s, n < 100 ? n : 100, &r);
	row.hundred = r.written_ms;
	fleetsim_run(s, 5 * MINUTE);
	run_until_shown(s, n, &r);
	row.all = r.written_ms;
	fleetsim_free(s);
	return row;
}

/* 0.4 s, 12 s, 30 min. */
static const char *
words(char buf[32], int64_t ms)
{
	if (ms < 10 * 1000)
		(void)snprintf(buf, 32, "%lld.%lld s", (long long)ms / 1000,
		    (long long)ms % 1000 / 100);
	else if (ms < 10 * MINUTE)
		(void)snprintf(buf, 32, "%lld s", (long long)ms / 1000);
	else
		(void)snprintf(buf, 32, "%lld min", (long long)ms / MINUTE);
	return buf;
}

static char *
line(unsigned int n, uint32_t rate)
{
	struct row r = measure(n, rate);
	char b[7][32];

	return xasprintf("| %u | %u | %s | %s | %s | %s | %s | %s | %s |\n", n,
	    rate, words(b[0], r.one), words(b[1], r.shown),
	    n < 100 ? "-" : words(b[2], r.hundred), words(b[3], r.all),
	    words(b[4], r.seen), words(b[5], r.period), words(b[6], r.listed));
}

static char *
file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 100000);

	cr_assert_not_null(f, "%s", path);
	cr_assert_gt(fread(text, 1, 99999, f), 0);
	(void)fclose(f);
	return text;
}

/* The README's rows are printed as they should be, to be put there. */
Test(latency, readme_says_what_the_simulation_gives)
{
	AUTO_FREE char *readme = file("README.md");
	unsigned int i, k, stale = 0;

	for (i = 0; i < FLEETS; i++)
		for (k = 0; k < RATES; k++) {
			AUTO_FREE char *now = line(fleets[i], rates[k]);

			if (strstr(readme, now) != NULL)
				continue;
			stale++;
			(void)fputs(now, stderr);
		}
	cr_assert_eq(stale, 0, "%u rows of the README are stale", stale);
}

/* A rollout to all, a refusal in the middle, changes everywhere. */
static void
storm(unsigned int n, uint32_t rate, int refuse)
{
	struct fleetsim *s = fleetsim_new(n, rate);
	struct fleetsim_result r;
	unsigned int i, c;

	fleetsim_run(s, MINUTE);
	fleetsim_pods(s, n);
	for (i = 0; i < 60; i++) {
		fleetsim_change(s, i * 13 % n, 1);
		if (refuse && i == 2)
			fleetsim_refuse(s, 30000);
		fleetsim_run(s, 10000);
	}
	r = fleetsim_result(s);
	cr_assert_gt(r.sent, 0);
	cr_assert_leq(r.most_in_a_minute, (size_t)(rate + budget_burst(rate)));
	if (refuse) {
		cr_assert_neq(r.refused_at, 0);
		cr_assert_geq(r.first_after, 30000);
		cr_assert_leq(r.a_minute_after, rate / 2 + 1);
	}
	for (c = 0; c < BUDGET_CLASSES; c++)
		cr_assert_leq(r.waited_ms[c],
		    budget_bound(refuse ? rate / 2 : rate, c),
		    "%u devices, %u a minute, class %u: %lld ms", n, rate, c,
		    (long long)r.waited_ms[c]);
	fleetsim_free(s);
}

Test(latency, never_over_the_rate_and_nobody_starves)
{
	unsigned int i, k;

	for (i = 0; i < FLEETS; i++)
		for (k = 0; k < RATES; k++)
			storm(fleets[i], rates[k], 0);
}

Test(latency, a_refusal_is_obeyed_in_the_middle_of_a_rollout)
{
	unsigned int i, k;

	for (i = 0; i < FLEETS; i++)
		for (k = 0; k < RATES; k++)
			storm(fleets[i], rates[k], 1);
}
