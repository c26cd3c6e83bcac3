/* SPDX-License-Identifier: ISC */
#ifndef VKFCTL_TABLE_H
#define VKFCTL_TABLE_H

/*
 * JSON rows as lines with columns, named by the members of the first; members
 * that are objects are for programs and left out.
 */

#include <stddef.h>
#include <stdio.h>

#include "common/why.h"

struct table_style {
	size_t width; /* of the screen: the last column is folded; 0: it is not
		       */
	int bare;     /* without the line of names */
};

struct table;

/* Borrows f. */
struct table *table_new(FILE *f, struct table_style);
void table_free(struct table *);

/*
 * Prints rows, each ended by a newline, under the same names as those before
 * them, columns at least as wide.  -1 with *why: one is no JSON object.
 */
int table_print(struct table *, const char *rows, struct why *why);

#endif
