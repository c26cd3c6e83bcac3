/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_WATCH_H
#define KUBESIDE_WATCH_H

/*
 * One list and watch of one collection under one field selector, for ever:
 * pages, bookmarks, resume, a new list when the server has forgotten where
 * we were.  Objects pass as the bytes that came.
 */

#include "common/span.h"
#include "ipc/msg.h"

struct api;
struct event_base;
struct watch;

struct watch_ops {
	/* A list begins; one before it that has not ended is void. */
	void (*begin)(void *);
	/* POD_LISTED between begin and end.  1: read no more for now. */
	int (*item)(enum pod_how, struct span object, void *);
	/* The list is complete; changes follow. */
	void (*end)(void *);
};

/*
 * collection: "/api/v1/pods"; selector: "spec.nodeName=x", escaped here.
 * Nothing is asked before watch_start().
 */
struct watch *watch_new(struct event_base *, struct api *,
    const char *collection, const char *selector, const struct watch_ops *,
    void *arg);
void watch_free(struct watch *);

/* A complete list, whatever went on before. */
void watch_start(struct watch *);
void watch_stop(struct watch *);

/* After item() said 1: read on. */
void watch_go_on(struct watch *);

/* The server is back: what hangs on the old one is asked again at once. */
void watch_again(struct watch *);

#endif
