/* SPDX-License-Identifier: ISC */
/* How many different devices of a fleet are written to within an hour. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "flightside/breadth.h"
#include "t/unit/leaks.h"

enum {
	MINUTE = 60 * 1000,
};

static int
take(struct breadth *b, const char *fleet, int device, int64_t now)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "d%d", device);
	return breadth_take(b, fleet, name, now);
}

Test(breadth, none_is_any_number)
{
	struct breadth *b = breadth_new(0);
	int i;

	for (i = 0; i < 1000; i++)
		cr_assert_eq(take(b, "a", i, 0), 0);
	breadth_free(b);
	breadth_free(NULL);
	NO_LEAKS();
}

Test(breadth, so_many_and_these_again_and_again)
{
	struct breadth *b = breadth_new(3);
	int i, turn;

	for (turn = 0; turn < 100; turn++)
		for (i = 0; i < 6; i++)
			cr_assert_eq(take(b, "a", i, turn), i < 3 ? 0 : -1,
			    "%d: %d", turn, i);
	breadth_free(b);
	NO_LEAKS();
}

Test(breadth, each_fleet_has_its_own)
{
	struct breadth *b = breadth_new(1);

	cr_assert_eq(take(b, "a", 1, 0), 0);
	cr_assert_eq(take(b, "a", 2, 0), -1);
	cr_assert_eq(take(b, "b", 2, 0), 0);
	cr_assert_eq(take(b, "", 3, 0), 0);
	/* One that went over to another fleet counts in both. */
	cr_assert_eq(take(b, "b", 1, 0), -1);
	breadth_free(b);
}

/* Never more than that in any hour, whatever the order; then others. */
Test(breadth, who_was_left_alone_for_an_hour_counts_no_more)
{
	struct breadth *b = breadth_new(2);

	cr_assert_eq(take(b, "a", 1, 0), 0);
	cr_assert_eq(take(b, "a", 2, 10 * MINUTE), 0);
	cr_assert_eq(take(b, "a", 1, 30 * MINUTE), 0);
	cr_assert_eq(take(b, "a", 3, 70 * MINUTE - 1), -1);
	cr_assert_eq(take(b, "a", 3, 70 * MINUTE), 0);
	cr_assert_eq(take(b, "a", 2, 70 * MINUTE), -1);
	cr_assert_eq(take(b, "a", 2, 90 * MINUTE), 0);
	cr_assert_eq(take(b, "a", 1, 90 * MINUTE), -1);
	breadth_free(b);
}

Test(breadth, another_bound_counts_those_that_were)
{
	struct breadth *b = breadth_new(4);

	cr_assert_eq(take(b, "a", 1, 0), 0);
	cr_assert_eq(take(b, "a", 2, 0), 0);
	breadth_change(b, 2);
	cr_assert_eq(take(b, "a", 3, 0), -1);
	breadth_change(b, 3);
	cr_assert_eq(take(b, "a", 3, 0), 0);
	breadth_change(b, 1);
	cr_assert_eq(take(b, "a", 1, 0), 0);
	cr_assert_eq(take(b, "a", 4, 0), -1);
	breadth_free(b);
}
