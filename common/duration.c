/* SPDX-License-Identifier: ISC */
/*
 * duration.c: Go durations, exactly.
 *
 * Owns the grammar of time.ParseDuration; no clock, no floating point.
 */
#include "common/duration.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name; /* longest first where one begins another */
	int64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "\xce\xbcs", 1000 }, /* Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000LL },
	{ "m", 60 * 1000000000LL },
	{ "h", 3600 * 1000000000LL },
};

static int64_t
take_unit(const char **s)
{
	size_t i, n;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		n = strlen(units[i].name);
		if (strncmp(*s, units[i].name, n) == 0) {
			*s += n;
			return units[i].ns;
		}
	}
	return 0;
}

/*
 * "1.5h" at *s, in nanoseconds; digits below one are cut, as Go does.  -1: no
 * such thing, or too large.
 */
static int
take_part(const char **s, uint64_t *ns)
{
	uint64_t whole = 0, part = 0, scale = 1;
	int digits = 0;
	int64_t unit;

	for (; **s >= '0' && **s <= '9'; (*s)++, digits++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(**s - '0'),
			&whole))
			return -1;
	if (**s == '.')
		for ((*s)++; **s >= '0' && **s <= '9'; (*s)++, digits++)
			if (scale < 1000000000000000ULL) {
				part = part * 10 + (uint64_t)(**s - '0');
				scale *= 10;
			}
	if (digits == 0 || (unit = take_unit(s)) == 0 ||
	    __builtin_mul_overflow(whole, (uint64_t)unit, &whole))
		return -1;
	part = (uint64_t)((unsigned __int128)part * (uint64_t)unit / scale);
	return __builtin_add_overflow(whole, part, ns) ? -1 : 0;
}

int
duration_ns(const char *s, int64_t *ns)
{
	uint64_t sum = 0, part;
	int negative = *s == '-';

	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {
		*ns = 0;
		return 0;
	}
	if (*s == '\0')
		return -1;
	while (*s != '\0')
		if (take_part(&s, &part) == -1 ||
		    __builtin_add_overflow(sum, part, &sum))
			return -1;
	if (sum > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return -1;
	*ns = (int64_t)(negative ? -sum : sum);
	return 0;
}

int
duration_ms(const char *s, int64_t *ms)
{
	int64_t ns;

	if (duration_ns(s, &ns) == -1 || ns % 1000000 != 0)
		return -1;
	*ms = ns / 1000000;
	return 0;
}

void
duration_text(int64_t ms, char text[DURATION_TEXT])
{
	uint64_t left = (uint64_t)(ms < 0 ? -(uint64_t)ms : (uint64_t)ms);
	char *p = text, *end = text + DURATION_TEXT;

	if (ms == 0) {
		(void)snprintf(text, DURATION_TEXT, "0s");
		return;
	}
	if (ms < 0)
		*p++ = '-';
	*p = '\0';
	if (left >= 3600000)
		p += snprintf(p, (size_t)(end - p), "%lluh",
		    (unsigned long long)(left / 3600000));
	left %= 3600000;
	if (left >= 60000)
		p += snprintf(p, (size_t)(end - p), "%um",
		    (unsigned int)(left / 60000));
	left %= 60000;
	if (left % 1000 != 0)
		(void)snprintf(p, (size_t)(end - p), "%ums",
		    (unsigned int)left);
	else if (left > 0)
		(void)snprintf(p, (size_t)(end - p), "%us",
		    (unsigned int)(left / 1000));
}
