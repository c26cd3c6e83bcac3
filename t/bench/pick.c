/* SPDX-License-Identifier: ISC */
/*
 * pick.c: placement decisions per second at 10, 1,000 and 10,000 devices of
 * four sizes, two pods for each; every other pod belongs to a controller of
 * fifty.  Timed with the seat, which keeps the index.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/mono.h"
#include "placer/pick.h"
#include "t/unit/fleet.h"

enum {
	DECISIONS = 20000
};

/* Microseconds that the decisions of one fresh world take; -1: none found. */
static int64_t
decide(int devices, int decisions)
{
	struct world *w = fleet_world();
	struct pick_answer a;
	struct wpod *p;
	int64_t us = 0, began;
	char name[32], group[32];
	int i;

	for (i = 0; i < devices; i++) {
		(void)snprintf(name, sizeof(name), "edge-%05d", i);
		fleet_add(w,
		    &(struct fleet_device){ name, 2 << i % 4, 2048 << i % 4,
			NULL, NULL, NULL });
	}
	for (i = 0; i < decisions && us >= 0; i++) {
		(void)snprintf(name, sizeof(name), "pod-%05d", i);
		(void)snprintf(group, sizeof(group), "set-%d", i / 100);
		p = fleet_pod(w, name, "100m", "64Mi", i % 2 ? group : NULL,
		    NULL);
		began = now_us();
		pick_device(&w->nodes[0], p, 1, &a);
		if (a.device != NULL)
			world_seat(w, p, a.device);
		us = a.device == NULL ? -1 : us + now_us() - began;
	}
	fleet_free(w);
	return us;
}

int
main(void)
{
	static const int devices[] = { 10, 1000, 10000 };
	int64_t us, one;
	size_t i;
	int done;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		us = 0;
		for (done = 0; done < DECISIONS; done += 2 * devices[i]) {
			if ((one = decide(devices[i], 2 * devices[i])) == -1)
				return 1;
			us += one;
		}
		printf("figure decisions_%d %.0f 1/s\n", devices[i],
		    DECISIONS * 1e6 / (double)us);
	}
	return 0;
}
