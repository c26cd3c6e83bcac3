/* SPDX-License-Identifier: ISC */
/*
 * scan_get.c: raw members and elements out of JSON that is all there.
 *
 * Owns the grammar but for strings (scan_text.c): what is walked over is
 * checked to the last byte, so that a value handed out begins and ends where
 * a parser would say so.  Never copies.
 */
#include "common/scan.h"

#include <stdarg.h>
#include <string.h>

#include "common/limits.h"
#include "common/scan_own.h"

static void
skip_blanks(struct at *a)
{
	while (a->p < a->end &&
	    (*a->p == ' ' || *a->p == '\n' || *a->p == '\r' || *a->p == '\t'))
		a->p++;
}

/* 1 and past c, when it is next after blanks. */
static int
take(struct at *a, char c)
{
	skip_blanks(a);
	if (a->p == a->end || *a->p != c)
		return 0;
	a->p++;
	return 1;
}

static int
skip_string(struct at *a)
{
	skip_blanks(a);
	return scan_skip_string(a);
}

static size_t
skip_digits(struct at *a)
{
	const char *from = a->p;

	while (a->p < a->end && *a->p >= '0' && *a->p <= '9')
		a->p++;
	return a->p - from;
}

static int
skip_number(struct at *a)
{
	size_t n;

	if (*a->p == '-')
		a->p++;
	if (a->p < a->end && *a->p == '0') {
		a->p++;
	} else if (skip_digits(a) == 0)
		return -1;
	if (a->p < a->end && *a->p == '.') {
		a->p++;
		if (skip_digits(a) == 0)
			return -1;
	}
	if (a->p < a->end && (*a->p == 'e' || *a->p == 'E')) {
		a->p++;
		if (a->p < a->end && (*a->p == '+' || *a->p == '-'))
			a->p++;
		n = skip_digits(a);
		return n > 0 ? 0 : -1;
	}
	return 0;
}

static int
skip_word(struct at *a, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(a->end - a->p) < len || memcmp(a->p, word, len) != 0)
		return -1;
	a->p += len;
	return 0;
}

static int skip_value(struct at *, int depth);

static int
skip_array(struct at *a, int depth)
{
	a->p++;
	if (take(a, ']'))
		return 0;
	do
		if (skip_value(a, depth) == -1)
			return -1;
	while (take(a, ','));
	return take(a, ']') ? 0 : -1;
}

static int
skip_object(struct at *a, int depth)
{
	a->p++;
	if (take(a, '}'))
		return 0;
	do
		if (skip_string(a) == -1 || !take(a, ':') ||
		    skip_value(a, depth) == -1)
			return -1;
	while (take(a, ','));
	return take(a, '}') ? 0 : -1;
}

/* Past one value, blanks before it included. */
static int
skip_value(struct at *a, int depth)
{
	skip_blanks(a);
	if (a->p == a->end || depth == MAX_JSON_DEPTH)
		return -1;
	switch (*a->p) {
	case '{':
		return skip_object(a, depth + 1);
	case '[':
		return skip_array(a, depth + 1);
	case '"':
		return skip_string(a);
	case 't':
		return skip_word(a, "true");
	case 'f':
		return skip_word(a, "false");
	case 'n':
		return skip_word(a, "null");
	default:
		return skip_number(a);
	}
}

/* As skip_value; the value itself is what is between. */
static int
take_value(struct at *a, struct span *value)
{
	skip_blanks(a);
	value->p = a->p;
	if (skip_value(a, 0) == -1)
		return -1;
	value->len = a->p - value->p;
	return 0;
}

static int
take_key(struct at *a, struct span *key)
{
	skip_blanks(a);
	key->p = a->p;
	if (skip_string(a) == -1)
		return -1;
	key->len = a->p - key->p;
	return take(a, ':') ? 0 : -1;
}

/*
 * The next element or member begins: past the opening bracket or the comma.
 * 1: there is one, 0: the closing bracket was the last byte, -1: malformed.
 */
static int
take_next(struct at *a, struct span whole, size_t at, const char *brackets)
{
	*a = (struct at){ whole.p + at, whole.p + whole.len };
	if (at == 0) {
		if (!take(a, brackets[0]))
			return -1;
		if (!take(a, brackets[1]))
			return 1;
	} else if (take(a, ',')) {
		return 1;
	} else if (!take(a, brackets[1]))
		return -1;
	skip_blanks(a);
	return a->p == a->end ? 0 : -1;
}

int
scan_next(struct span array, size_t *at, struct span *element)
{
	struct at a;
	int rc;

	if ((rc = take_next(&a, array, *at, "[]")) != 1)
		return rc;
	if (take_value(&a, element) == -1)
		return -1;
	*at = a.p - array.p;
	return 1;
}

int
scan_member(struct span object, size_t *at, struct span *key,
    struct span *value)
{
	struct at a;
	int rc;

	if ((rc = take_next(&a, object, *at, "{}")) != 1)
		return rc;
	if (take_key(&a, key) == -1 || take_value(&a, value) == -1)
		return -1;
	*at = a.p - object.p;
	return 1;
}

/* One step of a path; see scan_get. */
static int
get_one(struct span object, const char *name, struct span *found)
{
	struct span key, value;
	size_t at = 0;
	int rc, hits = 0;

	while ((rc = scan_member(object, &at, &key, &value)) == 1)
		if (scan_string_is(key, name)) {
			*found = value;
			hits++;
		}
	if (rc == -1 || hits > 1)
		return -1;
	return hits;
}

static int
get_path(struct span object, struct span *value, va_list ap)
{
	const char *name;
	int rc;

	*value = object;
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): by callers */
	while ((name = va_arg(ap, const char *)) != NULL)
		if ((rc = get_one(*value, name, value)) != 1)
			return rc;
	return 1;
}

int
scan_get(struct span object, struct span *value, ...)
{
	struct span found;
	va_list ap;
	int rc;

	va_start(ap, value);
	rc = get_path(object, &found, ap);
	va_end(ap);
	if (rc == 1)
		*value = found;
	return rc;
}

int
scan_get_string(struct span object, char *buf, size_t size, ...)
{
	struct span found;
	va_list ap;
	int rc;

	va_start(ap, size);
	rc = get_path(object, &found, ap);
	va_end(ap);
	if (rc != 1)
		return rc;
	return scan_unescape(found, buf, size) == -1 ? -1 : 1;
}

/* The first member of that name in what may end anywhere: past its colon. */
static int
head_find(struct at *a, const char *name)
{
	struct span key;

	if (!take(a, '{'))
		return -1;
	do {
		if (take_key(a, &key) == -1)
			return take(a, '}') ? 0 : -1;
		if (scan_string_is(key, name))
			return 1;
		if (skip_value(a, 0) == -1)
			return -1;
	} while (take(a, ','));
	return take(a, '}') ? 0 : -1;
}

int
scan_head_string(struct span head, char *buf, size_t size, ...)
{
	struct at a = { head.p, head.p + head.len };
	struct span value;
	const char *name;
	va_list ap;
	int rc = 1;

	va_start(ap, size);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is */
	while (rc == 1 && (name = va_arg(ap, const char *)) != NULL)
		rc = head_find(&a, name);
	va_end(ap);
	if (rc != 1)
		return rc;
	if (take_value(&a, &value) == -1)
		return -1;
	return scan_unescape(value, buf, size) == -1 ? -1 : 1;
}

int
scan_is_valid(struct span text)
{
	struct at a = { text.p, text.p + text.len };

	if (skip_value(&a, 0) == -1)
		return 0;
	skip_blanks(&a);
	return a.p == a.end;
}
