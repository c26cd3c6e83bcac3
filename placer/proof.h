/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PROOF_H
#define PLACER_PROOF_H

/*
 * Which images are known to be good: one is proven on an architecture once a
 * device applied it, and at most two devices at a time try one that is not.
 * Pure.
 */

#include "common/mono.h"
#include "placer/world.h"

enum {
	PROOF_TRIES = 2,
	PROOF_MAX = 65536 /* proven ones; the oldest is forgotten first */
};

struct proofs;

struct proofs *proof_new(void);
void proof_free(struct proofs *); /* takes NULL */

/* Its device applied the pod's entry as it was last sent. */
void proof_applied(struct world *, const struct wpod *);

/*
 * NULL: the pod's entry may be written to its device, which tries what is not
 * proven from now on.  Else the image for which others try: the pod is looked
 * at again when one of them has it, or gives up.
 */
const char *proof_waits(struct world *, struct wpod *, struct now);

/* It is being looked at, or goes: it waits no more. */
void proof_leave(struct wpod *);

/* A complete list came in: who tries what is read off it. */
void proof_list(struct world *);

/* At the end of a turn: looks at those whose wait is over. */
void proof_look(struct world *, struct now);

/* The device goes. */
void proof_drop(struct proofs *, const struct wdevice *);

#endif
