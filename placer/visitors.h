/* SPDX-License-Identifier: ISC */
#ifndef PLACER_VISITORS_H
#define PLACER_VISITORS_H

/*
 * The connections of the health listener: how many there are, and how long one
 * may take for its next request.  The library's own time-out begins anew with
 * each byte, and it counts nothing.
 */

#include <stddef.h>

struct bufferevent;
struct event_base;
struct visitors;

enum {
	VISITORS_MAX = 64,   /* with one more the oldest is cut off */
	VISITORS_OPEN = 128, /* with those that are cut off and not yet gone */
	VISIT_SECONDS = 10,  /* from its begin, or its last answer, to the next
			      */
};

struct visitors *visitors_new(struct event_base *);
void visitors_free(struct visitors *);

/* Of one that comes: the library's, which frees it. */
struct bufferevent *visitors_add(struct visitors *);

/* It got an answer: its time begins anew. */
void visitors_answered(struct visitors *, const struct bufferevent *);

/* How many are open. */
size_t visitors_open(struct visitors *);

#endif
