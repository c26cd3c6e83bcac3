/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_PUT_H
#define FLIGHTSIDE_PUT_H

/*
 * Writes our entries of devices: reads, splices, asks the device policy, and
 * stores by compare-and-swap.
 */

#include "common/settings.h"
#include "ipc/msg.h"

struct event_base;
struct fetch;
struct fleets;
struct flight;
struct put;

enum {
	PUT_SENDING = 8, /* at a time */
	PUT_COMPANY_MS = 200,
};

/* What it works with; stays its owner's. */
struct put_parts {
	struct event_base *base;
	struct flight *flight;
	struct fetch *fetch;
	const struct fleets *fleets;
};

/* The answer to a CHANGE, exactly once for each. */
typedef void put_fn(uint64_t id, const struct body_changed *, void *arg);

struct put *put_new(const struct put_parts *, const struct settings *, put_fn *,
    void *arg);
void put_free(struct put *);

/* The cluster whose mark we may write; the first stays.  -1: another one. */
int put_cluster(struct put *, const char *);

void put_change(struct put *, uint64_t id, const struct body_change *);

/* The link is over: nobody waits for answers; what is sent is finished. */
void put_forget(struct put *);

/* CHANGE_RATE and CHANGE_DEVICES may be others. */
void put_reload(struct put *, const struct settings *);

/* The changes that were refused here, as of now. */
void put_budget(const struct put *, struct body_budget *);

#endif
