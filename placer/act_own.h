/* SPDX-License-Identifier: ISC */
#ifndef PLACER_ACT_OWN_H
#define PLACER_ACT_OWN_H

/* What the files act*.c share. */

#include "placer/act.h"

/* Something asked of a key holder. */
struct pending {
	RB_ENTRY(pending) link;
	uint64_t id;
	enum effect_kind kind;
	uint64_t number;
	char *who; /* pod uid or device name; it may be gone meanwhile */
};
RB_HEAD(pending_tree, pending);

struct act {
	struct world *world;
	struct store *store;
	struct chan *kube, *flight;
	struct pending_tree asked;
	uint64_t last_id;
};

int pending_cmp(const struct pending *, const struct pending *);
RB_PROTOTYPE(pending_tree, pending, link, pending_cmp)

struct pending *act_ask(struct act *, enum effect_kind, const char *who,
    uint64_t number);
/* Answered, or never to be. */
void act_settle(struct act *, struct pending *);

/* Frames of one effect each; without a link, what asks is planned anew. */
void act_send_change(struct act *, struct wdevice *, struct now);
void act_send_reads(struct act *, const struct effects *, enum read_for);
void act_send_list(struct act *);
void act_send_status(struct act *, const struct effect *, struct now);
void act_send_delete(struct act *, const struct effect *);
void act_send_event(struct act *, const struct effect *, struct now);
void act_send_fetch(struct act *, const struct effect *);
void act_send_poll(struct act *, const char *key, struct now);
void act_send_figures(struct act *, struct wnode *);
void act_send_purge(struct act *, const struct wnode *);
void act_send_orders(struct act *, struct now);

#endif
