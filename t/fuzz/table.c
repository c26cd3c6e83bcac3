/* SPDX-License-Identifier: ISC */
/*
 * Rows of an answer as vkfctl prints them, of which the first byte says how
 * wide the screen is: nothing steers the terminal.
 */
#include "vkfctl/table.h"

#include <stdint.h>

#include "common/auto.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"

static void
fuzz_table(struct span input)
{
	AUTO_FREE char *rows = NULL, *shown = NULL;
	const unsigned char *s;
	struct why why = { 0 };
	struct table *t;
	size_t len;
	char *at;
	FILE *f;

	if (input.len == 0)
		return;
	rows = xstrndup(input.p + 1, input.len - 1);
	/* As vkfctl/main.c: whole lines. */
	if ((at = strrchr(rows, '\n')) == NULL)
		return;
	at[1] = '\0';
	must((f = open_memstream(&shown, &len)) != NULL);
	t = table_new(f, (struct table_style){ .width = (uint8_t)input.p[0] });
	if (table_print(t, rows, &why) == -1)
		must(why.text[0] != '\0');
	table_free(t);
	must(fclose(f) == 0);
	for (s = (const unsigned char *)shown; *s != '\0'; s++)
		must(*s == '\n' || !utf8_is_control(s));
}

TARGET(table, fuzz_table);
