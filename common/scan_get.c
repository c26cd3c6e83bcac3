/* SPDX-License-Identifier: ISC */
/*
 * scan_get.c: raw members and elements out of JSON that is all there.
 *
 * Owns the grammar: what is walked over is checked to the last byte, so that
 * a value handed out begins and ends where a parser would say so.  Never
 * copies but into a caller's buffer; strings may hold any bytes from 0x20 on
 * (UTF-8 is for whoever reads them as text).
 */
#include "common/scan.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "common/limits.h"

/* One reading place; p is NULL once something was not JSON. */
struct at {
	const char *p;
	const char *end;
};

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
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hex digits, or -1. */
static int32_t
hex4(const char *p, const char *end)
{
	int32_t n = 0;
	int i, d;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if ((d = hex_digit(p[i])) == -1)
			return -1;
		n = n * 16 + d;
	}
	return n;
}

static int
skip_string(struct at *a)
{
	const char *p, *end = a->end;

	if (!take(a, '"'))
		return -1;
	for (p = a->p; p < end; p++) {
		if (*p == '"') {
			a->p = p + 1;
			return 0;
		}
		if ((unsigned char)*p < 0x20)
			return -1;
		if (*p != '\\')
			continue;
		if (++p == end)
			return -1;
		if (*p == 'u') {
			if (hex4(p + 1, end) == -1)
				return -1;
			p += 4;
		} else if (strchr("\"\\/bfnrt", *p) == NULL || *p == '\0')
			return -1;
	}
	return -1;
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

/* UTF-8 of a code point: its length. */
static size_t
utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The code point after "\u", the second half of a pair included; -1. */
static int64_t
unescape_unicode(struct at *a)
{
	int32_t high, low;

	high = hex4(a->p, a->end);
	a->p += 4;
	if (high == 0 || (high >= 0xdc00 && high < 0xe000))
		return -1;
	if (high < 0xd800 || high >= 0xe000)
		return high;
	if (a->end - a->p < 6 || a->p[0] != '\\' || a->p[1] != 'u')
		return -1;
	low = hex4(a->p + 2, a->end);
	a->p += 6;
	if (low < 0xdc00 || low >= 0xe000)
		return -1;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* One character of a string that skip_string() has passed: its length, -1. */
static int
unescape_one(struct at *a, char out[4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *which;
	int64_t code;

	out[0] = *a->p++;
	if (out[0] != '\\')
		return out[0] == '\0' ? -1 : 1;
	out[0] = *a->p++;
	if (out[0] == 'u') {
		if ((code = unescape_unicode(a)) == -1)
			return -1;
		return (int)utf8((uint32_t)code, out);
	}
	if ((which = strchr(from, out[0])) != NULL)
		out[0] = to[which - from];
	return 1;
}

ssize_t
scan_unescape(struct span string, char *buf, size_t size)
{
	struct at a = { string.p, string.p + string.len };
	char one[4];
	size_t len = 0;
	int n;

	if (skip_string(&a) == -1 || a.p != a.end)
		return -1;
	a = (struct at){ string.p + 1, a.end - 1 };
	while (a.p < a.end) {
		if ((n = unescape_one(&a, one)) == -1 ||
		    len + (size_t)n >= size)
			return -1;
		memcpy(buf + len, one, (size_t)n);
		len += (size_t)n;
	}
	if (size == 0)
		return -1;
	buf[len] = '\0';
	return (ssize_t)len;
}

int
scan_string_is(struct span string, const char *word)
{
	size_t len = strlen(word), at = 0;
	struct at a = { string.p + 1, string.p + string.len - 1 };
	char one[4];
	int n;

	if (string.len == len + 2 && memcmp(string.p + 1, word, len) == 0)
		return memchr(word, '\\', len) == NULL;
	if (string.len < 2 || memchr(string.p, '\\', string.len) == NULL)
		return 0;
	while (a.p < a.end) {
		if ((n = unescape_one(&a, one)) == -1 || len - at < (size_t)n ||
		    memcmp(word + at, one, (size_t)n) != 0)
			return 0;
		at += (size_t)n;
	}
	return at == len;
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
