/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_REACH_H
#define FLIGHTSIDE_REACH_H

/* How Flightctl answers, from the answers that come. */

#include "common/https.h"
#include "flightside/right.h"
#include "ipc/msg.h"

struct event_base;
struct reach;

/* tell: only when the state changes, or the reason does. */
struct reach *reach_new(struct event_base *,
    void (*tell)(enum flight_state, const char *text, void *), void *arg);
void reach_free(struct reach *);

/*
 * One failure is none yet: two in a row are, or one and ten seconds without
 * any success.  A 403 is an answer: it is FORBIDDEN for what nothing works
 * without, until that is allowed, and one log line for the rest.
 */
void reach_judge(struct reach *, const struct https_answer *, enum right);

/* It answers, and nothing can be asked of it: at once. */
void reach_forbidden(struct reach *, const char *text);

/* enum flight_state, -1 not known yet; and the reason. */
int reach_state(const struct reach *);
const char *reach_text(const struct reach *);

#endif
