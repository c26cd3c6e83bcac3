/* SPDX-License-Identifier: ISC */
/* What must hold of any table of waits. */
#include "common/retry.h"

#include <criterion/criterion.h>

static const uint32_t randoms[] = { 0, 1, 12345, 1U << 31, UINT32_MAX };
static const int64_t afters[] = { 0, 1, 1000, 90000, RETRY_AFTER_MAX_MS };

#define EACH(i, array) \
	for ((i) = 0; (i) < sizeof(array) / sizeof((array)[0]); (i)++)

static int64_t
most(enum why_kind kind, unsigned int failures)
{
	return retry_wait_ms(kind, failures, -1, UINT32_MAX);
}

Test(retry, bounded_and_jittered)
{
	unsigned int kind, failures;
	size_t r;
	int64_t ms;

	for (kind = ERR_AGAIN; kind < ERR_COUNT; kind++)
		for (failures = 0; failures < 100; failures++) {
			EACH(r, randoms) {
				ms = retry_wait_ms(kind, failures, -1,
				    randoms[r]);
				cr_expect_geq(ms, 1);
				cr_expect_leq(ms, retry_longest_ms(kind));
			}
			cr_expect_eq(retry_wait_ms(kind, failures, -1, 0), 1);
			cr_expect_gt(most(kind, failures), 1);
		}
}

Test(retry, grows_to_its_longest_and_stays)
{
	unsigned int kind, failures;

	for (kind = ERR_AGAIN; kind < ERR_COUNT; kind++) {
		for (failures = 1; failures < 64; failures++)
			cr_expect_leq(most(kind, failures),
			    most(kind, failures + 1));
		cr_expect_lt(most(kind, 1), most(kind, 20));
		cr_expect_eq(most(kind, 20), retry_longest_ms(kind));
		cr_expect_eq(most(kind, UINT32_MAX), retry_longest_ms(kind));
	}
}

Test(retry, a_server_that_asks_is_obeyed)
{
	unsigned int kind;
	size_t r, a;

	for (kind = ERR_AGAIN; kind < ERR_COUNT; kind++)
		EACH(r, randoms)
			EACH(a, afters)
				cr_expect_geq(retry_wait_ms(kind, 1, afters[a],
						  randoms[r]),
				    afters[a]);
	/* one that asks for a year is broken */
	cr_expect_leq(retry_wait_ms(ERR_AGAIN, 1, INT64_MAX, UINT32_MAX),
	    RETRY_AFTER_MAX_MS + retry_longest_ms(ERR_AGAIN));
}
