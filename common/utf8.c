/* SPDX-License-Identifier: ISC */
/*
 * utf8.c: what a character is.
 */
#include "common/utf8.h"

#include <string.h>

#include "common/xmem.h"

size_t
utf8_len(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || (s[1] & 0xc0) != 0x80)
		return 0;
	if (s[0] < 0xe0)
		return 2;
	if ((s[2] & 0xc0) != 0x80 || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f))
		return 0;
	if (s[0] < 0xf0)
		return 3;
	if ((s[3] & 0xc0) != 0x80 || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return 4;
}

int
utf8_is_control(const unsigned char *s)
{
	return s[0] < ' ' || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

char *
utf8_shown(const char *words)
{
	const unsigned char *s = (const unsigned char *)words;
	char *shown = xmalloc(strlen(words) + 1), *to = shown;
	size_t n;

	for (; *s != '\0'; s += n == 0 ? 1 : n) {
		if ((n = utf8_len(s)) == 0 || utf8_is_control(s)) {
			*to++ = '?';
			continue;
		}
		memcpy(to, s, n);
		to += n;
	}
	*to = '\0';
	return shown;
}

/* The character at s as it is written, n bytes of the original. */
static const char *
written(const char *s, size_t *n)
{
	if ((*n = utf8_len((const unsigned char *)s)) == 0) {
		*n = 1;
		return "?";
	}
	return utf8_is_control((const unsigned char *)s) ? "  " : s;
}

char *
utf8_message(const char *words, size_t max)
{
	static const char more[] = "...";
	char *message = xmalloc(max + 1);
	size_t len = 0, whole = 0, n;
	const char *w;

	for (; *words != '\0'; words += n, len += n) {
		w = written(words, &n);
		if (len + n > max) {
			memcpy(message + whole, more, sizeof(more));
			return message;
		}
		memcpy(message + len, w, n);
		if (len + n + sizeof(more) - 1 <= max)
			whole = len + n;
	}
	message[len] = '\0';
	return message;
}

void
utf8_end(char *text, size_t size)
{
	size_t at = size - sizeof("..."), least = at - 3;

	while (at > least && (text[at] & 0xc0) == 0x80)
		at--;
	memcpy(text + at, "...", sizeof("..."));
}

/* A "?" for each byte of what is no character, and of controls if asked. */
static void
replace(char *text, int controls)
{
	unsigned char *s = (unsigned char *)text;
	size_t n;

	for (; *s != '\0'; s += n) {
		if ((n = utf8_len(s)) == 0) {
			*s = '?'; /* alone it may be a C1, too */
			n = 1;
		} else if (controls && utf8_is_control(s)) {
			memset(s, '?', n);
		}
	}
}

void
utf8_plain(char *text)
{
	replace(text, 1);
}

void
utf8_mend(char *text)
{
	replace(text, 0);
}
