/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_CALLS_H
#define KUBESIDE_CALLS_H

/*
 * What the placer asks of the apiserver about a pod: status, deletion, a
 * ConfigMap or Secret that the pod names.
 *
 * A write that the server refuses for one pod, by an admission policy or a
 * webhook (403, 5xx), waits alone and ever longer; the others go on.  All rest
 * when the trouble is the server's or ours: 429 and 503 (facts/kubernetes.md
 * surprises 3 and 21), no connection, a 401, or a 403 for another pod too
 * since the last write that was taken: a young server refuses everything.
 *
 * What failed is asked for again within a budget that all pods share, whoever
 * asks and whatever the reason was: CALLS_BURST at once and CALLS_A_MINUTE.
 * Those that failed least go first, and one that succeeds costs nothing: when
 * the trouble is over, so is the wait.
 */

#include "ipc/msg.h"
#include "kubeside/pods.h"

struct api;
struct calls;
struct event_base;

enum {
	CALLS_A_MINUTE = 60,
	CALLS_BURST = 30,
};

struct calls_ops {
	/* The end of a request, once; ERR_NONE: done. */
	void (*done)(uint64_t id, const struct why *, void *);
	/* Instead of done() for GET_OBJECT that found one. */
	void (*object)(uint64_t id, struct span, void *);
	/* Boot time until which we are the node's writer. */
	int64_t (*until)(unsigned int node, void *);
};

struct calls *calls_new(struct event_base *, struct api *, struct pods *,
    const struct calls_ops *, void *arg);
void calls_free(struct calls *);

/* A refusal comes to done() at once, from inside. */
void calls_status(struct calls *, uint64_t id, unsigned int node,
    const struct body_pod_status *);
void calls_delete(struct calls *, uint64_t id, unsigned int node,
    const struct body_pod_delete *);
void calls_object(struct calls *, uint64_t id, const struct body_get_object *);

/* The link is over: what waits is dropped, what flies is not answered. */
void calls_unlink(struct calls *);

/* Nothing waits or flies. */
int calls_is_idle(const struct calls *);

#endif
