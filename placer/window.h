/* SPDX-License-Identifier: ISC */
#ifndef PLACER_WINDOW_H
#define PLACER_WINDOW_H

/*
 * A part of a long answer: so many of the rows that have some words, those
 * that want attention before the others.  Pure.
 *
 *	do
 *		for each thing
 *			if (window_takes(v, is_notable, cells))
 *				put its row
 *	while (window_again(v));
 */

#include <stddef.h>

enum {
	WINDOW_TEXT = 256, /* bytes of the words, the end included */
	WINDOW_WORDS = 16,
};

struct window {
	char text[WINDOW_TEXT];
	const char *words[WINDOW_WORDS]; /* in text */
	const char *only;
	size_t nwords;
	size_t from, most; /* after so many, so many */
	int rest;	   /* the notable ones are through */
	size_t matched, all;
};

/*
 * match: words between blanks, commas and slashes; a row has them all, each in
 * one of its cells, in whatever case.  only: one of its cells is just that, "":
 * any; borrowed.  -1: too long or too many words.
 */
int window_open(struct window *, const char *match, const char *only,
    size_t from, size_t most);

/* Is it one of the part?  cells: NULL at the end.  Without a window: yes. */
int window_takes(struct window *, int notable, const char *const *cells);

/* Once more, for the others?  Without a window: no. */
int window_again(struct window *);

#endif
