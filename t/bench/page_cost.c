/* SPDX-License-Identifier: ISC */
/*
 * page_cost.c: what the status page costs the placer at 10,000 devices and
 * 10,000 pods: an answer to each of its questions, in time of a CPU and bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mono.h"
#include "placer/api.h"
#include "t/unit/fleet.h"

enum {
	DEVICES = 10000,
	TIMES = 20,
	NAMED = 40,
};

static const char waits[] =
    "0/10000 devices fit: 9000 no room for memory (256Mi asked, at most "
    "128Mi free), 1000 disconnected";

static void
fill(struct world *w)
{
	char name[NAMED];
	struct wdevice *d;
	struct wpod *p;
	int i;

	for (i = 0; i < DEVICES; i++) {
		(void)snprintf(name, sizeof(name), "edge-%05d", i);
		d = fleet_add(w,
		    &(struct fleet_device){ name, 4, 4096, NULL, NULL,
			i % 10 == 0 ? "Unknown" : NULL });
		(void)snprintf(name, sizeof(name), "web-7d9c6b5f4-%05d", i);
		p = fleet_pod(w, name, "100m", "64Mi", NULL, NULL);
		if (i % 20 == 0) {
			p->state = WAITING;
			p->why_waits = strdup(waits);
			continue;
		}
		world_seat(w, p, d);
		p->state = RUNNING;
	}
}

static void
measure(const struct world *w, const char *name, const char *path,
    struct api_query q)
{
	struct now now = { 1000, 1795419780000 };
	clock_t began = clock();
	size_t len = 0;
	char *text;
	int i;

	for (i = 0; i < TIMES; i++) {
		if (api_answer(w, now, path, &q, &text) != API_OK)
			abort();
		len = strlen(text);
		free(text);
	}
	printf("figure page_%s %.2f ms\n", name,
	    (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC / TIMES);
	printf("figure page_%s_bytes %zu B\n", name, len);
}

int
main(void)
{
	struct world *w = fleet_world();

	fill(w);
	measure(w, "status", "/api/status", (struct api_query){ 0 });
	measure(w, "fleets", "/api/fleets", (struct api_query){ 0 });
	measure(w, "pods", "/api/pods", (struct api_query){ 0 });
	measure(w, "devices", "/api/devices", (struct api_query){ 0 });
	measure(w, "search", "/api/pods",
	    (struct api_query){ .match = "web 9999" });
	measure(w, "explain", "/api/explain",
	    (struct api_query){ .pod = "default/web-7d9c6b5f4-00020" });
	fleet_free(w);
	return 0;
}
