/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FIGURES_H
#define PLACER_FIGURES_H

/* What the node object shows: capacity, allocatable, free (design 9). Pure. */

#include "placer/plan.h"

/* Adds EFFECT_FIGURES when they changed; at most once a second. */
void figures_look(struct world *, struct wnode *, struct now, struct effects *);
/* When figures_look() has something to do; INT64_MAX: not before something
 * else happens. */
int64_t figures_due(const struct world *, const struct wnode *);

void figures_fill(const struct world *, const struct wnode *,
    struct body_node_figures *);

#endif
