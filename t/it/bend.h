/* SPDX-License-Identifier: ISC */
#ifndef T_IT_BEND_H
#define T_IT_BEND_H

/*
 * Frames that are right but for one thing, made from ipc/msg.def and
 * ipc/body.def: what is added there is bent without a word here.
 */

#include <stddef.h>

#include "common/bytes.h"
#include "ipc/msg.h"

/* What stands for $NAME in a value; NULL: nothing known, it becomes "". */
typedef const char *bend_fn(const char *name);

/*
 * The i-th frame of that type whose body decodes, whatever it says: 1, and it
 * is appended.  0: there are no more.  What is not bent is ours (the frame
 * could be honest), then a stranger's.
 */
int bend_body(enum msg_type, size_t i, bend_fn *, struct bytes *out);

/*
 * The i-th frame that a receiver must refuse from that sender, of all types:
 * a body that does not decode, a type that is not the sender's, no type at
 * all, a length beyond any bound.  what: "TYPE: how", for a person.
 */
int bend_refused(enum proc from, enum proc to, size_t i, bend_fn *,
    struct bytes *out, char what[64]);

#endif
