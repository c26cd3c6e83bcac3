/* SPDX-License-Identifier: ISC */
#ifndef PLACER_METRICS_OWN_H
#define PLACER_METRICS_OWN_H

/* What the files metrics*.c share; nobody else includes this. */

#include <stdio.h>

#include "placer/metrics.h"

/* One metric being written. */
struct metric {
	FILE *f;
	const char *name;
	const struct world *w;
	const struct scrape *scrape;
	int labels; /* so many of this sample */
};

/* A sample: metric_sample(), its labels, then one value. */
void metric_sample(struct metric *, const char *suffix);
/* An empty value is no label. */
void metric_label(struct metric *, const char *name, const char *value);
void metric_count(struct metric *, uint64_t);
void metric_us(struct metric *, int64_t); /* as seconds */

/* A whole sample with the one label fleet. */
void metric_fleet(struct metric *, const struct wnode *, uint64_t);
void metric_fleet_ms(struct metric *, const struct wnode *, int64_t ms);

/* A whole sample without a label. */
void metric_alone(struct metric *, uint64_t);

#define METRIC(name, type, labels, writer, help) \
	void write_##writer(struct metric *);
#include "placer/metrics.def"
#undef METRIC

#endif
