/* SPDX-License-Identifier: ISC */
/* Go durations: what is one, what it is worth, and back again. */
#include "common/duration.h"

#include <criterion/criterion.h>

static void
is(const char *text, int64_t ns)
{
	int64_t v = -42;

	cr_assert(duration_ns(text, &v) == 0, "%s", text);
	cr_assert(v == ns, "%s is %jd", text, (intmax_t)v);
}

static void
is_none(const char *text)
{
	int64_t v;

	cr_assert(duration_ns(text, &v) == -1, "%s", text);
}

Test(common_duration, worth_what_go_says)
{
	is("0", 0);
	is("-0", 0);
	is("5s", 5000000000);
	is("1h30m", 5400000000000);
	is("1.5h", 5400000000000);
	is("-1.5h", -5400000000000);
	is("+5s", 5000000000);
	is(".5s", 500000000);
	is("5.s", 5000000000);
	is("100ns", 100);
	is("11us", 11000);
	is("12\xc2\xb5s", 12000);
	is("12\xce\xbcs", 12000);
	is("2h3m4s5ms6us7ns", 7384005006007);
	is("1s1s", 2000000000);
	is("0.3333333333333333333h", 1200000000000 - 1);
	is("9223372036854775807ns", INT64_MAX);
	is("-9223372036854775808ns", INT64_MIN);
	is("0.100000000000000000000h", 360000000000);
}

Test(common_duration, what_go_refuses_is_refused)
{
	static const char *const none[] = { "", "3", "-", "s", ".", "-.", ".s",
		"+.s", "1d", "1 s", " 1s", "1s ", "1e3s", "--1s", "1.2.3s",
		"9223372036854775808ns", "-9223372036854775809ns",
		"9223372036854775.808us", "3000000h", "99999999999999999999s",
		"5S", "0x1s", "\xb5s" };
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		is_none(none[i]);
}

Test(common_duration, parts_of_a_millisecond_are_refused)
{
	int64_t ms;

	cr_assert(duration_ms("1500us", &ms) == -1);
	cr_assert(duration_ms("2000us", &ms) == 0 && ms == 2);
}

Test(common_duration, text_comes_back)
{
	char text[DURATION_TEXT];
	int64_t ms, back;
	int bit, minus;

	for (bit = 0; bit < 43; bit++)
		for (minus = 0; minus < 2; minus++) {
			ms = ((int64_t)1 << bit) - (bit % 3);
			ms = minus ? -ms : ms;
			duration_text(ms, text);
			cr_assert(duration_ms(text, &back) == 0, "%s", text);
			cr_assert(back == ms, "%s", text);
		}
	duration_text(5400000, text);
	cr_assert_str_eq(text, "1h30m");
	duration_text(0, text);
	cr_assert_str_eq(text, "0s");
}
