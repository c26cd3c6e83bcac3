/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_WRITER_H
#define KUBESIDE_WRITER_H

/* One writer a virtual node: a Lease in our namespace says who. */

#include <stdint.h>

#include "common/span.h"

struct api;
struct event_base;
struct writer;

struct writer_ops {
	/* Held until that boot time; 0: not, or no more. */
	void (*held)(int64_t until_ms, void *);
	/* The end of writer_release(). */
	void (*released)(void *);
	/* How many other nodes this process has; NULL: it never yields. */
	unsigned int (*others)(void *);
};

struct writer_conf {
	const char *ns;
	const char *node;
	/* Who we are; the same for every kubeside that one supervisor starts,
	 * for no other. */
	const char *identity;
	const char *fleet; /* for the log, NULL: unknown; borrowed for ever */
};

/* Nothing is asked before writer_start(). */
struct writer *writer_new(struct event_base *, struct api *,
    const struct writer_conf *, const struct writer_ops *, void *arg);
void writer_free(struct writer *);
void writer_start(struct writer *);

/* The server is back: now, not at the next turn. */
void writer_again(struct writer *);

/* Boot time until which we are the writer, 0: we are not. */
int64_t writer_until(const struct writer *);

/* 1: we hold it, or are about to. */
int writer_has(const struct writer *);

/*
 * What people ordered for the node, as the Lease has it: "" for nothing, else
 * whatever its writers kept.  Whoever takes the Lease reads it first.
 * writer_keep() has it written at once, but once a second at most, and by the
 * writer alone.
 */
const char *writer_orders(const struct writer *);
void writer_keep(struct writer *, struct span);

/* Gives the lease back, so that a successor need not wait. */
void writer_release(struct writer *);

#endif
