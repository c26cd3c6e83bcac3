/* SPDX-License-Identifier: ISC */
/*
 * window.c: which rows of a long answer are wanted.
 *
 * Owns the words, the order and the counts.  Never knows what a row is of.
 */
#include "placer/window.h"

#include <string.h>

#define BETWEEN " ,/"

int
window_open(struct window *v, const char *match, const char *only, size_t from,
    size_t most)
{
	char *word, *rest = v->text;

	*v = (struct window){ .only = only, .from = from, .most = most };
	if (strlen(match) >= sizeof(v->text))
		return -1;
	memcpy(v->text, match, strlen(match) + 1);
	while ((word = strsep(&rest, BETWEEN)) != NULL) {
		if (*word == '\0')
			continue;
		if (v->nwords == WINDOW_WORDS)
			return -1;
		v->words[v->nwords++] = word;
	}
	return 0;
}

static int
is_in(const char *word, const char *const *cells)
{
	for (; *cells != NULL; cells++)
		if (strcasestr(*cells, word) != NULL)
			return 1;
	return 0;
}

static int
is_one(const char *word, const char *const *cells)
{
	for (; *cells != NULL; cells++)
		if (strcmp(*cells, word) == 0)
			return 1;
	return 0;
}

int
window_takes(struct window *v, int notable, const char *const *cells)
{
	size_t i;

	if (v == NULL)
		return 1;
	if (!!notable == v->rest)
		return 0;
	v->all++;
	if (*v->only != '\0' && !is_one(v->only, cells))
		return 0;
	for (i = 0; i < v->nwords; i++)
		if (!is_in(v->words[i], cells))
			return 0;
	v->matched++;
	return v->matched > v->from && v->matched - v->from <= v->most;
}

int
window_again(struct window *v)
{
	if (v == NULL || v->rest)
		return 0;
	v->rest = 1;
	return 1;
}
