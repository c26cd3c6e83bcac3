/* SPDX-License-Identifier: ISC */
/*
 * SECURITY of vk-flightctl-provider(8) has the rows of t/it/captured.def, in
 * their order, and no others: what it says of a captured worker is asserted.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define PAGE "man/vk-flightctl-provider.8"
#define HEAD ".Bl -column \"flightside\" \"cannot\""
#define CAN "can"
#define CANNOT "cannot"

static const char *const rows[] = {
#define ROW(who, verdict, where, request, what) \
	".It " #who " Ta " verdict " Ta " what "\n",
#include "t/it/captured.def"
#undef ROW
};

Test(captured_page, has_each_row_and_no_other)
{
	FILE *f = fopen(PAGE, "r");
	char line[512];
	size_t i = 0;

	cr_assert_not_null(f, "%s", PAGE);
	do
		cr_assert_not_null(fgets(line, sizeof(line), f),
		    PAGE ": no table " HEAD);
	while (strncmp(line, HEAD, strlen(HEAD)) != 0);
	for (; fgets(line, sizeof(line), f) != NULL && *line == '.' &&
	     strncmp(line, ".El", 3) != 0;
	     i++) {
		cr_assert_lt(i, sizeof(rows) / sizeof(rows[0]),
		    PAGE ": nothing asserts: %s", line);
		cr_assert_str_eq(line, rows[i]);
	}
	fclose(f);
	cr_assert_eq(i, sizeof(rows) / sizeof(rows[0]), PAGE ": no %s",
	    rows[i]);
}
