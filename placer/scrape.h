/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SCRAPE_H
#define PLACER_SCRAPE_H

/* What /metrics answers now: the world, the clocks, the placer's memory. */

#include "placer/world.h"

/* ready: as /readyz says.  The caller's. */
char *scrape_text(const struct world *, int ready);

#endif
