/* SPDX-License-Identifier: ISC */
/*
 * kubequant.c: the server's canonical form of quantities (pure).
 *
 * As apimachinery's resource.Quantity: the suffix family of the input is kept,
 * the mantissa is whole and as short as it can be, values below 1024 of the
 * binary family are written as decimals.
 */

#include "t/sim/kubequant.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const kquant_nanos one = 1000000000;

static const struct {
	const char *suffix;
	enum kquant_format format;
	int power; /* of 1000, or of 1024 */
} suffixes[] = {
	{ "n", KQUANT_DECIMAL, -3 },
	{ "u", KQUANT_DECIMAL, -2 },
	{ "m", KQUANT_DECIMAL, -1 },
	{ "", KQUANT_DECIMAL, 0 },
	{ "k", KQUANT_DECIMAL, 1 },
	{ "M", KQUANT_DECIMAL, 2 },
	{ "G", KQUANT_DECIMAL, 3 },
	{ "T", KQUANT_DECIMAL, 4 },
	{ "P", KQUANT_DECIMAL, 5 },
	{ "E", KQUANT_DECIMAL, 6 },
	{ "Ki", KQUANT_BINARY, 1 },
	{ "Mi", KQUANT_BINARY, 2 },
	{ "Gi", KQUANT_BINARY, 3 },
	{ "Ti", KQUANT_BINARY, 4 },
	{ "Pi", KQUANT_BINARY, 5 },
	{ "Ei", KQUANT_BINARY, 6 },
};

#define NSUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/* Up, away from zero. */
static kquant_nanos
divide(kquant_nanos v, kquant_nanos by)
{
	kquant_nanos q = v / by;

	return v % by == 0 ? q : q + (v < 0 ? -1 : 1);
}

static int
exponent(const char *p, struct kquant *q, int *power10)
{
	char *end;
	long n;

	if (*p != 'e' && *p != 'E')
		return -1;
	n = strtol(p + 1, &end, 10);
	if (end == p + 1 || *end != '\0' || n < -18 || n > 18)
		return -1;
	q->format = KQUANT_EXPONENT;
	*power10 = (int)n;
	return 0;
}

static int
scale(const char *p, struct kquant *q, kquant_nanos *mul, kquant_nanos *div)
{
	int power = 0, base = 10;
	size_t i;

	for (i = 0; i < NSUFFIXES; i++)
		if (strcmp(p, suffixes[i].suffix) == 0)
			break;
	if (i < NSUFFIXES) {
		q->format = suffixes[i].format;
		base = q->format == KQUANT_BINARY ? 1024 : 1000;
		power = suffixes[i].power;
	} else if (exponent(p, q, &power) == -1) {
		return -1;
	}
	for (; power > 0; power--)
		*mul *= base;
	for (; power < 0; power++)
		*div *= base;
	return 0;
}

int
kquant_parse(const char *s, struct kquant *q)
{
	const char *p = s;
	kquant_nanos v = 0, mul = one, div = 1;
	int negative = *p == '-', digits = 0, point = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; isdigit((unsigned char)*p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = 1;
			continue;
		}
		if (++digits > 18)
			return -1;
		v = v * 10 + (*p - '0');
		if (point)
			div *= 10;
	}
	if (digits == 0 || scale(p, q, &mul, &div) == -1)
		return -1;
	q->nanos = divide(negative ? -v * mul : v * mul, div);
	return 0;
}

int
kquant_whole(const struct kquant *q)
{
	return q->nanos % one == 0;
}

static void
write_number(kquant_nanos v, const char *suffix, char *buf, size_t cap)
{
	/* int128 has no printf conversion; two halves of 18 digits do. */
	const kquant_nanos half = one * one;
	kquant_nanos a = v < 0 ? -v : v;
	unsigned long long hi = (unsigned long long)(a / half);
	unsigned long long lo = (unsigned long long)(a % half);

	if (hi != 0)
		snprintf(buf, cap, "%s%llu%018llu%s", v < 0 ? "-" : "", hi, lo,
		    suffix);
	else
		snprintf(buf, cap, "%s%llu%s", v < 0 ? "-" : "", lo, suffix);
}

static void
format_binary(kquant_nanos units, char *buf, size_t cap)
{
	size_t i = 9; /* the entry before "Ki" */

	while (units % 1024 == 0 && i + 1 < NSUFFIXES) {
		units /= 1024;
		i++;
	}
	write_number(units, i == 9 ? "" : suffixes[i].suffix, buf, cap);
}

static void
format_exponent(kquant_nanos v, char *buf, size_t cap)
{
	char end[16] = "";
	int e = -9;

	while (v % 1000 == 0) {
		v /= 1000;
		e += 3;
	}
	if (e != 0)
		snprintf(end, sizeof(end), "e%d", e);
	write_number(v, end, buf, cap);
}

void
kquant_format(const struct kquant *q, char *buf, size_t cap)
{
	kquant_nanos v = q->nanos;
	size_t i = 0;

	if (v == 0) {
		write_number(0, "", buf, cap);
		return;
	}
	if (q->format == KQUANT_BINARY && v % one == 0 &&
	    (v / one >= 1024 || v / one <= -1024)) {
		format_binary(v / one, buf, cap);
		return;
	}
	if (q->format == KQUANT_EXPONENT) {
		format_exponent(v, buf, cap);
		return;
	}
	for (; v % 1000 == 0 && i < 9; i++)
		v /= 1000;
	write_number(v, suffixes[i].suffix, buf, cap);
}
