/* SPDX-License-Identifier: ISC */
/*
 * turn.c: 10,000 devices report at once, each with a pod that runs: what taking
 * in one report costs (as recorded from Flightctl, 2.3 kB), and the turn after
 * all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mono.h"
#include "common/xmem.h"
#include "placer/intake.h"
#include "placer/plan.h"
#include "t/unit/fleet.h"
#include "t/unit/golden.h"

enum {
	DEVICES = 10000,
	NAME = 52 /* of a device: its length in the recording */
};

static char *
recorded(void)
{
	char *text = golden_read("device", "545-flow-4-version.json");

	if (text == NULL || strstr(text, "\"name\":\"") == NULL) {
		fprintf(stderr, "turn: no recorded device\n");
		exit(1);
	}
	return text;
}

/* Every name of the recorded device becomes that of the i-th. */
static void
rename_device(char *text, const char *old, int i)
{
	char name[NAME + 1], *at;

	(void)snprintf(name, sizeof(name), "edge-%047d", i);
	while ((at = strstr(text, old)) != NULL)
		memcpy(at, name, NAME);
}

static int64_t
report(struct world *w, char **texts, struct now now, struct effects *fx)
{
	struct body_device m = { .read_boot = (uint64_t)now.boot_ms };
	int64_t began = now_us();
	int i;

	for (i = 0; i < DEVICES; i++) {
		m.object = span_of(texts[i]);
		intake_device(w, &m, now, fx);
	}
	return now_us() - began;
}

static void
seat_pods(struct world *w)
{
	struct wdevice *d;
	struct wpod *p;
	char name[32];
	int i = 0;

	RB_FOREACH(d, wdevice_tree, &w->devices) {
		(void)snprintf(name, sizeof(name), "pod-%05d", i++);
		p = fleet_pod(w, name, "100m", "64Mi", NULL, NULL);
		world_seat(w, p, d);
		p->sent = p->applied = 1;
	}
}

int
main(void)
{
	char **texts = xcalloc(DEVICES, sizeof(*texts));
	char *text = recorded(), old[NAME + 1];
	struct world *w = fleet_world();
	struct effects fx = { 0 };
	struct now now = { 1000, 1795419780000 };
	int64_t us, began;
	int i;

	(void)snprintf(old, sizeof(old), "%s",
	    strstr(text, "\"name\":\"") + strlen("\"name\":\""));
	for (i = 0; i < DEVICES; i++) {
		texts[i] = xstrdup(text);
		rename_device(texts[i], old, i);
	}
	(void)report(w, texts, now, &fx);
	seat_pods(w);
	plan_turn(w, now, &fx);
	effects_clear(&fx);
	now.boot_ms += 30 * 1000;
	now.wall_ms += 30 * 1000;
	us = report(w, texts, now, &fx);
	printf("figure report %.1f us\n", (double)us / DEVICES);
	began = now_us();
	plan_turn(w, now, &fx);
	printf("figure turn_10000 %.1f ms\n", (double)(now_us() - began) / 1e3);
	effects_clear(&fx);
	for (i = 0; i < DEVICES; i++)
		free(texts[i]);
	free(texts);
	free(text);
	fleet_free(w);
	return 0;
}
