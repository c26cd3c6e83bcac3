/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SERVE_H
#define PLACER_SERVE_H

/*
 * The placer's loop: frames from the key holders go into the world, a turn
 * follows.
 */

#include "ipc/chan.h"
#include "placer/orders.h"
#include "placer/store.h"

struct event_base;
struct serve;

/* The store's seats are loaded.  -1 with *why. */
struct serve *serve_new(struct event_base *, const struct settings *,
    struct store *, struct why *);
void serve_free(struct serve *);

/* A new link with a key holder; takes fd. */
void serve_link(struct serve *, enum proc peer, int fd);

/* A person's order, carried out and saved when it returns. */
enum order_verdict serve_order(struct serve *, const struct order *,
    char text[MAX_TEXT]);

/* What the supervisor says of a worker. */
void serve_crew(struct serve *, const struct body_crew *);
void serve_trouble(struct serve *, const struct body_trouble *);

/* What our own sandbox lacks, bits 1 << enum sandbox_layer. */
void serve_missing(struct serve *, uint32_t layers);

/* The settings that SIGHUP may change. */
void serve_reload(struct serve *, const struct settings *);

const struct world *serve_world(const struct serve *);

#endif
