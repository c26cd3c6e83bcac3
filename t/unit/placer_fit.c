/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "placer/fit.h"

static struct fit_room
any_room(unsigned int *seed)
{
	return (struct fit_room){ rand_r(seed) % 64000,
		(int64_t)(rand_r(seed) % 65536) << 20,
		(uint32_t)(rand_r(seed) % 60), rand_r(seed) % 100000 };
}

Test(fit, what_fits_leaves_nothing_below_zero)
{
	unsigned int seed = 1, i;
	struct fit_room total, used, room, want;

	for (i = 0; i < 100000; i++) {
		total = any_room(&seed);
		used = any_room(&seed);
		want = any_room(&seed);
		room = fit_free(&total, &used);
		if (fit_check(&total, &used) != FIT_OK ||
		    fit_check(&room, &want) != FIT_OK)
			continue;
		fit_add(&used, &want);
		cr_assert(used.cpu_m <= total.cpu_m);
		cr_assert(used.memory <= total.memory);
		cr_assert(used.pods <= total.pods);
		cr_assert(used.spec <= total.spec);
	}
}

Test(fit, tenths_are_between_none_and_ten_and_fall_with_the_want)
{
	unsigned int seed = 2, i;
	struct fit_room total, want, nothing = { 0, 0, 0, 0 };
	int all, some;

	for (i = 0; i < 100000; i++) {
		total = any_room(&seed);
		want = any_room(&seed);
		if (fit_check(&total, &want) != FIT_OK)
			continue;
		all = fit_tenths(&total, &total, &nothing);
		some = fit_tenths(&total, &total, &want);
		cr_assert(some >= 0 && all <= 10);
		cr_assert(some <= all);
	}
}

Test(fit, nothing_is_lacking_where_it_fits_and_less_the_more_there_is)
{
	unsigned int seed = 3, i;
	struct fit_room total, room, more, want;
	int64_t lack;

	for (i = 0; i < 100000; i++) {
		total = any_room(&seed);
		room = any_room(&seed);
		want = any_room(&seed);
		lack = fit_lack(&total, &room, &want);
		cr_assert_eq(lack == 0, fit_check(&room, &want) == FIT_OK);
		cr_assert_geq(lack, 0);
		more = room;
		fit_add(&more, &(struct fit_room){ 1, 1, 1, 1 });
		cr_assert_leq(fit_lack(&total, &more, &want), lack);
	}
}

Test(fit, a_device_that_shrank_has_no_room)
{
	struct fit_room total = { 1000, 1 << 20, 2, 9 };
	struct fit_room used = { 2000, 2 << 20, 3, 10 };
	struct fit_room room = fit_free(&total, &used);

	cr_assert_eq(room.cpu_m, 0);
	cr_assert_eq(room.memory, 0);
	cr_assert_eq(room.pods, 0);
	cr_assert_eq(room.spec, 0);
}

Test(fit, what_is_missing_is_named_in_order)
{
	struct fit_room room = { 500, 100, 1, 9 };

	cr_assert_eq(fit_check(&room, &(struct fit_room){ 501, 101, 2, 10 }),
	    FIT_CPU);
	cr_assert_eq(fit_check(&room, &(struct fit_room){ 500, 101, 2, 10 }),
	    FIT_MEMORY);
	cr_assert_eq(fit_check(&room, &(struct fit_room){ 500, 100, 2, 10 }),
	    FIT_PODS);
	cr_assert_eq(fit_check(&room, &(struct fit_room){ 500, 100, 1, 10 }),
	    FIT_SPEC);
	cr_assert_eq(fit_check(&room, &(struct fit_room){ 500, 100, 1, 9 }),
	    FIT_OK);
}

Test(fit, the_bound_is_never_below_the_tenths_and_close)
{
	unsigned int seed = 3, i;
	struct fit_room total, room, want, used;
	struct fit_scale scale;
	int tenths, bound;

	for (i = 0; i < 200000; i++) {
		total = any_room(&seed);
		used = any_room(&seed);
		want = any_room(&seed);
		room = fit_free(&total, &used);
		if (fit_check(&room, &want) != FIT_OK)
			continue;
		scale = fit_scale(&total, &room);
		tenths = fit_tenths(&total, &room, &want);
		bound = fit_bound(&scale, &want);
		cr_assert(bound >= 200 * tenths);
		cr_assert(bound < 200 * (tenths + 1) + 8);
	}
}

Test(fit, what_is_added_and_taken_again_leaves_what_was)
{
	struct fit_room r = { 100, 1000, 10, 5 }, one = { 1, 2, 3, 4 };

	fit_add(&r, &one);
	cr_expect_eq(r.cpu_m, 101);
	cr_expect_eq(r.memory, 1002);
	cr_expect_eq(r.pods, 13);
	cr_expect_eq(r.spec, 9);
	fit_take(&r, &one);
	cr_expect_eq(r.cpu_m, 100);
	cr_expect_eq(r.memory, 1000);
	cr_expect_eq(r.pods, 10);
	cr_expect_eq(r.spec, 5);
}
