/* SPDX-License-Identifier: ISC */
/*
 * same.c: compares JSON by meaning, so that what is already there is not
 * written again.  Owns nothing.
 */
#include "flightside/same.h"

#include <stdlib.h>

#include "common/auto.h"
#include "common/scan.h"
#include "common/xmem.h"

static int
same_string(struct span a, struct span b)
{
	AUTO_FREE char *x = xmalloc(a.len), *y = xmalloc(b.len);
	ssize_t n = scan_unescape(a, x, a.len), m = scan_unescape(b, y, b.len);

	return n != -1 && n == m && memcmp(x, y, (size_t)n) == 0;
}

static int
same_array(struct span a, struct span b)
{
	struct span x, y;
	size_t at_a = 0, at_b = 0;
	int more;

	while ((more = scan_next(a, &at_a, &x)) == 1)
		if (scan_next(b, &at_b, &y) != 1 || !same_json(x, y))
			return 0;
	return more == 0 && scan_next(b, &at_b, &y) == 0;
}

static int
count_members(struct span object)
{
	struct span key, value;
	size_t at = 0;
	int n = 0;

	while (scan_member(object, &at, &key, &value) == 1)
		n++;
	return n;
}

/* The one member of that (raw) name; members are few. */
static int
find_member(struct span object, struct span name, struct span *value)
{
	struct span key, any;
	size_t at = 0;
	int n = 0;

	while (scan_member(object, &at, &key, &any) == 1) {
		if (!same_string(key, name))
			continue;
		*value = any;
		n++;
	}
	return n == 1;
}

/* What an object says that has a name twice, nobody knows. */
static int
same_object(struct span a, struct span b)
{
	struct span key, x, y;
	size_t at = 0;

	if (count_members(a) != count_members(b))
		return 0;
	while (scan_member(a, &at, &key, &x) == 1)
		if (!find_member(a, key, &x) || !find_member(b, key, &y) ||
		    !same_json(x, y))
			return 0;
	return 1;
}

int
same_json(struct span a, struct span b)
{
	if (a.len == 0 || b.len == 0)
		return a.len == b.len;
	if (a.len == b.len && memcmp(a.p, b.p, a.len) == 0)
		return 1;
	if (*a.p != *b.p)
		return 0;
	if (*a.p == '{')
		return same_object(a, b);
	if (*a.p == '[')
		return same_array(a, b);
	if (*a.p == '"')
		return same_string(a, b);
	return 0;
}
