/* SPDX-License-Identifier: ISC */
/* Kubernetes quantities: exact, rounded up, never wrapped. */
#include "common/quantity.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void
is(const char *text, int64_t value, int64_t milli)
{
	int64_t v = -42, m = -42;

	cr_assert(quantity_value(span_of(text), &v) == 0, "%s", text);
	cr_assert(quantity_milli(span_of(text), &m) == 0, "%s", text);
	cr_assert(v == value, "%s is %jd", text, (intmax_t)v);
	cr_assert(m == milli, "%s is %jd m", text, (intmax_t)m);
}

Test(common_quantity, every_legal_form)
{
	is("0", 0, 0);
	is("1", 1, 1000);
	is("+1", 1, 1000);
	is("-1", -1, -1000);
	is("100m", 1, 100);
	is("1.5", 2, 1500);
	is(".5", 1, 500);
	is("5.", 5, 5000);
	is("00012", 12, 12000);
	is("0.100", 1, 100);
	is("1k", 1000, 1000000);
	is("1M", 1000000, 1000000000);
	is("1Ki", 1024, 1024000);
	is("1.5Gi", 1610612736, 1610612736000);
	is("12e6", 12000000, 12000000000);
	is("12E6", 12000000, 12000000000);
	is("12e+2", 1200, 1200000);
	is("1200e-2", 12, 12000);
	is("1n", 1, 1);
	is("1u", 1, 1);
	is("1500u", 1, 2);
	is("-1500u", -1, -2);
	is("0.001Ki", 2, 1024);
	is("1E0", 1, 1000);
}

Test(common_quantity, not_a_quantity)
{
	static const char *const none[] = { "", " ", "1 ", " 1", "m", "Ki", ".",
		"+", "-", "1..", "1.2.3", "1K", "1ki", "1KI", "1Kib", "1mm",
		"1e", "1e+", "1E+", "1e1.5", "1e1m", "1e3Ki", "0x10", "1,5",
		"1-", "--1", "inf", "NaN", "1\n" };
	int64_t v;
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		cr_assert(quantity_value(span_of(none[i]), &v) == -1, "%s",
		    none[i]);
		cr_assert(quantity_milli(span_of(none[i]), &v) == -1, "%s",
		    none[i]);
	}
	cr_assert(quantity_value((struct span){ "1\0", 2 }, &v) == -1);
}

Test(common_quantity, bounds_of_64_bits)
{
	int64_t v;

	is("9223372036854775", 9223372036854775, 9223372036854775000);
	cr_assert(quantity_value(span_of("9223372036854775807"), &v) == 0 &&
	    v == INT64_MAX);
	cr_assert(quantity_value(span_of("9223372036854775808"), &v) == -1);
	cr_assert(quantity_value(span_of("9223372036854775807.1"), &v) == -1);
	cr_assert(quantity_milli(span_of("9223372036854775807"), &v) == -1);
	cr_assert(quantity_value(span_of("8Ei"), &v) == -1);
	cr_assert(
	    quantity_value(span_of("7Ei"), &v) == 0 && v == (int64_t)7 << 60);
	cr_assert(quantity_value(span_of("9E"), &v) == 0);
	cr_assert(quantity_value(span_of("1e400"), &v) == -1);
	cr_assert(quantity_value(span_of("1e99999999999999999999"), &v) == -1);
	cr_assert(quantity_value(span_of("0e99999999999999999999"), &v) == 0 &&
	    v == 0);
	cr_assert(quantity_value(span_of("1e-99999999999999999999"), &v) == 0 &&
	    v == 1);
	/* More digits than 128 bits hold, all but the last one nothing. */
	cr_assert(quantity_value(span_of("1.0000000000000000000000000000000"
					 "0000000000000000000000000001Ei"),
		      &v) == 0 &&
	    v == ((int64_t)1 << 60) + 1);
	cr_assert(quantity_value(span_of("1.0000000000000000000000000000000"
					 "0000000000000000000000000000Ei"),
		      &v) == 0 &&
	    v == (int64_t)1 << 60);
}

static uint64_t seed = 3;

static uint64_t
rnd(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* However a number is spelled, it is the same number. */
Test(common_quantity, spellings_agree)
{
	char a[64], b[64], c[64];
	int64_t x, y, z;
	uint64_t n;
	int i;

	for (i = 0; i < 20000; i++) {
		n = rnd(1u << 31) * rnd(1000);
		(void)snprintf(a, sizeof(a), "%jum", (uintmax_t)n);
		(void)snprintf(b, sizeof(b), "%ju.%03ju", (uintmax_t)(n / 1000),
		    (uintmax_t)(n % 1000));
		(void)snprintf(c, sizeof(c), "%jue-3", (uintmax_t)n);
		cr_assert(quantity_milli(span_of(a), &x) == 0);
		cr_assert(quantity_milli(span_of(b), &y) == 0);
		cr_assert(quantity_milli(span_of(c), &z) == 0);
		cr_assert(x == (int64_t)n && y == x && z == x, "%s", a);
		cr_assert(quantity_value(span_of(a), &x) == 0);
		cr_assert(x == (int64_t)((n + 999) / 1000), "%s", a);
		(void)snprintf(a, sizeof(a), "%juKi", (uintmax_t)n);
		(void)snprintf(b, sizeof(b), "%ju", (uintmax_t)(n * 1024));
		cr_assert(quantity_value(span_of(a), &x) == 0);
		cr_assert(quantity_value(span_of(b), &y) == 0 && x == y);
	}
}

/* More is never less, up to the rounding. */
Test(common_quantity, order_is_kept)
{
	char a[64], b[64];
	int64_t x, y;
	uint64_t n, d;
	int i;

	for (i = 0; i < 20000; i++) {
		n = rnd(1u << 20);
		d = rnd(1000000000);
		(void)snprintf(a, sizeof(a), "%ju.%09juMi", (uintmax_t)n,
		    (uintmax_t)d);
		(void)snprintf(b, sizeof(b), "%ju.%09juMi", (uintmax_t)n,
		    (uintmax_t)(d + 1));
		cr_assert(quantity_value(span_of(a), &x) == 0);
		if (d + 1 == 1000000000)
			continue;
		cr_assert(quantity_value(span_of(b), &y) == 0);
		cr_assert(y == x || y == x + 1, "%s", a);
		/* Rounded up: not below, and by less than one. */
		cr_assert((unsigned __int128)x * 1000000000 >=
		    (unsigned __int128)(n * 1000000000 + d) * 1048576);
		cr_assert((unsigned __int128)(x - 1) * 1000000000 <
			(unsigned __int128)(n * 1000000000 + d) * 1048576 ||
		    x == 0);
	}
}
