/* SPDX-License-Identifier: ISC */
/*
 * unitfile.c: writes Quadlet files.
 *
 * Owns quoting, escaping and line lengths.  Flightctl refuses lines of 2048
 * bytes, so long values go on after a backslash at a line's end; the generator
 * joins such lines with nothing between, drops blanks and comment signs at
 * their start, and so no line starts with those.  Never knows what it writes.
 */
#include "placer/unitfile.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

enum {
	LINE_MAX_BYTES = 2047,
	LINE_GOAL = 1800, /* from here on a place to break is looked for */
};

static void
append(struct unitfile *f, const char *s, size_t len)
{
	if (f->size - f->len <= len) {
		f->size = (f->size + len + 1) * 2;
		f->text = xreallocarray(f->text, f->size, 1);
	}
	memcpy(f->text + f->len, s, len);
	f->len += len;
	f->text[f->len] = '\0';
}

static void
put(struct unitfile *f, const char *s)
{
	append(f, s, strlen(s));
}

/* Bytes of the line under construction. */
static size_t
column(const struct unitfile *f)
{
	size_t n = 0;

	while (n < f->len && f->text[f->len - n - 1] != '\n')
		n++;
	return n;
}

void
unitfile_section(struct unitfile *f, const char *name)
{
	put(f, f->len > 0 ? "\n[" : "[");
	put(f, name);
	put(f, "]\n");
}

void
unitfile_line(struct unitfile *f, const char *key, const char *fmt, ...)
{
	va_list ap;
	char *value;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	put(f, key);
	put(f, "=");
	put(f, value);
	put(f, "\n");
	free(value);
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Twice where the generator or systemd would read it as its own. */
static void
put_byte(struct unitfile *f, char c)
{
	append(f, &c, 1);
	if (c == '%' || c == '$')
		append(f, &c, 1);
}

static int
end_line(struct unitfile *f, struct why *why)
{
	if (column(f) > LINE_MAX_BYTES)
		return fail(why, ERR_LIMIT, "over %d bytes", LINE_MAX_BYTES);
	put(f, "\n");
	return 0;
}

int
unitfile_value(struct unitfile *f, const char *key, const char *value,
    struct why *why)
{
	size_t i, len = strlen(value);

	if (len == 0 || value[0] == ' ' || value[len - 1] == ' ')
		return fail(why, ERR_DENIED, "a blank at an end");
	put(f, key);
	put(f, "=");
	for (i = 0; i < len; i++) {
		if (is_control(value[i]) || strchr("\"'\\", value[i]) != NULL)
			return fail(why, ERR_DENIED,
			    "a quote, a backslash or a control byte");
		put_byte(f, value[i]);
	}
	return end_line(f, why);
}

static bool
is_plain(const char *word)
{
	return word[strspn(word,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "abcdefghijklmnopqrstuvwxyz0123456789_./:=@,+-")] == '\0';
}

/* One byte (or UTF-8 sequence) as it stands between double quotes. */
static size_t
unit_of(const char *s, char unit[8])
{
	size_t n = 1;

	switch (*s) {
	case '\n':
		memcpy(unit, "\\n", 3);
		return 1;
	case '\t':
		memcpy(unit, "\\t", 3);
		return 1;
	case '"':
	case '\\':
		(void)snprintf(unit, 8, "\\%c", *s);
		return 1;
	case '%':
	case '$':
		(void)snprintf(unit, 8, "%c%c", *s, *s);
		return 1;
	}
	if (is_control(*s)) {
		(void)snprintf(unit, 8, "\\x%02x", (unsigned char)*s);
		return 1;
	}
	if ((unsigned char)*s >= 0xc0)
		while (n < 4 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n++;
	memcpy(unit, s, n);
	unit[n] = '\0';
	return n;
}

/*
 * Whether a line may start with this unit; those that may not but are ASCII
 * are rewritten.  The generator trims Unicode blanks too: they begin with
 * these four bytes.
 */
static bool
may_start(char unit[8])
{
	if (strchr(" #;[", *unit) != NULL)
		(void)snprintf(unit, 8, "\\x%02x", (unsigned char)*unit);
	return strchr("\xc2\xe1\xe2\xe3", *unit) == NULL;
}

static int
quoted(struct unitfile *f, const char *word, struct why *why)
{
	size_t col;
	char unit[8];

	put(f, "\"");
	for (col = column(f); *word != '\0'; col += strlen(unit)) {
		word += unit_of(word, unit);
		if (col >= LINE_GOAL && may_start(unit)) {
			put(f, "\\\n");
			col = 0;
		}
		/* a quote, a blank and a backslash may follow */
		if (col + strlen(unit) + 3 > LINE_MAX_BYTES)
			return fail(why, ERR_LIMIT,
			    "over %d bytes without a place to break a line",
			    LINE_MAX_BYTES);
		put(f, unit);
	}
	put(f, "\"");
	return 0;
}

int
unitfile_words(struct unitfile *f, const char *key, const char *const *words,
    size_t n, struct why *why)
{
	size_t i;

	put(f, key);
	put(f, "=");
	for (i = 0; i < n; i++) {
		if (*words[i] == '\0')
			return fail(why, ERR_DENIED,
			    "an empty argument does "
			    "not survive the device's unit generator");
		if (strcmp(words[i], ";") == 0)
			return fail(why, ERR_DENIED,
			    "a lone \";\" does not "
			    "survive the device's unit generator");
		if (i > 0)
			put(f,
			    column(f) >= LINE_GOAL ||
				    column(f) + strlen(words[i]) >
					LINE_MAX_BYTES - 8 ?
				" \\\n" :
				" ");
		if (is_plain(words[i]) && strlen(words[i]) <= LINE_GOAL)
			put(f, words[i]);
		else if (quoted(f, words[i], why) == -1)
			return -1;
	}
	put(f, "\n");
	return 0;
}

int
unitfile_command(struct unitfile *f, const char *key, const char *before,
    const char *const *words, size_t n, struct why *why)
{
	char unit[8];
	const char *word;
	size_t i;

	put(f, key);
	put(f, "=");
	put(f, before);
	for (i = 0; i < n; i++) {
		put(f, " ");
		if (*words[i] != '\0' && is_plain(words[i])) {
			put(f, words[i]);
			continue;
		}
		put(f, "\"");
		for (word = words[i]; *word != '\0'; put(f, unit))
			word += unit_of(word, unit);
		put(f, "\"");
	}
	return end_line(f, why);
}

int
unitfile_json(struct unitfile *f, const char *key, const char *json,
    struct why *why)
{
	put(f, key);
	put(f, "=");
	for (; *json != '\0'; json++) {
		if (is_control(*json))
			return fail(why, ERR_DENIED, "a control byte");
		put_byte(f, *json);
	}
	return end_line(f, why);
}

char *
unitfile_take(struct unitfile *f)
{
	char *text = f->text == NULL ? xstrdup("") : f->text;

	*f = (struct unitfile){ 0 };
	return text;
}

void
unitfile_clear(struct unitfile *f)
{
	free(f->text);
	*f = (struct unitfile){ 0 };
}
