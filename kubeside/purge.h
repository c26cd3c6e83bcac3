/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_PURGE_H
#define KUBESIDE_PURGE_H

/*
 * Leases of nodes that are not served any more, held while the placer takes
 * their applications off the devices: no other provider begins to serve them
 * meanwhile, and where one does nothing is taken off.
 */

#include <stdint.h>

#include "kubeside/writer.h"

struct purge;

struct purge_ops {
	/* Held until that boot time; 0: not, or no more. */
	void (*held)(const char *node, int64_t until_ms, void *);
	/* One of them was given back. */
	void (*released)(void *);
};

/* ns and identity as in struct writer_conf; copied. */
struct purge *purge_new(struct event_base *, struct api *, const char *ns,
    const char *identity, const struct purge_ops *, void *arg);
void purge_free(struct purge *);

/* off: the Lease is given back. */
void purge_node(struct purge *, const char *node, int on);

/* Gives all back; so many calls of released() follow, some at once. */
void purge_release(struct purge *);
unsigned int purge_count(const struct purge *);

/* The server is back. */
void purge_again(struct purge *);

#endif
