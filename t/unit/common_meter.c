/* SPDX-License-Identifier: ISC */
/* Requests counted, and told once. */
#include "common/meter.h"

#include <criterion/criterion.h>

Test(common_meter, a_bound_is_of_its_bucket)
{
	struct meter m = { 0 };
	const struct body_tally *t = &m.of[REQUEST_POD_STATUS];
	unsigned int i;
	uint64_t us = 0;

	for (i = 0; i < TALLY_TIMES - 1; i++) {
		meter_add(&m, REQUEST_POD_STATUS, meter_bound(i) * 1000,
		    ERR_NONE);
		meter_add(&m, REQUEST_POD_STATUS, meter_bound(i) * 1000 + 1,
		    ERR_AGAIN);
		us += 2 * (uint64_t)meter_bound(i) * 1000 + 1;
		cr_expect(i == 0 || meter_bound(i) > meter_bound(i - 1));
	}
	cr_expect_eq(t->took[0], 1);
	for (i = 1; i < TALLY_TIMES - 1; i++)
		cr_expect_eq(t->took[i], 2, "%u", i);
	cr_expect_eq(t->took[TALLY_TIMES - 1], 1);
	cr_expect_eq(t->took_us, us);
	cr_expect_eq(t->ended[ERR_NONE], TALLY_TIMES - 1);
	cr_expect_eq(t->ended[ERR_AGAIN], TALLY_TIMES - 1);
}

Test(common_meter, a_stream_has_an_end_and_no_time)
{
	struct meter m = { 0 };
	unsigned int i;

	meter_add(&m, REQUEST_PODS_WATCH, 300000000, ERR_AGAIN);
	cr_expect_eq(m.of[REQUEST_PODS_WATCH].ended[ERR_AGAIN], 1);
	cr_expect_eq(m.of[REQUEST_PODS_WATCH].took_us, 0);
	for (i = 0; i < TALLY_TIMES; i++)
		cr_expect_eq(m.of[REQUEST_PODS_WATCH].took[i], 0);
}

Test(common_meter, what_has_not_changed_is_not_told)
{
	const struct body_tally *t;
	struct meter m = { 0 };

	cr_assert_null(meter_next(&m));
	meter_add(&m, REQUEST_MOTION, 5, ERR_NONE);
	meter_add(&m, REQUEST_MOTION, 5, ERR_NONE);
	t = meter_next(&m);
	cr_assert(
	    t != NULL && t->what == REQUEST_MOTION && t->ended[ERR_NONE] == 2);
	cr_assert_null(meter_next(&m));
}

/* Else a placer that stayed would take zeros for a start of ours. */
Test(common_meter, a_new_link_hears_all_of_one_process_and_nothing_else)
{
	const struct body_tally *t;
	struct meter m = { 0 };
	size_t n = 0, of_flight = 0;
	enum request i;

	meter_forget(&m, PROC_FLIGHTSIDE);
	for (i = 0; i < REQUEST_COUNT; i++)
		of_flight += meter_proc(i) == PROC_FLIGHTSIDE;
	while ((t = meter_next(&m)) != NULL) {
		cr_expect(meter_proc(t->what) == PROC_FLIGHTSIDE);
		n++;
	}
	cr_expect(n == of_flight && n > 0);
}
