/* SPDX-License-Identifier: ISC */
/* What the quickstart's test takes for what its page says, and what not. */
#include "t/it/page.h"

#include <criterion/criterion.h>

#include "t/unit/leaks.h"

Test(page, steps_are_what_is_typed_in_displays)
{
	static const char mdoc[] = ".Sh A\n$ not this\n"
				   ".Bd -literal -offset indent\n"
				   "$ printf '%s\\en' a \\e\n"
				   ">     b | cat\n"
				   "a\n"
				   "\\&...\n"
				   "$ next\n"
				   ".Ed\n"
				   "text\n";
	struct page_step *s;
	size_t n = page_steps(mdoc, &s);

	cr_assert_eq(n, 2);
	cr_expect_str_eq(s[0].title, "printf '%s\\n' a \\");
	cr_expect_str_eq(s[0].command, "printf '%s\\n' a \\\n    b | cat");
	cr_expect_str_eq(s[0].output, "a\n...\n");
	cr_expect_str_eq(s[1].command, "next");
	cr_expect_str_eq(s[1].output, "");
	page_free(s, n);
	NO_LEAKS();
}

Test(page, what_agrees_and_what_does_not)
{
	static const struct {
		const char *says, *seen;
		int agrees;
	} cases[] = {
		{ "", "", 1 },
		{ "", "\n", 1 },
		{ "", "error\n", 0 },
		{ "a b\n", "a \t  b \n", 1 },
		{ "a b\n", "a b\nc\n", 0 },
		{ "a b\n", "", 0 },
		{ "pod ...\n", "pod is there\n", 1 },
		{ "pod ...\n", "pods are there\n", 0 },
		{ "a ... z\n", "a b z\n", 1 },
		{ "a ... z\n", "a b z c\n", 0 },
		{ "...\n", "", 1 },
		{ "...\nend\n", "1\n2\nend\n", 1 },
		{ "...\nend\n", "1\nend\n2\n", 0 },
		{ "a\n...\nb\n...\n", "a\nx\nb\n", 1 },
		{ "a\n...\nb\n...\n", "a\nx\ny\n", 0 },
		{ "web-... runs\n", "web-1 runs\n", 1 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(page_agrees(cases[i].says, cases[i].seen),
		    cases[i].agrees, "%zu: %s", i, cases[i].says);
	NO_LEAKS();
}
