/* SPDX-License-Identifier: ISC */
/*
 * What must hold of times: text and number are each other's inverse, and the
 * calendar is libc's, to which it is compared day by day.
 */
#include "common/stamp.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

enum {
	DAYS = 2932896, /* to the last of 9999 */
};

Test(stamp, the_calendar_is_libcs)
{
	char mine[STAMP_SIZE], libcs[64];
	struct tm tm;
	time_t t;
	int64_t day;

	for (day = 0; day <= DAYS; day += 17) {
		t = (time_t)(day * 86400 + day % 86400);
		stamp_format(t * 1000 + 999, mine);
		cr_assert_not_null(gmtime_r(&t, &tm));
		strftime(libcs, sizeof(libcs), "%Y-%m-%dT%H:%M:%SZ", &tm);
		cr_assert_str_eq(mine, libcs);
		cr_assert_eq(stamp_parse(mine), t * 1000);
	}
}

Test(stamp, micro_times_have_six_digits)
{
	char text[STAMP_SIZE];

	stamp_format_micro(INT64_C(1795419731669752), text);
	cr_assert_str_eq(text, "2026-11-23T07:42:11.669752Z");
	stamp_format_micro(0, text);
	cr_assert_str_eq(text, "1970-01-01T00:00:00.000000Z");
	cr_assert_eq(stamp_parse(text), 0);
}

Test(stamp, what_no_clock_says)
{
	char text[STAMP_SIZE];

	stamp_format(-5, text);
	cr_assert_str_eq(text, "1970-01-01T00:00:00Z");
	stamp_format(INT64_MAX, text);
	cr_assert_str_eq(text, "9999-12-31T23:59:59Z");
	stamp_format_micro(INT64_MIN, text);
	cr_assert_str_eq(text, "1970-01-01T00:00:00.000000Z");
}

Test(stamp, forms_of_both_servers)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "2026-11-23T07:42:54Z", INT64_C(1795419774000) },
		{ "2026-11-23T07:42:54z", INT64_C(1795419774000) },
		{ "2026-11-23T07:42:54.5Z", INT64_C(1795419774500) },
		{ "2026-11-23T21:11:03.647101568Z", INT64_C(1795468263647) },
		{ "2026-11-23T08:42:54+01:00", INT64_C(1795419774000) },
		{ "2026-11-23T02:12:54-05:30", INT64_C(1795419774000) },
		{ "2026-12-31T23:59:60Z", INT64_C(1798761600000) },
		{ "0001-01-01T00:00:00Z", -1 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "1970-01-01T00:00:00+01:00", -1 },
		{ "", -1 },
		{ "2026-11-23", -1 },
		{ "2026-11-23T07:42:54", -1 },
		{ "2026-11-23 07:42:54Z", -1 },
		{ "2026-11-23T07:42:54.Z", -1 },
		{ "2026-11-23T07:42:54Zx", -1 },
		{ "2026-11-23T7:42:54Z", -1 },
		{ "2026-13-23T07:42:54Z", -1 },
		{ "2026-11-00T07:42:54Z", -1 },
		{ "2026-11-23T24:42:54Z", -1 },
		{ "2026-11-23T07:42:54+0100", -1 },
		{ "2026-11-23T07:42:54+01:00x", -1 },
		{ "-026-11-23T07:42:54Z", -1 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(stamp_parse(cases[i].text), cases[i].ms,
		    "%s: %lld", cases[i].text,
		    (long long)stamp_parse(cases[i].text));
}
