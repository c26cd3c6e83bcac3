/* SPDX-License-Identifier: ISC */
/*
 * stamp.c: RFC 3339 and back, by arithmetic.
 *
 * Owns the calendar.  Never asks libc for it: timegm() and gmtime() read the
 * time zone file, which a sandboxed process cannot.
 */
#include "common/stamp.h"

#include <stdio.h>

enum {
	DAY_S = 86400
};

/* Days since 1970-01-01 (the civil calendar starts its year in March). */
static int64_t
days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = days / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

/* n digits at *p, lowest..highest; -1 when they are not. */
static int
digits(const char **p, int n, int lowest, int highest)
{
	int i, v = 0;

	for (i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v < lowest || v > highest ? -1 : v;
}

static int
expect(const char **p, char c)
{
	if (**p != c)
		return -1;
	(*p)++;
	return 0;
}

/* ".123456": milliseconds; 0 without a fraction; -1: a point alone. */
static int
fraction(const char **p)
{
	int n, ms = 0;

	if (**p != '.')
		return 0;
	(*p)++;
	for (n = 0; **p >= '0' && **p <= '9'; n++, (*p)++)
		if (n < 3)
			ms = ms * 10 + (**p - '0');
	if (n == 0)
		return -1;
	for (; n < 3; n++)
		ms *= 10;
	return ms;
}

/* "Z" or "+hh:mm": minutes east; -1 with *bad set otherwise. */
static int
zone(const char *p, int *bad)
{
	int sign, h, m;

	*bad = 0;
	if ((*p == 'Z' || *p == 'z') && p[1] == '\0')
		return 0;
	sign = *p == '-' ? -1 : 1;
	if (*p == '+' || *p == '-') {
		p++;
		if ((h = digits(&p, 2, 0, 23)) != -1 && expect(&p, ':') == 0 &&
		    (m = digits(&p, 2, 0, 59)) != -1 && *p == '\0')
			return sign * (h * 60 + m);
	}
	*bad = 1;
	return 0;
}

int64_t
stamp_parse(const char *p)
{
	int y, mon, d, h, min, s, ms, bad, east;
	int64_t at;

	if ((y = digits(&p, 4, 1970, 9999)) == -1 || expect(&p, '-') == -1 ||
	    (mon = digits(&p, 2, 1, 12)) == -1 || expect(&p, '-') == -1 ||
	    (d = digits(&p, 2, 1, 31)) == -1 || expect(&p, 'T') == -1 ||
	    (h = digits(&p, 2, 0, 23)) == -1 || expect(&p, ':') == -1 ||
	    (min = digits(&p, 2, 0, 59)) == -1 || expect(&p, ':') == -1 ||
	    (s = digits(&p, 2, 0, 60)) == -1 || (ms = fraction(&p)) == -1)
		return -1;
	east = zone(p, &bad);
	if (bad)
		return -1;
	at = days_of(y, mon, d) * DAY_S;
	at += INT64_C(3600) * h + INT64_C(60) * (min - east) + s;
	return at < 0 ? -1 : at * 1000 + ms;
}

/* snprintf cannot cut: the year has four digits, see the clamp. */
static void
print(int64_t s, int us, char buf[STAMP_SIZE])
{
	const int64_t last = days_of(9999, 12, 31) * DAY_S + DAY_S - 1;
	int y, m, d, t;

	s = s < 0 ? 0 : s > last ? last : s;
	date_of(s / DAY_S, &y, &m, &d);
	t = (int)(s % DAY_S);
	if (us < 0)
		(void)snprintf(buf, STAMP_SIZE,
		    "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)y % 10000,
		    (unsigned)m % 100, (unsigned)d % 100,
		    (unsigned)t / 3600 % 100, (unsigned)t / 60 % 60,
		    (unsigned)t % 60);
	else
		(void)snprintf(buf, STAMP_SIZE,
		    "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)y % 10000,
		    (unsigned)m % 100, (unsigned)d % 100,
		    (unsigned)t / 3600 % 100, (unsigned)t / 60 % 60,
		    (unsigned)t % 60, (unsigned)us % 1000000);
}

void
stamp_format(int64_t ms, char buf[STAMP_SIZE])
{
	print(ms < 0 ? 0 : ms / 1000, -1, buf);
}

void
stamp_format_micro(int64_t us, char buf[STAMP_SIZE])
{
	print(us < 0 ? 0 : us / 1000000, us < 0 ? 0 : (int)(us % 1000000), buf);
}
