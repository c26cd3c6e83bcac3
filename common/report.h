/* SPDX-License-Identifier: ISC */
#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

/*
 * What a key holder tells the placer of itself, for the metrics: what has
 * changed, every five seconds at most.
 */

#include "common/meter.h"

struct chan;
struct event_base;
struct report;

/* meter is borrowed; budget NULL allowed: fills in how it is now. */
struct report *report_new(struct event_base *, enum proc self, struct meter *,
    void (*budget)(struct body_budget *, void *arg), void *arg);
void report_free(struct report *);

/* A new link, over which all is told anew; NULL: the link is over. */
void report_link(struct report *, struct chan *);

#endif
