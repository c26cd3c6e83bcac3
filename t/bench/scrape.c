/* SPDX-License-Identifier: ISC */
/*
 * scrape.c: the bytes of /metrics, and the time they take to write, of so many
 * devices that each run a pod.  yes: series of each; auto: as it is set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "placer/metrics.h"
#include "t/unit/fleet.h"

enum {
	TIMES = 20
};

static void
measure(const char *setting, int devices)
{
	struct world *w = fleet_world();
	struct settings set = *w->set;
	struct scrape s = { .now = now_read() };
	size_t bytes = 0;
	enum request r;
	int64_t us;
	int i;

	set.text[SET_METRICS_PER_DEVICE] = xstrdup(setting);
	w->set = &set;
	for (i = 0; i < devices; i++) {
		AUTO_FREE char *name = xasprintf("%052d", i);

		fleet_add(w,
		    &(struct fleet_device){ name, 4, 4096, NULL, NULL, NULL })
		    ->deployed = (struct tally){ 1, 1500000 };
	}
	for (r = 0; r < REQUEST_COUNT; r++)
		w->tallies[r].took[0] = w->tallies[r].ended[0] = 1000;
	us = now_us();
	for (i = 0; i < TIMES; i++) {
		AUTO_FREE char *text = metrics_text(w, &s);

		bytes = strlen(text);
	}
	us = (now_us() - us) / TIMES;
	printf("figure scrape_%s_%d %.1f ms\n", setting, devices,
	    (double)us / 1e3);
	printf("figure scrape_%s_%d_size %zu B\n", setting, devices, bytes);
	free(set.text[SET_METRICS_PER_DEVICE]);
	fleet_free(w);
}

int
main(void)
{
	measure("auto", 10);
	measure("auto", 1000);
	measure("yes", 10000);
	measure("auto", 10000);
	return 0;
}
