/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_WATCH_H
#define KUBESIDE_WATCH_H

/*
 * One list and watch of one collection under one field selector, for ever:
 * pages, bookmarks, resume, a new list when the server has forgotten where
 * we were, or says nothing for so long that nobody knows: a watch from a
 * version of the future, after a restored etcd, is answered 200 and silent
 * (facts/kubernetes.md surprise 2).  Lists name no version: they are
 * consistent, and never older than what was seen before.  Objects pass as the
 * bytes that came.
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

struct watch_conf {
	const char *collection;	 /* "/api/v1/pods" */
	const char *selector;	 /* "spec.nodeName=x", escaped here */
	unsigned int silence_ms; /* after so much of it a list, 0: 90 s */
};

/* Nothing is asked before watch_start(). */
struct watch *watch_new(struct event_base *, struct api *,
    const struct watch_conf *, const struct watch_ops *, void *arg);
void watch_free(struct watch *);

/* A complete list, whatever went on before. */
void watch_start(struct watch *);
void watch_stop(struct watch *);

/* After item() said 1: read on. */
void watch_go_on(struct watch *);

/* The server is back: what hangs on the old one is asked again at once. */
void watch_again(struct watch *);

#endif
