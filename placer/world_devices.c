/* SPDX-License-Identifier: ISC */
/*
 * world_devices.c: devices in the world: their fleet, their capacity, and the
 * pods whose mark stands in their spec.
 *
 * Owns adoption.  Never decides, never sends, never reads a clock.
 */
#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "common/least.h"
#include "common/limits.h"
#include "common/xmem.h"
#include "placer/former.h"
#include "placer/pick.h"
#include "placer/proof.h"
#include "placer/reserve.h"
#include "placer/world.h"

enum {
	THAW_ROUNDS = 2,      /* as an orphan has, see facts.c */
	SPEC_NEWS = 64 * 1024 /* bytes: a status comes and goes */
};

RB_GENERATE(wdevice_tree, wdevice, link, wdevice_cmp)

int
wdevice_cmp(const struct wdevice *a, const struct wdevice *b)
{
	return strcmp(a->name, b->name);
}

struct wdevice *
world_device(const struct world *w, const char *name)
{
	struct wdevice_tree devices = w->devices;
	struct wdevice key = { .name = NULL };

	memcpy(&key.name, &name, sizeof(key.name));
	return RB_FIND(wdevice_tree, &devices, &key);
}

struct wdevice *
world_device_or_new(struct world *w, const char *name)
{
	struct wdevice *d = world_device(w, name);

	if (d != NULL)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->name = xstrdup(name);
	TAILQ_INIT(&d->pods);
	RB_INSERT(wdevice_tree, &w->devices, d);
	return d;
}

void
world_suspect(struct wdevice *d)
{
	if (d->want_read < READ_SUSPECT)
		d->want_read = READ_SUSPECT;
}

static void
leave_node(struct wdevice *d)
{
	if (d->node == NULL)
		return;
	reserve_lose(d);
	TAILQ_REMOVE(&d->node->devices, d, on_node);
	d->node->ndevices--;
	d->node->figures_dirty = 1;
	d->node->brake_stale = 1;
	pick_table_stale(d->node->table);
	d->node = NULL;
}

static void
join_node(struct wdevice *d, struct wnode *n)
{
	if (d->node == n)
		return;
	leave_node(d);
	if (n == NULL)
		return;
	d->node = n;
	TAILQ_INSERT_TAIL(&n->devices, d, on_node);
	n->ndevices++;
	n->figures_dirty = 1;
	n->brake_stale = 1; /* its clock may run since before our start */
	pick_table_stale(n->table);
}

void
world_drop_device(struct world *w, struct wdevice *d)
{
	leave_node(d);
	world_unlook_device(w, d);
	proof_drop(w->proofs, d);
	RB_REMOVE(wdevice_tree, &w->devices, d);
	device_free(d->dev);
	free(d->wrote_created);
	free(d->judged);
	free(d->given_up_created);
	free(d->name);
	free(d);
}

static struct wnode *
node_of(struct world *w, const struct device *dev)
{
	const char *fleet;
	size_t i;

	if (w->nnodes == 1 && w->nodes[0].fleet[0] == '\0')
		return &w->nodes[0];
	if ((fleet = device_label(dev, w->fleet_label)) == NULL)
		return NULL;
	for (i = 0; i < w->nnodes; i++)
		if (strcmp(w->nodes[i].fleet, fleet) == 0)
			return &w->nodes[i];
	return NULL;
}

/*
 * The pod's seat does not hold it, and nothing is on its way there: another
 * writer put it on d.
 */
static int
is_elsewhere(const struct wpod *p, const struct wdevice *d)
{
	return p->device != d && p->device->dev != NULL &&
	    p->flying == IO_NONE &&
	    device_entry(p->device->dev, p->app) == NULL;
}

/* NULL: of a node that we do not serve, untouched until that is purged. */
static struct wnode *
node_named(struct world *w, const struct wdevice *d, const struct app_entry *e)
{
	struct wnode *n;

	if (e->node == NULL)
		return d->node;
	if ((n = world_node(w, e->node)) != NULL)
		return n;
	n = former_get(w, e->node);
	return n != NULL && n->purge.on ? n : NULL;
}

/* An entry with our mark whose pod has no seat gives it one. */
static void
adopt(struct world *w, struct wdevice *d, const struct app_entry *e)
{
	struct wnode *n;
	struct wpod *p;

	if (e->uid == NULL || e->ns == NULL || e->pod == NULL)
		return;
	if ((n = node_named(w, d, e)) == NULL)
		return;
	if (d->given_up.on && world_is_closed(d))
		return; /* nothing runs there, and nothing can be taken out */
	if ((p = world_pod(w, e->uid)) == NULL) {
		p = world_add_pod(w, e->uid, e->ns, e->pod);
		p->room = (struct fit_room){ e->cpu_m, e->memory, 1, 0 };
		p->node = n;
	}
	if (p->pod == NULL && p->node == NULL)
		p->node = n;
	if (p->device == d && !p->sent) { /* it was, by another replica */
		p->sent = 1;
		p->sent_images = e->images;
	}
	if (p->device != NULL && !is_elsewhere(p, d))
		return;
	world_unseat(w, p);
	if (strlcpy(p->app, e->name, sizeof(p->app)) >= sizeof(p->app))
		return;
	world_seat(w, p, d);
	p->adopted = 1;
	p->adopted_round = (uint32_t)w->rounds;
	p->sent = 1;
	p->sent_images = e->images;
}

static void
set_total(struct world *w, struct wdevice *d)
{
	d->total.cpu_m = d->dev->cpu_m > 0 ? d->dev->cpu_m : w->default_cpu_m;
	d->total.memory =
	    d->dev->memory > 0 ? d->dev->memory : w->default_memory;
	d->total.pods = w->max_pods;
}

/*
 * A pod takes its application's bytes as the device has them, and those of its
 * entry until it has them; all else that is in the document is not ours to
 * give away.
 */
static void
set_spec(struct world *w, struct wdevice *d)
{
	const struct app_entry *e = d->dev->entries;
	struct fit_room room;
	struct wpod *p;
	size_t i;

	d->total.spec = MAX_DEVICE - d->dev->bytes;
	for (i = 0; i < d->dev->nentries; i++, e++) {
		if (e->uid == NULL || (p = world_pod(w, e->uid)) == NULL ||
		    p->device != d || strcmp(p->app, e->name) != 0)
			continue;
		d->total.spec += e->bytes;
		room = p->room;
		room.spec = e->bytes;
		world_set_room(p, room);
	}
	d->total.spec = most(d->total.spec, 0);
}

static int
same_labels(const struct device *a, const struct device *b)
{
	size_t i;

	if (a->nlabels != b->nlabels)
		return 0;
	for (i = 0; i < a->nlabels; i++)
		if (strcmp(a->labels[i].key, b->labels[i].key) != 0 ||
		    strcmp(a->labels[i].value, b->labels[i].value) != 0)
			return 0;
	return 1;
}

/* Might a pod that found nothing find this device now? */
static int
is_news(const struct wdevice *d, const struct device *dev)
{
	const struct device *old = d->dev;

	return pick_usable(d) != PICK_FITS || old->cpu_m != dev->cpu_m ||
	    old->memory != dev->memory || !same_labels(old, dev);
}

/* Another device under the same name knows nothing of what we sent. */
static void
new_incarnation(struct wdevice *d)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		p->applied = p->ended = p->blamed = p->withheld = p->suspect =
		    p->there = p->untold = 0;
	d->isolating = d->thaw = 0;
	d->contest_ms = d->stalled_boot = d->stall_ms = d->nudged_boot = 0;
	d->unseen_boot = 0;
	d->ours = 0;
	memset(d->undone_boot, 0, sizeof(d->undone_boot));
}

/*
 * Flightctl was restored from a backup: this read began after our last write
 * was answered, and is of a time before it.
 */
static int
went_back(const struct wdevice *d, const struct device *dev, int64_t read_boot)
{
	return d->wrote_created != NULL &&
	    strcmp(d->wrote_created, dev->created) == 0 &&
	    dev->generation < d->wrote_generation && d->change_id == 0 &&
	    read_boot > d->sent_boot;
}

static int
is_held(const struct device *dev)
{
	return dev->summary == DEVICE_AWAITING_RECONNECT ||
	    dev->summary == DEVICE_CONFLICT_PAUSED;
}

int
world_is_frozen(const struct wdevice *d)
{
	return d->unreadable || d->dev == NULL || d->thaw > 0 ||
	    is_held(d->dev);
}

int
world_is_closed(const struct wdevice *d)
{
	return world_is_frozen(d) || d->dev->owner != NULL ||
	    d->dev->decommissioning;
}

int
world_is_drained(const struct wdevice *d)
{
	return d->drained.on || (d->node != NULL && d->node->retired.on);
}

/* What its spec says is not what we left there, and nobody undid it. */
static void
restored(struct wdevice *d)
{
	struct wpod *p;

	d->thaw = THAW_ROUNDS;
	d->wrote_generation = 0;
	d->ours = 0;
	d->stalled_boot = d->stall_ms = d->nudged_boot = d->unseen_boot = 0;
	TAILQ_FOREACH(p, &d->pods, on_device)
		p->there = p->untold = 0;
}

void
world_set_device(struct world *w, struct wdevice *d, struct device *dev,
    int64_t read_boot)
{
	int64_t spec = d->total.spec;
	int news = is_news(d, dev);
	size_t i;

	if (d->dev != NULL && strcmp(d->dev->created, dev->created) != 0)
		new_incarnation(d);
	if (is_held(dev) || went_back(d, dev, read_boot))
		restored(d);
	device_free(d->dev);
	d->dev = dev;
	d->gone = d->unreadable = 0;
	d->read_boot = read_boot;
	set_total(w, d);
	join_node(d, node_of(w, dev));
	for (i = 0; i < dev->nentries; i++)
		adopt(w, d, &dev->entries[i]);
	set_spec(w, d);
	news |= d->total.spec - spec >= SPEC_NEWS;
	world_device_changed(d);
	if (news && pick_usable(d) == PICK_FITS && d->node != NULL)
		d->node->retry = 1;
	world_look_pods_of(w, d);
	world_look_device(w, d);
}
