/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_PLAY_H
#define T_SCENE_PLAY_H

/* What the programs share that play scenes again and again. */

#include "t/scene/scene.h"

enum {
	PLAY_SETTLE_MS = 45 * 1000 /* after the last statement */
};

struct text {
	char **lines;
	size_t n;
};

struct text text_read(const char *path); /* or the program ends */
void text_free(struct text *);
/* Neither a comment nor an expectation. */
int text_is_statement(const char *line);

/*
 * How it ended: pods as the apiserver has them, devices and what they run.
 * The caller frees it.
 */
char *play_state(struct scene *);

/* Prints what came out, or only what came last. */
void play_show(const struct scene *, int all);

#endif
