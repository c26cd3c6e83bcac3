/* SPDX-License-Identifier: ISC */
/*
 * answer.c: the rows of an answer.
 *
 * Owns their form.  Never knows what they say.
 */
#include "placer/answer.h"

#include <stdlib.h>

#include "common/jmake.h"
#include "common/utf8.h"
#include "common/xmem.h"

void
answer_begin(struct answer *a)
{
	*a = (struct answer){ NULL, NULL, 0, 0 };
	a->f = xmemstream(&a->rows, &a->len);
}

char *
answer_json(struct json_object **row)
{
	char *text = jmake_text(row);

	utf8_mend(text);
	return text;
}

void
answer_row(struct answer *a, struct json_object **row)
{
	char *text = answer_json(row);

	fprintf(a->f, "%s\n", text);
	free(text);
	a->n++;
}

char *
answer_end(struct answer *a)
{
	char *all;

	xmemstream_end(a->f, &a->rows);
	all = xasprintf("ok %zu\n%s", a->n, a->rows);
	free(a->rows);
	return all;
}

char *
answer_text(const char *word, const char *text)
{
	return xasprintf("%s %s\n", word, text);
}
