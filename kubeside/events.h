/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_EVENTS_H
#define KUBESIDE_EVENTS_H

/* Events that people see with `kubectl describe': best effort, bounded. */

#include "ipc/msg.h"

enum {
	/* Of what is about a namespace for which the last one failed. */
	EVENTS_A_MINUTE = 10,
	EVENTS_BURST = 5,
};

struct api;
struct event_base;
struct events;

struct events *events_new(struct event_base *, struct api *);
void events_free(struct events *);

/*
 * The same about the same object within 10 minutes is counted, not repeated.
 * Too many at once are dropped: normal ones first and without a word, of
 * warnings the number is logged.
 */
void events_post(struct events *, const struct body_event *);

#endif
