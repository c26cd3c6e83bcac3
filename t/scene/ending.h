/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_ENDING_H
#define T_SCENE_ENDING_H

/*
 * How a world ended, long after its last trouble, to be compared with the
 * same world without restarts and takeovers.
 *
 * Which device has which pod hangs on the moment, and with it who was evicted
 * with a device, when a name is free for the next pod, and for whom the room
 * of a device is too little.  So what must be the same is, of each name of
 * which neither world evicted a pod, and that met the same statements in both:
 * the pods that the apiserver has and those it had; who has ended, and as
 * what; and who runs, unless it waits for room in the other.
 */

#include "t/scene/scene.h"

struct ending;

struct ending *ending_of(const struct scene *);
/* A statement about a pod of this name could not be in one of the worlds. */
void ending_odd(struct ending *, const char *name);
void ending_free(struct ending *); /* takes NULL */

/* What is not the same, in words that are to be freed; NULL: nothing. */
char *ending_differs(const struct ending *, const struct ending *);

/*
 * Fails when a device has something of a pod that nobody has, or the placer,
 * started anew from its database for a minute and once more, remembers one.
 */
void ending_leaks(struct scene *);

#endif
