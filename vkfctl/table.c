/* SPDX-License-Identifier: ISC */
/*
 * table.c: JSON rows as columns.
 *
 * Owns widths and what is printed of a value.  Column names are the answer's:
 * nothing here knows a command.
 */
#include "vkfctl/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"

enum {
	COLUMNS_MAX = 16,
};

struct table {
	FILE *f;
	size_t ncolumns; /* of the row that is printed */
	size_t width[COLUMNS_MAX];
};

/* Caller frees. */
static char *
cell(struct json_object *v)
{
	const char *text = jread_string(v);
	char *s, *c;

	if (text == NULL)
		return json_object_is_type(v, json_type_int) ?
		    xasprintf("%" PRId64, json_object_get_int64(v)) :
		    xstrdup("-");
	s = xstrdup(*text == '\0' ? "-" : text);
	/* Names and messages of others: no way to steer a terminal. */
	for (c = s; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return s;
}

static void
put(struct table *t, size_t column, const char *text, int last)
{
	if (last)
		fprintf(t->f, "%s\n", text);
	else
		fprintf(t->f, "%-*s  ", (int)t->width[column], text);
}

static void
print_names(struct table *t, struct json_object *row)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;
	size_t i = 0, k;

	while (i < t->ncolumns && jread_next(row, &at, &key, &value)) {
		AUTO_FREE char *name = xstrdup(key);

		for (k = 0; name[k] != '\0'; k++)
			name[k] = (char)toupper((unsigned char)name[k]);
		put(t, i, name, i + 1 == t->ncolumns);
		i++;
	}
}

static void
print_row(struct table *t, struct json_object *row)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;
	size_t i = 0;

	while (i < t->ncolumns && jread_next(row, &at, &key, &value)) {
		AUTO_FREE char *text = cell(value);

		put(t, i, text, i + 1 == t->ncolumns);
		i++;
	}
}

static void
measure(struct table *t, struct json_object *row)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;
	size_t i = 0, len;

	while (i < COLUMNS_MAX && jread_next(row, &at, &key, &value)) {
		AUTO_FREE char *text = cell(value);

		if ((len = strlen(key)) > t->width[i])
			t->width[i] = len;
		if ((len = strlen(text)) > t->width[i])
			t->width[i] = len;
		i++;
	}
	t->ncolumns = i;
}

/* Once to measure, once to print: no row is kept. */
static int
walk(struct table *t, const char *rows, size_t n, int print, struct why *why)
{
	const char *end;
	size_t i;

	for (i = 0; i < n; i++, rows = end + 1) {
		AUTO_JSON struct json_object *row = NULL;

		if ((end = strchr(rows, '\n')) == NULL)
			return fail(why, ERR_FORMAT, "the answer is cut off");
		row = jread_parse((struct span){ rows, (size_t)(end - rows) },
		    why);
		if (row == NULL)
			return -1;
		if (!print) {
			measure(t, row);
			continue;
		}
		if (i == 0)
			print_names(t, row);
		print_row(t, row);
	}
	return 0;
}

int
table_print(FILE *f, const char *rows, size_t n, struct why *why)
{
	struct table t = { .f = f };

	if (walk(&t, rows, n, 0, why) == -1)
		return -1;
	return walk(&t, rows, n, 1, why);
}
