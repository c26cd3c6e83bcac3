/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FORMER_H
#define PLACER_FORMER_H

/*
 * Nodes that FLEET_ID names no more, and what is left of them: a Node that no
 * provider serves, applications that run on.  They are told, and nothing is
 * done about them until a person orders it (purge).  Pure.
 */

#include "placer/effects.h"
#include "placer/world.h"

/* NULL: there is none. */
struct wnode *former_find(const struct world *, const char *name);

/*
 * Added, when it is not there.  NULL: no name, one of a node that we serve, or
 * there are FORMER_MAX of them.
 */
struct wnode *former_get(struct world *, const char *name);

/* Its applications on devices, as far as these are known to us. */
struct former_sum {
	size_t apps, devices;
};
/* On that one: by the marks in its spec, or memory until that was read. */
size_t former_on(const struct wdevice *, const struct wnode *);
struct former_sum former_count(const struct world *, const struct wnode *);

/* It has a Node that nobody serves, or applications: people should know. */
int former_is_left(const struct wnode *, const struct former_sum *);

/*
 * Virtual nodes that we do not serve, each on a line: its name, " served" when
 * another provider may do so, " renewed" when one was seen to.
 */
void former_nodes(struct world *, struct span lines);

/* A turn: once after each full list people are told, and a purge ends. */
void former_look(struct world *, struct effects *);

void former_clear(struct world *);

#endif
