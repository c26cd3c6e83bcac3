/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_BEAT_H
#define KUBESIDE_BEAT_H

/*
 * The lease in kube-node-lease that says that a node is alive.  It is read
 * once at each start and renewed from its renewTime on: ours and another
 * replica's clock, or ours before it was set back, must not make it step back
 * (facts/kubernetes.md surprise 5).
 */

#include <stdint.h>

struct api;
struct beat;
struct event_base;

/*
 * Renewed after each period, more or less a tenth at random.  fleet: for the
 * log, borrowed for ever.
 */
struct beat *beat_new(struct event_base *, struct api *, const char *node,
    const char *fleet, int64_t period_ms);
void beat_free(struct beat *);

/* uid: of the Node that owns the lease.  Going on already: nothing. */
void beat_start(struct beat *, const char *uid);
void beat_stop(struct beat *);

#endif
