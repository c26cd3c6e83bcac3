/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "flightside/budget.h"
#include "placer/pace.h"

Test(pace, a_small_budget_polls_each_second_and_a_large_one_faster)
{
	struct pace p;

	pace_init(&p, 240);
	cr_assert_eq(pace_tick_ms(&p), 1000);
	pace_init(&p, 10);
	cr_assert_eq(pace_tick_ms(&p), 1000);
	pace_init(&p, 480);
	cr_assert_eq(pace_tick_ms(&p), 500);
	pace_init(&p, 1000000);
	cr_assert_eq(pace_tick_ms(&p), 100);
}

/* Twenty writes, half a burst at 240 a minute. */
static struct pace
busy_pace(void)
{
	struct pace p;
	int i;

	pace_init(&p, 240);
	for (i = 0; i < 20; i++) {
		cr_assert_not(pace_is_busy(&p, 1000));
		pace_spend(&p, 1000);
	}
	return p;
}

Test(pace, half_a_burst_goes_at_once_then_devices_share_instants)
{
	struct pace p = busy_pace();
	int64_t a, b;

	cr_assert(pace_is_busy(&p, 1000));
	a = pace_next_boot(&p, 20, 1000, 1000);
	b = pace_next_boot(&p, 20, 1900, 2000);
	cr_assert_eq(a, b);
	cr_assert(a > 1000 && a <= 1000 + 8400, "a round at 2.4 a second");
}

Test(pace, a_device_that_is_alone_does_not_wait_long)
{
	struct pace p = busy_pace();

	cr_assert(pace_next_boot(&p, 1, 1000, 1000) <= 1000 + 500);
}

Test(pace, what_went_is_forgotten_at_the_share_of_the_rate)
{
	struct pace p = busy_pace();

	cr_assert(pace_is_busy(&p, 1000 + 8000));
	cr_assert_not(pace_is_busy(&p, 1000 + 8400));
	cr_assert_eq(pace_next_boot(&p, 20, 7000, 1000 + 8400), 7000);
}

Test(pace, its_burst_is_the_budgets)
{
	static const int64_t rates[] = { 1, 6, 60, 100, 240, 1000, 1000000 };
	struct pace p;
	size_t i;
	int64_t n;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		pace_init(&p, rates[i]);
		for (n = 0; !pace_is_busy(&p, 1000); n++)
			pace_spend(&p, 1000);
		cr_assert_eq(n, (budget_burst(rates[i]) + 1) / 2);
	}
}

/* Half the rate: half a burst makes busy sooner, and rounds are twice as long.
 */
Test(pace, slows_and_recovers_and_a_reload_of_the_same_rate_changes_nothing)
{
	struct pace p;
	int64_t fast;
	int n;

	pace_init(&p, 240);
	for (n = 0; n < 40; n++)
		pace_spend(&p, 1000);
	fast = pace_next_boot(&p, 20, 1000, 1000);
	pace_slow(&p, 120, 1000);
	cr_assert(pace_is_busy(&p, 1000));
	cr_assert_gt(pace_next_boot(&p, 20, 1000, 1000), fast);
	pace_set(&p, 240);
	cr_assert_eq(p.rate, 120);
	cr_assert(pace_is_busy(&p, 1000));
	pace_slow(&p, 240, 2000);
	cr_assert_eq(pace_next_boot(&p, 20, 1000, 2000), fast);
	pace_set(&p, 60);
	cr_assert_eq(p.rate, 60);
}
