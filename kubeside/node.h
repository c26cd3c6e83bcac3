/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_NODE_H
#define KUBESIDE_NODE_H

/*
 * One virtual node's object in the cluster, kept as it should be, and its
 * heartbeat.
 */

#include <stdint.h>

#include "common/span.h"
#include "ipc/msg.h"

struct api;
struct event_base;
struct node;

struct node_conf {
	const char *name;
	const char *fleet;
	const char *zone;
	const char *arch; /* "": what the figures say */
	const char *keys; /* NODE_DEVICE_KEYS */
	int64_t away_ms;  /* without a placer: then it says so */
	int64_t grace_ms; /* ... and then it goes silent */
};

struct node_ops {
	/* Boot time until which we are its writer. */
	int64_t (*until)(void *);
	/* Its metadata.labels, for each placer once and when they change. */
	void (*labels)(struct span, void *);
	/* Something a person should know, about the node. */
	void (*event)(const char *reason, const char *message, void *);
};

/* Strings of the conf are borrowed for ever.  Silent before node_start(). */
struct node *node_new(struct event_base *, struct api *,
    const struct node_conf *, const struct node_ops *, void *arg);
void node_free(struct node *);
void node_start(struct node *);

/* The server is back. */
void node_again(struct node *);

/* We are the writer now. */
void node_look(struct node *);

void node_figures(struct node *, const struct body_node_figures *);

/* The placer came or went. */
void node_placer(struct node *, int there);

#endif
