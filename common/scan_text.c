/* SPDX-License-Identifier: ISC */
/*
 * scan_text.c: the strings of JSON.
 *
 * Owns their form and what their escapes mean.  They may hold any bytes from
 * 0x20 on: UTF-8 is for whoever reads them as text.
 */
#include "common/scan.h"

#include <string.h>

#include "common/scan_own.h"

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

/* An escape is well-formed: past it, less one; NULL: it is not. */
static const char *
skip_escape(const char *p, const char *end)
{
	if (++p == end)
		return NULL;
	if (*p == 'u')
		return hex4(p + 1, end) == -1 ? NULL : p + 4;
	return *p != '\0' && strchr("\"\\/bfnrt", *p) != NULL ? p : NULL;
}

int
scan_skip_string(struct at *a)
{
	const char *p, *end = a->end;

	if (a->p == end || *a->p++ != '"')
		return -1;
	for (p = scan_plain(a->p, end); p < end; p++) {
		if (*p == '"') {
			a->p = p + 1;
			return 0;
		}
		if ((unsigned char)*p < 0x20)
			return -1;
		if (*p != '\\')
			continue;
		if ((p = skip_escape(p, end)) == NULL)
			return -1;
		p = scan_plain(p + 1, end) - 1;
	}
	return -1;
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

	if (scan_skip_string(&a) == -1 || a.p != a.end)
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
