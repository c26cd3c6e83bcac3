/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_MEET_H
#define SUPERVISOR_MEET_H

/*
 * Links to workers of other supervisors, in a Pod: the placer's listens at one
 * socket for each key holder, which connects to its own.  Each looks at the
 * user id of the other.
 */

#include "common/settings.h"
#include "common/why.h"

struct event_base;
struct meet;

/*
 * For the supervisor of just this worker.  settings stay the caller's.  NULL:
 * we are not who UIDS says, or no socket could be made.
 */
struct meet *meet_open(const struct settings *, enum proc self, struct why *);
void meet_free(struct meet *);

/* came: meet_take() for that key holder is worth a try. */
void meet_start(struct meet *, struct event_base *,
    void (*came)(enum proc key_holder, void *), void *arg);

void meet_stop(struct meet *); /* before the base is freed */

/*
 * A connected socket, yours, of a link between the key holder and the placer,
 * one of which is self.  -1: none now, came() follows.
 */
int meet_take(struct meet *, enum proc key_holder);

#endif
