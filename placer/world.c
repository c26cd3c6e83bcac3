/* SPDX-License-Identifier: ISC */
/*
 * world.c: what both sides said, and what we remember of it.
 *
 * Owns pods, devices, nodes, the room of devices and the order of what is to
 * be looked at.  Never decides, never sends, never reads a clock.
 */
#include "placer/world.h"

#include <bsd/string.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/pick.h"

RB_GENERATE(wpod_tree, wpod, link, wpod_cmp)
RB_GENERATE(wname_tree, wpod, by_name, wname_cmp)
RB_GENERATE(wgroup_tree, wgroup, link, wgroup_cmp)
RB_GENERATE(wdevice_tree, wdevice, link, wdevice_cmp)
RB_GENERATE(due_tree, due, link, due_cmp)

int
wpod_cmp(const struct wpod *a, const struct wpod *b)
{
	return strcmp(a->uid, b->uid);
}

int
wname_cmp(const struct wpod *a, const struct wpod *b)
{
	int c;

	if ((c = strcmp(a->ns, b->ns)) != 0 ||
	    (c = strcmp(a->name, b->name)) != 0)
		return c;
	return strcmp(a->uid, b->uid);
}

int
wgroup_cmp(const struct wgroup *a, const struct wgroup *b)
{
	return strcmp(a->uid, b->uid);
}

int
wdevice_cmp(const struct wdevice *a, const struct wdevice *b)
{
	return strcmp(a->name, b->name);
}

int
due_cmp(const struct due *a, const struct due *b)
{
	if (a->at_boot != b->at_boot)
		return a->at_boot < b->at_boot ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return 0;
}

int
world_init(struct world *w, const struct settings *set, struct why *why)
{
	struct fleet_node nodes[MAX_NODES];
	int i, n;

	memset(w, 0, sizeof(*w));
	RB_INIT(&w->pods);
	RB_INIT(&w->names);
	RB_INIT(&w->groups);
	RB_INIT(&w->devices);
	RB_INIT(&w->due_pods);
	RB_INIT(&w->due_devices);
	if ((n = settings_nodes(set, nodes, MAX_NODES, why)) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		memcpy(w->nodes[i].fleet, nodes[i].fleet,
		    sizeof(w->nodes[i].fleet));
		memcpy(w->nodes[i].name, nodes[i].node,
		    sizeof(w->nodes[i].name));
		TAILQ_INIT(&w->nodes[i].devices);
		TAILQ_INIT(&w->nodes[i].waiting);
		w->nodes[i].table = pick_table_new();
		w->nodes[i].figures_dirty = 1;
	}
	w->nnodes = (size_t)n;
	w->set = set;
	w->fleet_label = xstrdup(set->text[SET_FLEET_LABEL]);
	w->default_cpu_m = set->number[SET_DEVICE_DEFAULT_CPU];
	w->default_memory = set->number[SET_DEVICE_DEFAULT_MEMORY];
	w->max_pods = (uint32_t)set->number[SET_DEVICE_MAX_PODS];
	w->reconnect_ms = set->number[SET_DEVICE_RECONNECT_TIMEOUT];
	w->apply_ms = set->number[SET_APPLY_TIMEOUT];
	return 0;
}

void
world_clear(struct world *w)
{
	struct wdevice *d;
	struct wpod *p;
	size_t i;

	while ((p = RB_MIN(wpod_tree, &w->pods)) != NULL) {
		world_unseat(w, p);
		world_drop_pod(w, p);
	}
	while ((d = RB_MIN(wdevice_tree, &w->devices)) != NULL)
		world_drop_device(w, d);
	for (i = 0; i < w->nnodes; i++)
		pick_table_free(w->nodes[i].table);
	free(w->fleet_label);
	memset(w, 0, sizeof(*w));
}

struct wnode *
world_node(struct world *w, const char *name)
{
	size_t i;

	for (i = 0; i < w->nnodes; i++)
		if (strcmp(w->nodes[i].name, name) == 0)
			return &w->nodes[i];
	return NULL;
}

/* -- what to look at again -------------------------------------------- */

static void
due_set(struct world *w, struct due_tree *t, struct due *d, int64_t at_boot)
{
	if (d->at_boot != 0 && d->at_boot <= at_boot)
		return;
	if (d->at_boot != 0)
		RB_REMOVE(due_tree, t, d);
	d->at_boot = at_boot;
	d->seq = ++w->seq;
	RB_INSERT(due_tree, t, d);
}

static void
due_clear(struct due_tree *t, struct due *d)
{
	if (d->at_boot == 0)
		return;
	RB_REMOVE(due_tree, t, d);
	d->at_boot = 0;
}

static struct due *
due_next(struct due_tree *t, int64_t boot_ms)
{
	struct due *d;

	d = RB_MIN(due_tree, t);
	if (d == NULL || d->at_boot > boot_ms)
		return NULL;
	due_clear(t, d);
	return d;
}

#define OWNER_OF(d, type) ((struct type *)((char *)(d) - offsetof(struct type, due)))

/* 1 is before any instant: at once. */
void
world_look(struct world *w, struct wpod *p)
{
	due_set(w, &w->due_pods, &p->due, 1);
}

void
world_look_at(struct world *w, struct wpod *p, int64_t boot_ms)
{
	due_set(w, &w->due_pods, &p->due, boot_ms);
}

void
world_look_device(struct world *w, struct wdevice *d)
{
	due_set(w, &w->due_devices, &d->due, 1);
}

void
world_look_device_at(struct world *w, struct wdevice *d, int64_t boot_ms)
{
	due_set(w, &w->due_devices, &d->due, boot_ms);
}

void
world_look_pods_of(struct world *w, struct wdevice *d)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		world_look(w, p);
}

void
world_look_all(struct world *w)
{
	struct wdevice *d;
	struct wpod *p;

	RB_FOREACH(p, wpod_tree, &w->pods)
		world_look(w, p);
	RB_FOREACH(d, wdevice_tree, &w->devices)
		world_look_device(w, d);
}

struct wpod *
world_next_pod(struct world *w, int64_t boot_ms)
{
	struct due *d;

	if ((d = due_next(&w->due_pods, boot_ms)) == NULL)
		return NULL;
	return OWNER_OF(d, wpod);
}

struct wdevice *
world_next_device(struct world *w, int64_t boot_ms)
{
	struct due *d;

	if ((d = due_next(&w->due_devices, boot_ms)) == NULL)
		return NULL;
	return OWNER_OF(d, wdevice);
}

int64_t
world_next_due(const struct world *w)
{
	struct due_tree pods = w->due_pods, devices = w->due_devices;
	const struct due *p, *d;
	int64_t at = INT64_MAX;

	if ((p = RB_MIN(due_tree, &pods)) != NULL)
		at = p->at_boot;
	if ((d = RB_MIN(due_tree, &devices)) != NULL && d->at_boot < at)
		at = d->at_boot;
	return at;
}

/* -- pods ---------------------------------------------------------------- */

struct wpod *
world_pod(struct world *w, const char *uid)
{
	struct wpod key = { .uid = NULL };

	memcpy(&key.uid, &uid, sizeof(key.uid));
	return RB_FIND(wpod_tree, &w->pods, &key);
}

struct wpod *
world_add_pod(struct world *w, const char *uid, const char *ns,
    const char *name)
{
	struct wpod *p;

	p = xcalloc(1, sizeof(*p));
	p->uid = xstrdup(uid);
	p->ns = xstrdup(ns);
	p->name = xstrdup(name);
	p->state = LOOKING;
	RB_INSERT(wpod_tree, &w->pods, p);
	RB_INSERT(wname_tree, &w->names, p);
	w->npods++;
	world_look(w, p);
	return p;
}

static int
is_namesake(const struct wpod *p, const struct wpod *q)
{
	return q != NULL && strcmp(p->ns, q->ns) == 0 &&
	    strcmp(p->name, q->name) == 0;
}

struct wpod *
world_namesake(struct world *w, const struct wpod *p)
{
	struct wpod key = { .ns = p->ns, .name = p->name }, *q;
	char none[] = "";

	key.uid = none;
	for (q = RB_NFIND(wname_tree, &w->names, &key); is_namesake(p, q);
	     q = RB_NEXT(wname_tree, &w->names, q))
		if (q != p && q->device != NULL)
			return q;
	return NULL;
}

static void
leave_group(struct world *w, struct wpod *p)
{
	struct wgroup *g = p->group;

	if (g == NULL)
		return;
	if (p->device != NULL)
		TAILQ_REMOVE(&g->pods, p, in_group);
	p->group = NULL;
	if (--g->refs > 0)
		return;
	RB_REMOVE(wgroup_tree, &w->groups, g);
	free(g->uid);
	free(g);
}

static void
join_group(struct world *w, struct wpod *p, const char *uid)
{
	struct wgroup key, *g;

	key.uid = xstrdup(uid);
	if ((g = RB_FIND(wgroup_tree, &w->groups, &key)) != NULL) {
		free(key.uid);
	} else {
		g = xcalloc(1, sizeof(*g));
		g->uid = key.uid;
		TAILQ_INIT(&g->pods);
		RB_INSERT(wgroup_tree, &w->groups, g);
	}
	g->refs++;
	p->group = g;
	if (p->device != NULL)
		TAILQ_INSERT_TAIL(&g->pods, p, in_group);
}

static void
stop_waiting(struct wpod *p)
{
	if (!p->waiting)
		return;
	TAILQ_REMOVE(&p->node->waiting, p, waits);
	p->waiting = 0;
}

/* Oldest first; most come in order, so the walk from the end is short. */
static void
start_waiting(struct wpod *p)
{
	struct wpod *q;

	if (p->waiting || p->node == NULL)
		return;
	TAILQ_FOREACH_REVERSE(q, &p->node->waiting, wpod_list, waits)
		if (q->pod->order_ms <= p->pod->order_ms)
			break;
	if (q == NULL)
		TAILQ_INSERT_HEAD(&p->node->waiting, p, waits);
	else
		TAILQ_INSERT_AFTER(&p->node->waiting, q, p, waits);
	p->waiting = 1;
}

static void
wait_or_not(struct wpod *p)
{
	if (p->pod != NULL && p->device == NULL && !p->pod->terminating)
		start_waiting(p);
	else
		stop_waiting(p);
}

void
world_free_needs(struct wpod *p)
{
	struct wneeds *n = p->needs;
	size_t i;

	if (n == NULL)
		return;
	for (i = 0; i < n->n; i++) {
		free(n->names[i]);
		free(n->bytes[i]);
	}
	free(n->names);
	free(n->bytes);
	free(n->lens);
	free(n);
	p->needs = NULL;
}

void
world_drop_pod(struct world *w, struct wpod *p)
{
	world_no_pod(w, p);
	leave_group(w, p);
	due_clear(&w->due_pods, &p->due);
	RB_REMOVE(wpod_tree, &w->pods, p);
	RB_REMOVE(wname_tree, &w->names, p);
	w->npods--;
	free(p->raw);
	free(p->entry);
	world_free_needs(p);
	free(p->why_waits);
	free(p->uid);
	free(p->ns);
	free(p->name);
	free(p);
}

void
world_device_changed(struct wdevice *d)
{
	if (d->node == NULL)
		return;
	pick_table_update(d->node->table, d);
	d->node->figures_dirty = 1;
}

static void
set_room(struct wpod *p, struct fit_room room)
{
	if (p->device != NULL) {
		fit_take(&p->device->used, &p->room);
		fit_add(&p->device->used, &room);
		world_device_changed(p->device);
	}
	p->room = room;
}

void
world_set_pod(struct world *w, struct wpod *p, struct pod *pod)
{
	stop_waiting(p);
	if (p->pod != NULL)
		pod_free(p->pod);
	p->pod = pod;
	p->node = world_node(w, pod->node);
	if (p->group == NULL && pod->controller != NULL)
		join_group(w, p, pod->controller);
	set_room(p, (struct fit_room){ pod->cpu_m, pod->memory, 1 });
	wait_or_not(p);
	if (p->node != NULL)
		p->node->figures_dirty = 1;
	world_look(w, p);
}

void
world_no_pod(struct world *w, struct wpod *p)
{
	stop_waiting(p);
	if (p->pod == NULL)
		return;
	pod_free(p->pod);
	p->pod = NULL;
	if (p->node != NULL)
		p->node->figures_dirty = 1;
	world_look(w, p);
}

void
world_seat(struct world *w, struct wpod *p, struct wdevice *d)
{
	stop_waiting(p);
	p->device = d;
	TAILQ_INSERT_TAIL(&d->pods, p, on_device);
	d->npods++;
	fit_add(&d->used, &p->room);
	if (p->group != NULL)
		TAILQ_INSERT_TAIL(&p->group->pods, p, in_group);
	world_device_changed(d);
	world_look(w, p);
}

void
world_unseat(struct world *w, struct wpod *p)
{
	struct wdevice *d = p->device;

	if (d == NULL)
		return;
	TAILQ_REMOVE(&d->pods, p, on_device);
	d->npods--;
	d->nqueued -= p->queued != IO_NONE;
	d->nurgent -= p->queued == IO_CUT;
	fit_take(&d->used, &p->room);
	if (p->group != NULL)
		TAILQ_REMOVE(&p->group->pods, p, in_group);
	p->device = NULL;
	p->retreating = p->sent = p->applied = p->adopted = 0;
	p->unread = p->withheld = p->blamed = p->ended = 0;
	p->queued = p->flying = IO_NONE;
	p->running_ms = 0;
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
	wait_or_not(p);
	world_look(w, p);
	world_look_device(w, d);
}

/* -- devices --------------------------------------------------------------- */

struct wdevice *
world_device(struct world *w, const char *name)
{
	struct wdevice key = { .name = NULL };

	memcpy(&key.name, &name, sizeof(key.name));
	return RB_FIND(wdevice_tree, &w->devices, &key);
}

struct wdevice *
world_add_device(struct world *w, const char *name)
{
	struct wdevice *d;

	d = xcalloc(1, sizeof(*d));
	d->name = xstrdup(name);
	TAILQ_INIT(&d->pods);
	RB_INSERT(wdevice_tree, &w->devices, d);
	return d;
}

static void
leave_node(struct wdevice *d)
{
	if (d->node == NULL)
		return;
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
	due_clear(&w->due_devices, &d->due);
	RB_REMOVE(wdevice_tree, &w->devices, d);
	device_free(d->dev);
	free(d->wrote_created);
	free(d->judged);
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

/* An entry with our mark whose pod has no seat gives it one. */
static void
adopt(struct world *w, struct wdevice *d, const struct app_entry *e)
{
	struct wnode *n;
	struct wpod *p;

	if (e->uid == NULL || e->ns == NULL || e->pod == NULL)
		return;
	n = e->node == NULL ? d->node : world_node(w, e->node);
	if (n == NULL)
		return; /* of a node that we do not serve: untouched */
	if ((p = world_pod(w, e->uid)) == NULL) {
		p = world_add_pod(w, e->uid, e->ns, e->pod);
		p->room = (struct fit_room){ e->cpu_m, e->memory, 1 };
		p->node = n;
	}
	if (p->device != NULL && !is_elsewhere(p, d))
		return;
	world_unseat(w, p);
	if (strlcpy(p->app, e->name, sizeof(p->app)) >= sizeof(p->app))
		return;
	world_seat(w, p, d);
	p->adopted = 1;
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

void
world_set_device(struct world *w, struct wdevice *d, struct device *dev,
    int64_t read_boot)
{
	enum pick_reason before = pick_usable(d);
	size_t i;

	device_free(d->dev);
	d->dev = dev;
	d->gone = d->unreadable = 0;
	d->read_boot = read_boot;
	set_total(w, d);
	join_node(d, node_of(w, dev));
	for (i = 0; i < dev->nentries; i++)
		adopt(w, d, &dev->entries[i]);
	world_device_changed(d);
	if (before != PICK_FITS && pick_usable(d) == PICK_FITS &&
	    d->node != NULL)
		d->node->retry = 1;
	world_look_pods_of(w, d);
	world_look_device(w, d);
}
