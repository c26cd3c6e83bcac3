/* SPDX-License-Identifier: ISC */
#ifndef PLACER_ANSWER_H
#define PLACER_ANSWER_H

/*
 * The answer to one request (command.h), row by row.  Pure.
 */

#include <stddef.h>
#include <stdio.h>

struct json_object;

struct answer {
	FILE *f; /* in memory */
	char *rows;
	size_t len, n;
};

/*
 * A row's text, which is JSON whatever others said: somebody's cut words may
 * end within a character.  The row is taken and nulled; caller frees.
 */
char *answer_json(struct json_object **row);

void answer_begin(struct answer *);
/* The row is taken and nulled; all of one answer have the same members. */
void answer_row(struct answer *, struct json_object **row);
/* "ok N" and the rows; caller frees. */
char *answer_end(struct answer *);

/* An answer without rows: a word of command.h and a text; caller frees. */
char *answer_text(const char *word, const char *text);

#endif
