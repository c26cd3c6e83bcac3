/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_FORMER_H
#define KUBESIDE_FORMER_H

/*
 * Virtual nodes that this provider does not serve though a provider of our
 * namespace did: which of them are there, and whether another one serves them
 * now.  Looked at now and then; only read.
 */

#include <stdint.h>

#include "common/span.h"

struct api;
struct event_base;
struct former;

struct former_ops {
	int (*is_ours)(const char *node, void *); /* we serve it */
	/* All of them, as body.def has it; borrowed. */
	void (*told)(struct span lines, void *);
};

struct former_conf {
	const char *ns;	      /* of the Leases */
	const char *identity; /* of our own ones */
	int64_t period_ms;
	int64_t patience_ms; /* with a Lease that nobody renews, at least */
};

/* Texts are copied.  Nothing is asked before former_start(). */
struct former *former_new(struct event_base *, struct api *,
    const struct former_conf *, const struct former_ops *, void *arg);
void former_free(struct former *);
void former_start(struct former *);

/* What is known is told once more, if anything is. */
void former_tell(const struct former *);

/* 1: a virtual node that is there and has no Lease in our namespace. */
int former_is_others(const struct former *, const char *node);

#endif
