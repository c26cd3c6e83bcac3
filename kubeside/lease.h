/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_LEASE_H
#define KUBESIDE_LEASE_H

/* Lease objects as they are written and read.  Pure. */

#include <stdint.h>

#include "common/limits.h"
#include "common/span.h"
#include "common/why.h"

enum {
	MAX_VERSION = 64,
};

/* What is said of a lease; NULL and 0 members are not said. */
struct lease_write {
	const char *ns;
	const char *name;
	const char *version; /* the write fails when it is another */
	const char *holder;
	int duration_s;
	int64_t renew_us;
	int64_t acquire_us;
	const char *owner; /* the Node of that name ... */
	const char *owner_uid;
	const char *orders; /* of a patch: its annotation */
};

/* A whole Lease to create, a merge patch to change one.  Caller frees. */
char *lease_create_text(const struct lease_write *);
char *lease_patch_text(const struct lease_write *);

/* "/apis/.../leases", and "/NAME" when name is not NULL.  Caller frees. */
char *lease_path(const char *ns, const char *name);

struct lease {
	char version[MAX_VERSION];
	char holder[MAX_NAME + 1]; /* "": nobody */
	int64_t duration_ms;
	int64_t renew_ms; /* rounded down; -1: never, or no time */
};

/* ERR_FORMAT: not a Lease. */
int lease_read(struct span object, struct lease *, struct why *);

/* What the annotation ORDERS_KEY says, "" when there is none; caller frees. */
#define ORDERS_KEY "vk.flightctl.io/orders"
char *lease_orders(struct span object);

/*
 * The next renewTime in microseconds: the wall clock's, but later than any
 * before.  One that steps back looks like death to the server
 * (facts/kubernetes.md surprise 5).
 */
int64_t lease_next_us(int64_t *last_us, int64_t wall_ms);

#endif
