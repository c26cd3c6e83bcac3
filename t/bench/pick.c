/* SPDX-License-Identifier: ISC */
/*
 * pick.c: placement decisions per second at 10,000 devices of four sizes;
 * every other pod belongs to a controller of fifty.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/mono.h"
#include "placer/pick.h"
#include "t/unit/fleet.h"

enum {
	DEVICES = 10000,
	DECISIONS = 20000
};

int
main(void)
{
	struct world *w = fleet_world();
	struct pick_answer a;
	struct wpod *p;
	int64_t us = 0, began;
	char name[32], group[32];
	int i;

	for (i = 0; i < DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "edge-%05d", i);
		fleet_add(w,
		    &(struct fleet_device){ name, 2 << i % 4, 2048 << i % 4,
			NULL, NULL, NULL });
	}
	for (i = 0; i < DECISIONS; i++) {
		(void)snprintf(name, sizeof(name), "pod-%05d", i);
		(void)snprintf(group, sizeof(group), "set-%d", i / 100);
		p = fleet_pod(w, name, "100m", "64Mi", i % 2 ? group : NULL,
		    NULL);
		began = now_us();
		pick_device(&w->nodes[0], p, 1, &a);
		us += now_us() - began;
		if (a.device == NULL)
			return 1;
		world_seat(w, p, a.device);
	}
	printf("figure decisions %.0f 1/s\n", DECISIONS * 1e6 / (double)us);
	fleet_free(w);
	return 0;
}
