/* SPDX-License-Identifier: ISC */
/*
 * base64 against its definition: what is encoded comes back, what is no base64
 * is refused; and which bytes are text.
 */
#include "common/base64.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/auto.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789+/";

static void
encode(const unsigned char *in, size_t n, char *out)
{
	size_t i;
	unsigned int g;

	for (i = 0; i < n; i += 3) {
		g = (unsigned int)in[i] << 16 |
		    (unsigned int)(i + 1 < n ? in[i + 1] : 0) << 8 |
		    (i + 2 < n ? in[i + 2] : 0);
		*out++ = letters[g >> 18];
		*out++ = letters[g >> 12 & 63];
		*out++ = i + 1 < n ? letters[g >> 6 & 63] : '=';
		*out++ = i + 2 < n ? letters[g & 63] : '=';
	}
	*out = '\0';
}

Test(base64, what_is_encoded_comes_back)
{
	unsigned char bytes[200];
	char text[300];
	size_t n, i, len;
	unsigned int x = 1;

	for (n = 0; n < sizeof(bytes); n++) {
		AUTO_FREE char *back = NULL;

		for (i = 0; i < n; i++) {
			x = x * 1103515245 + 12345;
			bytes[i] = (unsigned char)(x >> 16);
		}
		encode(bytes, n, text);
		back = base64_decode(text, &len);
		cr_assert_not_null(back, "%s", text);
		cr_assert_eq(len, n);
		cr_assert_arr_eq(back, bytes, n);
		cr_assert_eq(back[len], '\0');
	}
}

Test(base64, what_is_none_is_refused)
{
	static const char *const bad[] = { "A", "AA", "AAA", "AAAAA", "AA-_",
		"A A=", "=AAA", "A=AA", "====", "AA=A", "AAA=AAAA", "AAA\n" };
	size_t i, len;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_null(base64_decode(bad[i], &len), "%s", bad[i]);
}

Test(base64, text_is_utf8_without_a_nul)
{
	static const struct {
		const char *bytes;
		size_t len;
		int is;
	} cases[] = {
		{ "", 0, 1 },
		{ "plain\n", 6, 1 },
		{ "\xc3\xbc\xe6\x97\xa5\xf0\x9f\x98\x80", 9, 1 },
		{ "a\0b", 3, 0 },
		{ "\xff", 1, 0 },
		{ "\xc3", 1, 0 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xc0\x80", 2, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(base64_is_text(cases[i].bytes, cases[i].len),
		    cases[i].is, "%zu", i);
}
