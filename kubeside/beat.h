/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_BEAT_H
#define KUBESIDE_BEAT_H

/* The lease in kube-node-lease that says that a node is alive. */

struct api;
struct beat;
struct event_base;

struct beat *beat_new(struct event_base *, struct api *, const char *node);
void beat_free(struct beat *);

/* uid: of the Node that owns the lease.  Going on already: nothing. */
void beat_start(struct beat *, const char *uid);
void beat_stop(struct beat *);

#endif
