/* SPDX-License-Identifier: ISC */
#ifndef PLACER_ACT_H
#define PLACER_ACT_H

/*
 * Carries out effects: saves, commits, then sends.  Keeps what was asked of
 * the key holders until they answer.
 */

#include "ipc/chan.h"
#include "placer/plan.h"
#include "placer/store.h"

struct act;

struct act *act_new(struct world *, struct store *);
void act_free(struct act *);

/* NULL: the link is over; what was asked over it is forgotten and planned
 * anew. */
void act_kube(struct act *, struct chan *, struct now);
void act_flight(struct act *, struct chan *, struct now);

/* Empties the list. */
void act_effects(struct act *, struct effects *, struct now);

/* Answers.  An id that nobody asked for is logged and dropped. */
void act_done(struct act *, uint64_t id, const struct body_done *, struct now);
void act_object(struct act *, uint64_t id, struct span object, struct now);
void act_changed(struct act *, uint64_t id, const struct body_changed *,
    struct now);

#endif
