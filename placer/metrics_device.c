/* SPDX-License-Identifier: ISC */
/*
 * metrics_device.c: figures of each device, or of its fleet in sum.
 *
 * Owns when there are too many devices for series of their own.  Pure.
 */
#include <string.h>

#include "placer/metrics_own.h"

static int
is_per_device(const struct world *w)
{
	const char *word = w->set->text[SET_METRICS_PER_DEVICE];
	size_t devices = 0, i;

	for (i = 0; i < w->nnodes; i++)
		devices += w->nodes[i].ndevices;
	return strcmp(word, "yes") == 0 ||
	    (strcmp(word, "auto") == 0 && devices <= METRICS_DEVICES);
}

/* d: of that device; NULL: of the fleet. */
static void
sample(struct metric *m, const char *suffix, const struct wnode *n,
    const struct wdevice *d)
{
	metric_sample(m, suffix);
	metric_label(m, "fleet", n->fleet);
	metric_label(m, "device", d == NULL ? "" : d->name);
}

static void
put_room(struct metric *m, const struct wnode *n, const struct wdevice *d,
    const struct fit_room *room)
{
	sample(m, "", n, d);
	metric_label(m, "resource", "cpu");
	metric_us(m, room->cpu_m * 1000);
	sample(m, "", n, d);
	metric_label(m, "resource", "memory");
	metric_count(m, (uint64_t)room->memory);
}

static void
fleet_capacity(struct metric *m, const struct wnode *n)
{
	struct fit_room room = { 0 };
	const struct wdevice *d;

	TAILQ_FOREACH(d, &n->devices, on_node) {
		if (d->dev == NULL)
			continue;
		room.cpu_m += d->total.cpu_m;
		room.memory += d->total.memory;
	}
	put_room(m, n, NULL, &room);
}

static void
put_tally(struct metric *m, const struct wnode *n, const struct wdevice *d,
    const struct tally *t)
{
	sample(m, "_sum", n, d);
	metric_us(m, t->us);
	sample(m, "_count", n, d);
	metric_count(m, t->n);
}

/* Of each device, or of each fleet. */
static void
each(struct metric *m, void (*device)(struct metric *, const struct wdevice *),
    void (*fleet)(struct metric *, const struct wnode *))
{
	int per_device = is_per_device(m->w);
	const struct wdevice *d;
	const struct wnode *n;

	for (n = m->w->nodes; n < m->w->nodes + m->w->nnodes; n++) {
		if (!per_device)
			fleet(m, n);
		else
			TAILQ_FOREACH(d, &n->devices, on_node)
				device(m, d);
	}
}

static void
device_capacity(struct metric *m, const struct wdevice *d)
{
	if (d->dev != NULL)
		put_room(m, d->node, d, &d->total);
}

void
write_capacity(struct metric *m)
{
	each(m, device_capacity, fleet_capacity);
}

static void
device_disconnections(struct metric *m, const struct wdevice *d)
{
	sample(m, "", d->node, d);
	metric_count(m, d->disconnections);
}

static void
fleet_disconnections(struct metric *m, const struct wnode *n)
{
	metric_fleet(m, n, n->disconnections);
}

void
write_disconnections(struct metric *m)
{
	each(m, device_disconnections, fleet_disconnections);
}

static void
device_deployments(struct metric *m, const struct wdevice *d)
{
	if (d->deployed.n > 0)
		put_tally(m, d->node, d, &d->deployed);
}

static void
fleet_deployments(struct metric *m, const struct wnode *n)
{
	put_tally(m, n, NULL, &n->deployed);
}

void
write_deployments(struct metric *m)
{
	each(m, device_deployments, fleet_deployments);
}
