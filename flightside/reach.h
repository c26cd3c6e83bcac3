/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_REACH_H
#define FLIGHTSIDE_REACH_H

/* Whether Flightctl answers, from the answers that come. */

#include "common/https.h"

struct event_base;
struct reach;

/* tell: only when that changes, or the reason does. */
struct reach *reach_new(struct event_base *,
    void (*tell)(int reachable, const char *text, void *), void *arg);
void reach_free(struct reach *);

/*
 * One failure is none yet: two in a row are, or one and ten seconds without
 * any success.  quiet: a 403 says nothing about the service.
 */
void reach_judge(struct reach *, const struct https_answer *, int quiet);

/* It answers, but cannot be used: at once. */
void reach_lost(struct reach *, const char *text);

/* 1 answers, 0 does not, -1 not known yet; and why not. */
int reach_state(const struct reach *);
const char *reach_text(const struct reach *);

#endif
