/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_VERBS_H
#define T_SCENE_VERBS_H

/* One function for each verb of verbs.def. */

#include "t/scene/scene.h"

#define VERB(name, fn) void fn(struct scene *, const struct words *);
#include "t/scene/verbs.def"
#undef VERB

/* Starts what goes on by itself: renewals of the writer, rounds. */
void verbs_begin(struct scene *);

#endif
