/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_DRAW_H
#define T_SCENE_DRAW_H

/* Worlds of statements drawn at random. */

#include "t/scene/scene.h"

enum {
	LINE_MAX_ = 128,
};

struct step {
	char text[LINE_MAX_];
	char pod[32];	   /* that the apiserver must have, or "" */
	char new[32];	   /* or must not have */
	char given_up[32]; /* by name, or "" */
	int out;	   /* shrunk away */
	int cannot;	   /* and could not be */
};

/* A first and the last statements, NULL at the end. */
extern const char *const draw_opening[], *const draw_closing[];
void draw_say(struct scene *, const char *const *lines);

/* From a seed always the same. */
void draw_seed(uint64_t);
unsigned int draw(unsigned int n); /* 0 .. n-1 */
void draw_step(const struct scene *, struct step *);

/* Could it happen now? */
int draw_can_be(const struct scene *, const struct step *);

/* A restart or a takeover. */
int draw_is_another_placer(const struct step *);

#endif
