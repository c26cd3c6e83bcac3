/* SPDX-License-Identifier: ISC */
#ifndef PLACER_KEPT_H
#define PLACER_KEPT_H

/*
 * What people ordered for a node, as its Lease keeps it: whoever writes for
 * the node next knows it too, be it another replica or this one in a new Pod,
 * without its database.  One JSON object, at most MAX_ORDERS bytes:
 *
 *	{"by": MEMORY,
 *	 "retired": {"uid": 1000, "at": "2026-11-28T02:00:00Z"},
 *	 "drained": {DEVICE: {"uid": 1000, "at": "..."}, ...},
 *	 "givenUp": {DEVICE: {"uid": 1000, "at": "...", "created": "..."}}}
 *
 * but for "by" each is there when it holds.  "by" is whose database has it,
 * world.memory: one's own may have more, of another's nothing else counts.
 * What is carried out at once (to give up a pod, to purge, to release the
 * brake) is not kept.  Pure.
 */

#include "placer/effects.h"
#include "placer/world.h"

/* What holds for the node; caller frees. */
char *kept_text(const struct world *, const struct wnode *);

/* One more order finds room; else text says why not. */
int kept_has_room(const struct world *, const struct wnode *,
    char text[MAX_TEXT]);

/*
 * What its Lease has, before we are its writer.  Another's is taken over by
 * kept_take(), when all devices are known; until then no order can be given.
 * ERR_FORMAT, ERR_LIMIT: it cannot be read, and what we know holds.
 */
int kept_told(struct world *, const struct body_orders *, struct why *);
void kept_take(struct world *, struct effects *);

/* Its orders, or a device's of it, are others; NULL: of no node. */
void kept_stale(struct wnode *);

/*
 * What its Lease is to have instead, NULL: nothing else; borrowed.  It may be
 * longer than MAX_ORDERS: names of before there was that bound.
 */
const char *kept_next(const struct world *, struct wnode *, struct now);

void kept_clear(struct wnode *);

#endif
