/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_WORDS_H
#define T_SCENE_WORDS_H

/*
 * One statement of a scene: words, among them NAME=VALUE; "both blanks" and
 * 'double quotes' may stand in quotes.  # begins a comment.
 */

#include <stddef.h>
#include <stdint.h>

enum {
	WORDS_MAX = 32
};

struct words {
	char *w[WORDS_MAX];
	size_t n;
	char *line;
};

/* -1: a quote that does not end, or too many words. */
int words_cut(struct words *, const char *line);
void words_free(struct words *);

/* The word at i, "" beyond the end. */
const char *words_at(const struct words *, size_t i);

/* The value of NAME=VALUE, or def. */
const char *words_get(const struct words *, const char *name, const char *def);

/* "31s" in milliseconds; -1: no such duration. */
int64_t words_ms(const char *);

#endif
