/* SPDX-License-Identifier: ISC */
/*
 * kubetime.c: RFC 3339 times as the server reads and writes them (pure but
 * for ktime_now).
 *
 * A failure carries the text of Go's time.ParseError, because clients see it:
 * MicroTime wants exactly six digits, Time takes any fraction and drops it.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/why.h"
#include "t/sim/kubetype.h"

struct element {
	const char *layout; /* as Go's error names it */
	int digits;	    /* 0: the literal itself */
	int least, most;
};

static const struct element elements[] = {
	{ "2006", 4, 0, 9999 },
	{ "-", 0, 0, 0 },
	{ "01", 2, 1, 12 },
	{ "-", 0, 0, 0 },
	{ "02", 2, 1, 31 },
	{ "T", 0, 0, 0 },
	{ "15", 2, 0, 23 },
	{ ":", 0, 0, 0 },
	{ "04", 2, 0, 59 },
	{ ":", 0, 0, 0 },
	{ "05", 2, 0, 59 },
};

#define NELEMENTS (sizeof(elements) / sizeof(elements[0]))

struct reading {
	const char *value;
	const char *layout;
	const char *p;
};

static int
cannot(const struct reading *r, const char *element, struct why *why)
{
	return fail(why, ERR_FORMAT,
	    "parsing time \"%s\" as \"%s\": cannot parse \"%s\" as \"%s\"",
	    r->value, r->layout, r->p, element);
}

static int
number(struct reading *r, const struct element *e, int *out, struct why *why)
{
	int i, v = 0;

	for (i = 0; i < e->digits; i++) {
		if (!isdigit((unsigned char)r->p[i]))
			return cannot(r, e->layout, why);
		v = v * 10 + (r->p[i] - '0');
	}
	if (v < e->least || v > e->most)
		return fail(why, ERR_FORMAT,
		    "parsing time \"%s\": %s out of range", r->value,
		    strcmp(e->layout, "01") == 0     ? "month" :
			strcmp(e->layout, "02") == 0 ? "day" :
			strcmp(e->layout, "15") == 0 ? "hour" :
			strcmp(e->layout, "04") == 0 ? "minute" :
						       "second");
	r->p += e->digits;
	*out = v;
	return 0;
}

/* "Z" or "+01:00": seconds east of UTC. */
static int
zone(struct reading *r, long *east, struct why *why)
{
	const char *p = r->p;

	if (strcmp(p, "Z") == 0) {
		*east = 0;
		return 0;
	}
	if ((p[0] != '+' && p[0] != '-') || strlen(p) != 6 || p[3] != ':' ||
	    !isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2]) ||
	    !isdigit((unsigned char)p[4]) || !isdigit((unsigned char)p[5]))
		return cannot(r, "Z07:00", why);
	*east = ((p[1] - '0') * 10 + p[2] - '0') * 3600L +
	    ((p[4] - '0') * 10 + p[5] - '0') * 60L;
	if (p[0] == '-')
		*east = -*east;
	return 0;
}

static int
read_time(struct reading *r, struct tm *tm, char *micros, struct why *why)
{
	int v[NELEMENTS] = { 0 };
	size_t i;
	long east = 0;
	time_t t;

	for (i = 0; i < NELEMENTS; i++) {
		if (elements[i].digits != 0) {
			if (number(r, &elements[i], &v[i], why) == -1)
				return -1;
		} else if (*r->p++ != elements[i].layout[0]) {
			r->p--;
			return cannot(r, elements[i].layout, why);
		}
	}
	if (micros != NULL) {
		if (r->p[0] != '.' || strspn(r->p + 1, "0123456789") < 6)
			return cannot(r, ".000000", why);
		memcpy(micros, r->p + 1, 6);
		r->p += 7;
	} else if (r->p[0] == '.' && isdigit((unsigned char)r->p[1])) {
		r->p += 1 + strspn(r->p + 1, "0123456789");
	}
	if (zone(r, &east, why) == -1)
		return -1;
	*tm = (struct tm){ .tm_year = v[0] - 1900,
		.tm_mon = v[2] - 1,
		.tm_mday = v[4],
		.tm_hour = v[6],
		.tm_min = v[8],
		.tm_sec = v[10] };
	t = timegm(tm) - east;
	gmtime_r(&t, tm);
	return 0;
}

int
ktime_seconds(const char *value, char *buf, size_t cap, struct why *why)
{
	struct reading r = { value, "2006-01-02T15:04:05Z07:00", value };
	struct tm tm;

	if (read_time(&r, &tm, NULL, why) == -1)
		return -1;
	strftime(buf, cap, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return 0;
}

int
ktime_micros(const char *value, char *buf, size_t cap, struct why *why)
{
	struct reading r = { value, "2006-01-02T15:04:05.000000Z07:00", value };
	char micros[7] = "";
	struct tm tm;
	size_t n;

	if (read_time(&r, &tm, micros, why) == -1)
		return -1;
	n = strftime(buf, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, cap - n, ".%sZ", micros);
	return 0;
}

void
ktime_now(char *buf, size_t cap, long plus)
{
	time_t t = time(NULL) + plus;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, cap, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
