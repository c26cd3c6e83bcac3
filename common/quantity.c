/* SPDX-License-Identifier: ISC */
/*
 * quantity.c: Kubernetes quantities (apimachinery, api/resource).
 *
 * Owns the grammar and its arithmetic: a number is an integer times powers of
 * two and ten, never a float.
 */
#include "common/quantity.h"

enum {
	EXP_MAX = 1000, /* beyond it every digit is overflow, or a rest */
};

/* mant * 2^two * 10^ten, and a little more when rest is set. */
struct number {
	unsigned __int128 mant;
	int negative;
	int two;
	int ten;
	int rest;
};

static const unsigned __int128 mant_max = (unsigned __int128)1 << 96;

static int
next_char(struct span *s)
{
	if (s->len == 0)
		return -1;
	s->len--;
	return (unsigned char)*s->p++;
}

static int
peek(struct span s)
{
	return s.len == 0 ? -1 : (unsigned char)s.p[0];
}

static int
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Digits beyond 96 bits only move the exponent and leave a rest. */
static void
add_digit(struct number *n, int digit, int after_point)
{
	if (n->mant >= mant_max / 10) {
		n->rest |= digit != 0;
		if (!after_point && n->ten < EXP_MAX)
			n->ten++;
		return;
	}
	n->mant = n->mant * 10 + (unsigned int)digit;
	if (after_point && n->ten > -EXP_MAX)
		n->ten--;
}

static int
take_digits(struct span *s, struct number *n)
{
	int digits = 0, after_point = 0;

	if (peek(*s) == '+' || peek(*s) == '-')
		n->negative = next_char(s) == '-';
	for (;; digits++) {
		if (peek(*s) == '.' && !after_point) {
			(void)next_char(s);
			after_point = 1;
		}
		if (!is_digit(peek(*s)))
			break;
		add_digit(n, next_char(s) - '0', after_point);
	}
	return digits > 0 ? 0 : -1;
}

/* The signed number after e or E. */
static int
take_exponent(struct span s, struct number *n)
{
	int negative = 0, v = 0;

	if (peek(s) == '+' || peek(s) == '-')
		negative = next_char(&s) == '-';
	if (s.len == 0)
		return -1;
	while (s.len > 0) {
		if (!is_digit(peek(s)))
			return -1;
		v = v * 10 + next_char(&s) - '0';
		if (v > 2 * EXP_MAX)
			v = 2 * EXP_MAX;
	}
	n->ten += negative ? -v : v;
	return 0;
}

static int
take_suffix(struct span s, struct number *n)
{
	static const struct {
		const char *name;
		int two;
		int ten;
	} suffixes[] = { { "", 0, 0 }, { "n", 0, -9 }, { "u", 0, -6 },
		{ "m", 0, -3 }, { "k", 0, 3 }, { "M", 0, 6 }, { "G", 0, 9 },
		{ "T", 0, 12 }, { "P", 0, 15 }, { "E", 0, 18 }, { "Ki", 10, 0 },
		{ "Mi", 20, 0 }, { "Gi", 30, 0 }, { "Ti", 40, 0 },
		{ "Pi", 50, 0 }, { "Ei", 60, 0 } };
	size_t i;

	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (span_is(s, suffixes[i].name)) {
			n->two = suffixes[i].two;
			n->ten += suffixes[i].ten;
			return 0;
		}
	if (peek(s) != 'e' && peek(s) != 'E')
		return -1;
	(void)next_char(&s);
	return take_exponent(s, n);
}

/*
 * The integer not below it; -1: beyond 64 bits.  10^-k is 2^-k 5^-k, so that
 * the powers of two meet first: what then leaves 128 bits is too large for 64
 * (a mantissa of 96 bits, at most 2^60, and 5^28 > 2^65).
 */
static int
round_up(struct number *n, int64_t *out)
{
	unsigned __int128 m = n->mant;
	int rest = n->rest, fives = 0;

	if (n->ten < 0) {
		fives = -n->ten;
		n->two -= fives;
		n->ten = 0;
	}
	for (; n->two > 0 && m > 0; n->two--, m <<= 1)
		if (m >> 127 != 0)
			return -1;
	for (; n->two < 0 && m > 0; n->two++, m >>= 1)
		rest |= (m & 1) != 0;
	for (; fives > 0 && m > 0; fives--, m /= 5)
		rest |= m % 5 != 0;
	for (; n->ten > 0 && m > 0 && m <= INT64_MAX; n->ten--)
		m *= 10;
	m += rest ? 1 : 0;
	if (m > INT64_MAX)
		return -1;
	*out = n->negative ? -(int64_t)m : (int64_t)m;
	return 0;
}

static int
parse(struct span s, int scale, int64_t *out)
{
	struct number n = { 0 };

	if (take_digits(&s, &n) == -1 || take_suffix(s, &n) == -1)
		return -1;
	n.ten += scale;
	return round_up(&n, out);
}

int
quantity_milli(struct span s, int64_t *out)
{
	return parse(s, 3, out);
}

int
quantity_value(struct span s, int64_t *out)
{
	return parse(s, 0, out);
}
