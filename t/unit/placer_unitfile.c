/* SPDX-License-Identifier: ISC */
/*
 * What the device's parsers read back is what was put in.  The reader here is
 * written from systemd.syntax(7), systemd.service(5) and the behaviour of
 * podman's generator: lines joined at a last backslash with nothing between
 * and blanks at either end dropped, words split at blanks outside quotes, C
 * escapes, then %% and $$.
 */
#include "placer/unitfile.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

enum {
	ROUNDS = 3000,
	WORDS = 6,
	LONGEST = 6000,
};

/* One logical line of text, joined; checks every physical one. */
static char *
join(const char *text)
{
	char *out = xcalloc(1, strlen(text) + 1);
	size_t n = 0, len;

	for (; *text != '\0'; text += len + 1) {
		len = strcspn(text, "\n");
		cr_assert_leq(len, 2047, "a line of %zu bytes", len);
		cr_assert(n == 0 || strchr(" \t#;[", *text) == NULL,
		    "a line goes on with \"%.1s\"", text);
		for (size_t i = 0; i < len; i++)
			cr_assert(
			    (unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
		memcpy(out + n, text, len);
		n += len;
		if (len == 0 || text[len - 1] != '\\')
			break;
		n--;
	}
	out[n] = '\0';
	return out;
}

static char
escape(const char **s)
{
	char hex[3] = { 0 };

	switch (*++*s) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'x':
		memcpy(hex, *s + 1, 2);
		*s += 2;
		cr_assert(isxdigit((unsigned char)hex[0]) &&
		    isxdigit((unsigned char)hex[1]));
		return (char)strtol(hex, NULL, 16);
	case '\\':
	case '"':
		return **s;
	}
	cr_assert_fail("unknown escape \\%c", **s);
	return 0;
}

/* The next word, NULL at the end. */
static char *
next_word(const char **s)
{
	char *word = xcalloc(1, strlen(*s) + 1);
	size_t n = 0;
	int quoted = 0;

	while (**s == ' ')
		(*s)++;
	if (**s == '\0') {
		free(word);
		return NULL;
	}
	for (; **s != '\0' && (quoted || **s != ' '); (*s)++) {
		if (**s == '"') {
			quoted = !quoted;
			continue;
		}
		cr_assert(quoted || **s != '\'', "a bare apostrophe");
		word[n++] = **s == '\\' ? escape(s) : **s;
	}
	cr_assert_not(quoted, "an open quote");
	return word;
}

/* Specifiers and variables, as systemd resolves them. */
static void
resolve(char *word)
{
	char *to = word;

	for (; *word != '\0'; word++) {
		if (*word == '%' || *word == '$') {
			cr_assert_eq(word[0], word[1], "a lone %c", *word);
			word++;
		}
		*to++ = *word;
	}
	*to = '\0';
}

static void
same_words(const char *text, const char *const *words, size_t n)
{
	AUTO_FREE char *line = join(text);
	const char *p = strchr(line, '=') + 1;
	char *word;
	size_t i;

	for (i = 0; i < n; i++) {
		word = next_word(&p);
		cr_assert_not_null(word, "word %zu is lost", i);
		resolve(word);
		cr_assert_str_eq(word, words[i]);
		free(word);
	}
	cr_assert_null(next_word(&p), "a word too many");
}

/* A generator of its own: the same texts in each run. */
static uint32_t
dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

static char *
random_word(uint32_t *seed)
{
	static const char *const pieces[] = { "a", "Z", "0", " ", "  ", "\n",
		"\t", "\"", "'", "\\", "%", "$", "${X}", "$(", "#", ";", "[",
		"]", "=", "\x01", "\x7f", "ü", "\xc2\xa0", "\xe2\x80\xa8",
		"日本", "/", "-", "{", "\\\n", "`" };
	size_t n = dice(seed, 8) == 0 ? dice(seed, LONGEST) : dice(seed, 40);
	char *word = xcalloc(1, n * 6 + 2);
	size_t i, len = 0;
	const char *p;

	for (i = 0; i < n; i++) {
		p = pieces[dice(seed, sizeof(pieces) / sizeof(pieces[0]))];
		memcpy(word + len, p, strlen(p));
		len += strlen(p);
	}
	if (len == 0 || strcmp(word, ";") == 0)
		word[0] = 'x';
	return word;
}

Test(unitfile, words_come_back_whatever_is_in_them)
{
	struct unitfile f = { 0 };
	char *words[WORDS];
	struct why why;
	uint32_t seed = 1;
	size_t i, n, round;

	for (round = 0; round < ROUNDS; round++) {
		n = 1 + dice(&seed, WORDS);
		for (i = 0; i < n; i++)
			words[i] = random_word(&seed);
		cr_assert_eq(unitfile_words(&f, "Exec",
				 (const char *const *)words, n, &why),
		    0, "%s", why.text);
		same_words(f.text, (const char *const *)words, n);
		unitfile_clear(&f);
		for (i = 0; i < n; i++)
			free(words[i]);
	}
}

Test(unitfile, many_short_words_are_broken_between_words)
{
	const char *words[2000];
	struct unitfile f = { 0 };
	size_t i;

	for (i = 0; i < 2000; i++)
		words[i] = i % 2 ? "--flag=value" : "a b";
	cr_assert_eq(unitfile_words(&f, "Exec", words, 2000, NULL), 0);
	same_words(f.text, words, 2000);
	unitfile_clear(&f);
}

Test(unitfile, words_of_every_length_around_the_limit)
{
	AUTO_FREE char *word = xcalloc(1, 4200);
	const char *words[2] = { word, "b" };
	struct unitfile f = { 0 };
	size_t n;

	for (n = 1; n < 4100; n++) {
		memset(word, n % 2 ? 'a' : ' ', n);
		cr_assert_eq(unitfile_words(&f, "Exec", words, 2, NULL), 0);
		same_words(f.text, words, 2);
		unitfile_clear(&f);
	}
}

Test(unitfile, what_the_generator_loses_is_refused)
{
	static const char *const lost[] = { "", ";" };
	struct unitfile f = { 0 };
	struct why why;
	size_t i;

	for (i = 0; i < 2; i++) {
		cr_assert_eq(unitfile_words(&f, "Exec", &lost[i], 1, &why), -1);
		cr_assert_eq(why.kind, ERR_DENIED);
		unitfile_clear(&f);
	}
}

Test(unitfile, a_text_without_a_place_to_break_is_refused)
{
	AUTO_FREE char *word = xcalloc(1, 3001);
	const char *words[1] = { word };
	struct unitfile f = { 0 };
	struct why why;
	size_t i;

	for (i = 0; i < 1000; i++)
		memcpy(word + 3 * i, "\xe3\x80\x80", 3);
	cr_assert_eq(unitfile_words(&f, "Exec", words, 1, &why), -1);
	cr_assert_eq(why.kind, ERR_LIMIT);
	cr_assert_str_eq(why.text,
	    "over 2047 bytes without a place to break a line");
	unitfile_clear(&f);
}

static int
put_value(struct unitfile *f, const char *text, struct why *why)
{
	return unitfile_value(f, "K", text, why);
}

static int
put_command(struct unitfile *f, const char *text, struct why *why)
{
	return unitfile_command(f, "", text, NULL, 0, why);
}

static int
put_json(struct unitfile *f, const char *text, struct why *why)
{
	return unitfile_json(f, "K", text, why);
}

/* What nothing breaks is as long as Flightctl's lines may be, and no longer. */
Test(unitfile, a_line_has_an_end)
{
	static const struct {
		int (*put)(struct unitfile *, const char *, struct why *);
		size_t longest;
	} cases[] = {
		{ put_value, 2047 - 2 }, /* "K=" */
		{ put_command, 2047 - 1 },
		{ put_json, 2047 - 2 },
	};
	struct unitfile f = { 0 };
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *text = xcalloc(1, cases[i].longest + 2);

		memset(text, 'x', cases[i].longest);
		cr_expect_eq(cases[i].put(&f, text, &why), 0, "%zu", i);
		unitfile_clear(&f);
		text[cases[i].longest] = 'x';
		cr_expect_eq(cases[i].put(&f, text, &why), -1, "%zu", i);
		cr_expect_eq(why.kind, ERR_LIMIT);
		cr_expect_str_eq(why.text, "over 2047 bytes");
		unitfile_clear(&f);
	}
	cr_expect_eq(put_json(&f, "[\"\x7f\"]", &why), -1);
	cr_expect_eq(why.kind, ERR_DENIED);
	cr_expect_str_eq(why.text, "a control byte");
	unitfile_clear(&f);
}

Test(unitfile, plain_values)
{
	static const struct {
		const char *value, *line; /* NULL: refused */
	} cases[] = {
		{ "/a b", "K=/a b\n" },
		{ "/a%b$c", "K=/a%%b$$c\n" },
		{ "/ü", "K=/ü\n" },
		{ "", NULL },
		{ " a", NULL },
		{ "a ", NULL },
		{ "a\"b", NULL },
		{ "a'b", NULL },
		{ "a\\", NULL },
		{ "a\nb", NULL },
	};
	struct unitfile f = { 0 };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].line == NULL) {
			cr_expect_eq(unitfile_value(&f, "K", cases[i].value,
					 NULL),
			    -1, "%s", cases[i].value);
		} else {
			cr_expect_eq(unitfile_value(&f, "K", cases[i].value,
					 NULL),
			    0);
			cr_expect_str_eq(f.text, cases[i].line);
		}
		unitfile_clear(&f);
	}
}
