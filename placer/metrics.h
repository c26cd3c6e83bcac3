/* SPDX-License-Identifier: ISC */
#ifndef PLACER_METRICS_H
#define PLACER_METRICS_H

#include "common/mono.h"
#include "placer/world.h"

/* What a scrape shows beside the world. */
struct scrape {
	struct now now;
	uint64_t heap;	  /* bytes of the placer's */
	uint64_t refused; /* frames, by the placer */
	int ready;	  /* /readyz */
};

enum {
	METRICS_DEVICES = 1000, /* METRICS_PER_DEVICE=auto: series of each */
	METRICS_OWNERS = 32,	/* of a fleet's devices; the rest is "other" */
};

/* The Prometheus text of metrics.def's metrics; the caller's. */
char *metrics_text(const struct world *, const struct scrape *);

#endif
