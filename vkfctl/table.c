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
#include "common/utf8.h"
#include "common/xmem.h"

enum {
	COLUMNS_MAX = 16,
	FOLD_MIN = 24, /* a narrower last column is put below */
	FOLD_BELOW = 8,
};

struct table {
	FILE *f;
	struct table_style style;
	size_t ncolumns; /* of the row that is printed */
	size_t width[COLUMNS_MAX];
	int named; /* the names were printed */
};

struct table *
table_new(FILE *f, struct table_style style)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->f = f;
	t->style = style;
	return t;
}

void
table_free(struct table *t)
{
	free(t);
}

/* Caller frees. */
static char *
cell(struct json_object *v)
{
	const char *text = jread_string(v);

	if (text == NULL)
		return json_object_is_type(v, json_type_int) ?
		    xasprintf("%" PRId64, json_object_get_int64(v)) :
		    xstrdup("-");
	/* Names and messages of others: no way to steer a terminal. */
	return utf8_shown(*text == '\0' ? "-" : text);
}

/* The next member that is a column. */
static int
next_column(struct json_object *row, struct lh_entry **at, const char **key,
    struct json_object **value)
{
	while (jread_next(row, at, key, value))
		if (!json_object_is_type(*value, json_type_object))
			return 1;
	return 0;
}

/* Bytes that go together on a line of so many: to a blank, if there is one. */
static size_t
fold_at(const char *text, size_t room)
{
	size_t n;

	if (strlen(text) <= room)
		return strlen(text);
	for (n = room; n > 0 && text[n] != ' '; n--)
		;
	return n > 0 ? n : strcspn(text, " ");
}

/* At most as wide as the screen, what goes on under its beginning. */
static void
put_folded(struct table *t, size_t at, const char *text)
{
	size_t n;

	if (at + FOLD_MIN > t->style.width) {
		at = FOLD_BELOW;
		fprintf(t->f, "\n%*s", (int)at, "");
	}
	for (;;) {
		n = fold_at(text, t->style.width - at);
		fprintf(t->f, "%.*s\n", (int)n, text);
		text += n;
		while (*text == ' ')
			text++;
		if (*text == '\0')
			return;
		fprintf(t->f, "%*s", (int)at, "");
	}
}

static void
put(struct table *t, size_t column, const char *text)
{
	size_t at = 0, i;

	if (column + 1 < t->ncolumns) {
		fprintf(t->f, "%-*s  ", (int)t->width[column], text);
		return;
	}
	for (i = 0; i < column; i++)
		at += t->width[i] + 2;
	if (at + strlen(text) > t->style.width &&
	    t->style.width > FOLD_BELOW + FOLD_MIN)
		put_folded(t, at, text);
	else
		fprintf(t->f, "%s\n", text);
}

static void
print_names(struct table *t, struct json_object *row)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;
	size_t i = 0, k;

	while (i < t->ncolumns && next_column(row, &at, &key, &value)) {
		AUTO_FREE char *name = utf8_shown(key);

		for (k = 0; name[k] != '\0'; k++)
			name[k] = (char)toupper((unsigned char)name[k]);
		put(t, i++, name);
	}
	t->named = 1;
}

static void
print_row(struct table *t, struct json_object *row)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;
	size_t i = 0;

	while (i < t->ncolumns && next_column(row, &at, &key, &value)) {
		AUTO_FREE char *text = cell(value);

		put(t, i++, text);
	}
}

static void
measure(struct table *t, struct json_object *row)
{
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *key;
	size_t i = 0, len;

	while (i < COLUMNS_MAX && next_column(row, &at, &key, &value)) {
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
walk(struct table *t, const char *rows, int print, struct why *why)
{
	const char *end;

	for (; (end = strchr(rows, '\n')) != NULL; rows = end + 1) {
		AUTO_JSON struct json_object *row = NULL;

		row = jread_parse((struct span){ rows, (size_t)(end - rows) },
		    why);
		if (row == NULL)
			return -1;
		measure(t, row);
		if (!print)
			continue;
		if (!t->named && !t->style.bare)
			print_names(t, row);
		print_row(t, row);
	}
	return 0;
}

int
table_print(struct table *t, const char *rows, struct why *why)
{
	if (walk(t, rows, 0, why) == -1)
		return -1;
	return walk(t, rows, 1, why);
}
