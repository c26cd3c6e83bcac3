/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_FEED_H
#define KUBESIDE_FEED_H

/* The pods of one node: from their watch to the placer. */

#include <stdint.h>

struct api;
struct event_base;
struct feed;
struct pods;
struct serve;

struct feed_conf {
	const char *node;   /* borrowed for ever */
	unsigned int index; /* of the node, in pods */
	int64_t resync_ms;  /* a complete list at least so often */
	const char *fleet;  /* for the log; borrowed for ever */
};

struct feed *feed_new(struct event_base *, struct api *, struct pods *,
    struct serve *, const struct feed_conf *);
void feed_free(struct feed *);

/* A complete list, then changes; nothing more. */
void feed_start(struct feed *);
void feed_stop(struct feed *);

/* There is room on the link again. */
void feed_go_on(struct feed *);

/* The server is back, or another. */
void feed_again(struct feed *);

#endif
