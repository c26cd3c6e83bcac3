/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

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

Test(pace, half_a_burst_goes_at_once_then_devices_take_turns)
{
	struct pace p;
	int i;

	pace_init(&p, 240);
	for (i = 0; i < 19; i++) {
		cr_assert_eq(pace_round_ms(&p, 20, 1000), 0);
		pace_spend(&p, 1000);
	}
	pace_spend(&p, 1000);
	cr_assert_eq(pace_round_ms(&p, 20, 1000), 5000);
	cr_assert_eq(pace_round_ms(&p, 1, 1000), 250);
}

Test(pace, time_gives_the_burst_back_and_no_more)
{
	struct pace p;
	int i;

	pace_init(&p, 240);
	for (i = 0; i < 100; i++)
		pace_spend(&p, 1000);
	cr_assert_eq(pace_round_ms(&p, 4, 1000), 1000);
	cr_assert_eq(pace_round_ms(&p, 4, 1000 + 6000), 0);
	cr_assert_eq(pace_round_ms(&p, 4, 1000 + 3600 * 1000), 0);
	for (i = 0; i < 20; i++)
		pace_spend(&p, 1000 + 3600 * 1000);
	cr_assert_neq(pace_round_ms(&p, 4, 1000 + 3600 * 1000), 0);
}
