/* SPDX-License-Identifier: ISC */
/*
 * Other people's words as our message: whole characters, never longer than it
 * may be, and said when it is cut.
 */
#include "common/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

Test(utf8, what_fits_stays_as_it_is)
{
	static const struct {
		const char *words, *message;
	} cases[] = {
		{ "", "" },
		{ "exactly10!", "exactly10!" },
		{ "1234567890a", "1234567..." },
		{ "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
		    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc" },
		{ "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc!",
		    "\xc3\xbc\xc3\xbc\xc3\xbc..." },
		{ "a\xf0\x9f\x98\x80"
		  "bcd\xf0\x9f\x98\x80",
		    "a\xf0\x9f\x98\x80"
		    "bc..." },
		{ "one\ntwo\x7f", "one two " },
		{ "\xff!\xc3", "?!?" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *is = utf8_message(cases[i].words, 10);

		cr_expect_str_eq(is, cases[i].message, "%zu", i);
	}
}

/* C1 too: some terminals take U+009B for ESC [. */
Test(utf8, what_is_shown_cannot_steer_a_terminal)
{
	static const struct {
		const char *words, *shown;
	} cases[] = {
		{ "", "" },
		{ "a\x1b[2J\n\x7f", "a?[2J??" },
		{ "\xc2\x80\xc2\x9b"
		  "2J\xc2\x9f\xc2\xa0\xc3\xbc",
		    "??2J?\xc2\xa0\xc3\xbc" },
		{ "\x9b"
		  "2J\xc2",
		    "?2J?" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80",
		    "\xe2\x82\xac\xf0\x9f\x98\x80" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *is = utf8_shown(cases[i].words);

		cr_expect_str_eq(is, cases[i].shown, "%zu", i);
	}
}

Test(utf8, a_cut_text_ends_after_a_whole_character)
{
	static const struct {
		const char *words, *ends;
	} cases[] = {
		{ "123456789", "123456..." },
		{ "12345\xc3\xbc"
		  "89",
		    "12345..." },
		{ "123456\xc3\xbc"
		  "9",
		    "123456..." },
		{ "123\xf0\x9f\x98\x80"
		  "89",
		    "123..." },
		{ "12345678\xc3", "123456..." },
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\x80\x80\x80..." },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[10];

		memcpy(text, cases[i].words, sizeof(text));
		utf8_end(text, sizeof(text));
		cr_expect_str_eq(text, cases[i].ends, "%zu", i);
	}
}

/* 9b and 9d begin what a terminal obeys, with a c2 before them or without. */
Test(utf8, nothing_steers_a_terminal)
{
	char text[] = "\x1b[m\n\x7f \xc2\x9b"
		      "31m\xc2\xa0\x9d\xc3\xbc";
	AUTO_FREE char *message = utf8_message("a\xc2\x9b"
					       "31m\xc2\x80",
	    20);

	utf8_plain(text);
	cr_expect_str_eq(text, "?[m?? ??31m\xc2\xa0?\xc3\xbc");
	cr_expect_str_eq(message, "a  31m  ");
}

Test(utf8, what_is_no_character_is_mended)
{
	char text[] = "\xc3\xbc\xc3\xff\"\xe6\x97";

	utf8_mend(text);
	cr_expect_str_eq(text, "\xc3\xbc??\"??");
}

/* Whatever the words and the bound: within it, and only characters. */
Test(utf8, a_message_is_whole_characters_within_its_bound)
{
	static const unsigned char some[] = "a\n\xc3\xbc\xff\xe6\x97\xa5"
					    "\xed\xa0\x80\xf0\x9f\x98\x80\x80";
	char words[64];
	unsigned int x = 1;
	size_t i, n, max;
	const char *at;

	for (i = 0; i < 100000; i++) {
		for (n = 0; n < i % sizeof(words); n++) {
			x = x * 1103515245 + 12345;
			words[n] = (char)some[(x >> 16) % (sizeof(some) - 1)];
		}
		words[n] = '\0';
		max = 3 + i % 40;
		AUTO_FREE char *is = utf8_message(words, max);
		cr_assert_leq(strlen(is), max);
		cr_assert(strlen(is) >= n || max < n);
		for (at = is; *at != '\0'; at += n) {
			n = utf8_len((const unsigned char *)at);
			cr_assert_neq(n, 0, "%zu", i);
			cr_assert_geq((unsigned char)*at, ' ');
		}
	}
}
