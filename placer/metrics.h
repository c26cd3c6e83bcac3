/* SPDX-License-Identifier: ISC */
#ifndef PLACER_METRICS_H
#define PLACER_METRICS_H

#include "placer/world.h"

/* The Prometheus text of metrics.def's metrics; the caller's. */
char *metrics_text(const struct world *);

#endif
