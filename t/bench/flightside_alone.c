/* SPDX-License-Identifier: ISC */
/*
 * flightside_alone.c: flightside between a Flightctl and this program, which
 * plays supervisor and placer: each device is changed again as soon as it was.
 * The figure says how many compare-and-swap writes (a read, a splice, the
 * device policy, a PUT) go through in a second.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "placer/quadlet.h"
#include "t/bench/alone.h"
#include "t/it/it.h"
#include "t/it/world.h"

#define CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"
#define UID "de19433b-1e42-4ab7-a497-58683eeb7579"
#define POD                                                               \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":" \
	"\"web\",\"namespace\":\"default\",\"uid\":\"" UID "\"},"         \
	"\"spec\":{\"containers\":[{\"name\":\"c\","                      \
	"\"image\":\"quay.io/a/b:%u\"}]}}"

enum {
	DEVICES = 16,
	WRITES = 2000,
	PATIENCE_S = 60,
	UNTIL_MS = 3600 * 1000,
};

static struct {
	char *edits[2]; /* the same pod with one image and with another */
	unsigned int sent[DEVICES], stored;
	int64_t began_ms;
} bench;

static char *
edit_with(unsigned int image)
{
	AUTO_FREE char *pod = xasprintf(POD, image);
	char app[MAX_APP + 1], *edit;
	struct quadlet_in in = { .pod = span_of(pod),
		.app = app,
		.cluster = CLUSTER,
		.node = world_node(),
		.cpu_m = 100,
		.memory = 64 << 20 };
	struct quadlet q;
	struct why why;

	if (mark_name(CLUSTER, "default", "web", UID, app) == -1 ||
	    quadlet_render(&in, &q, &why) == -1)
		it_die("the pod cannot be translated");
	edit = xasprintf("{\"applications\":{\"set\":[%s]}}", q.application);
	quadlet_clear(&q);
	return edit;
}

static void
change(unsigned int device)
{
	struct body_change m = { .until_boot = (uint64_t)(now_read().boot_ms +
				     UNTIL_MS) };

	(void)snprintf(m.device, sizeof(m.device), "%s-%u", world_fleet(),
	    device);
	m.edit = span_of(bench.edits[bench.sent[device]++ % 2]);
	alone_say(MSG_CHANGE, &m);
}

static void
begin(void)
{
	struct body_cluster m = { .cluster = CLUSTER };
	unsigned int i;

	alone_say(MSG_CLUSTER, &m);
	bench.began_ms = now_read().boot_ms;
	for (i = 0; i < DEVICES; i++)
		change(i);
}

static void
on_changed(const struct body_changed *m)
{
	if (m->kind != ERR_NONE || !m->written)
		it_die("device %s: %s", m->device, m->text);
	if (++bench.stored < WRITES) {
		change(
		    (unsigned int)atoi(m->device + strlen(world_fleet()) + 1));
		return;
	}
	printf("figure cas_write_rate %.0f 1/s\n",
	    bench.stored * 1e3 / (double)(now_read().boot_ms - bench.began_ms));
	alone_stop();
}

static void
on_frame(struct frame *f)
{
	struct body_changed m;

	if (f->type == MSG_CHANGED && bench.stored < WRITES &&
	    body_changed_get(f->body, &m) == 0)
		on_changed(&m);
}

static void
scenario(void)
{
	static const struct alone_ops ops = { begin, on_frame };
	AUTO_FREE char *fleet = NULL;
	const char *settings[16] = { "FLIGHTCTL_RATE=1000000",
		"CHANGE_RATE=1000000" };
	char *const *s;
	size_t n = 2;

	world_open(&(struct world_conf){ .devices = DEVICES, .apply_ms = -1 });
	bench.edits[0] = edit_with(1);
	bench.edits[1] = edit_with(2);
	settings[n++] = fleet = xasprintf("FLEET_ID=%s", world_fleet());
	for (s = world_settings(); *s != NULL; s++)
		if (strncmp(*s, "FLIGHTCTL_", 10) == 0)
			settings[n++] = *s;
	alone_run(PROC_FLIGHTSIDE, settings, &ops, PATIENCE_S);
	free(bench.edits[0]);
	free(bench.edits[1]);
}

int
main(void)
{
	return it_run("bench", scenario);
}
