/* SPDX-License-Identifier: ISC */
/*
 * world.c: nodes and pods: what both sides said, and what we remember of it.
 *
 * Owns seats, the room that they take, groups and the order of those that
 * wait.  Never decides, never sends, never reads a clock.
 */
#include "placer/world.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/fault.h"
#include "placer/former.h"
#include "placer/kept.h"
#include "placer/live.h"
#include "placer/pick.h"
#include "placer/proof.h"
#include "placer/reserve.h"
#include "placer/told.h"

RB_GENERATE(wpod_tree, wpod, link, wpod_cmp)
RB_GENERATE(wname_tree, wpod, by_name, wname_cmp)
RB_GENERATE(wgroup_tree, wgroup, link, wgroup_cmp)

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
world_init(struct world *w, const struct settings *set, struct why *why)
{
	struct fleet_node nodes[MAX_NODES];
	int i, n;

	memset(w, 0, sizeof(*w));
	RB_INIT(&w->pods);
	RB_INIT(&w->names);
	RB_INIT(&w->groups);
	RB_INIT(&w->devices);
	RB_INIT(&w->objects);
	TAILQ_INIT(&w->polls);
	RB_INIT(&w->due_pods);
	RB_INIT(&w->due_devices);
	w->proofs = proof_new();
	w->told = told_new();
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
	pace_init(&w->pace, set->number[SET_FLIGHTCTL_RATE]);
	w->apply_ms = set->number[SET_APPLY_TIMEOUT];
	w->host = strcmp(set->text[SET_ALLOW_PRIVILEGED], "yes") == 0;
	w->registries = set->text[SET_IMAGE_REGISTRIES];
	w->secrets = strcmp(set->text[SET_SECRETS], "inline") == 0;
	w->pull_ms = set->number[SET_PULL_TIMEOUT];
	return 0;
}

static void
free_labels(struct wnode *n)
{
	size_t i;

	for (i = 0; i < n->nlabels; i++) {
		free(n->labels[i].key);
		free(n->labels[i].value);
	}
	free(n->labels);
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
	proof_free(w->proofs);
	told_free(w->told);
	for (i = 0; i < w->nnodes; i++) {
		pick_table_free(w->nodes[i].table);
		free_labels(&w->nodes[i]);
		kept_clear(&w->nodes[i]);
	}
	former_clear(w);
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

void
world_set_node_labels(struct wnode *n, struct label *labels, size_t count)
{
	free_labels(n);
	n->labels = labels;
	n->nlabels = count;
	n->labels_known = 1;
	n->retry = 1;
}

/* -- pods -- */

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

struct wpod *
world_named(const struct world *w, const char *ns, const char *name,
    struct wpod *after)
{
	struct wname_tree names = w->names;
	struct wpod key = { .ns = NULL }, *q = after;
	char none[] = "";

	memcpy(&key.ns, &ns, sizeof(key.ns));
	memcpy(&key.name, &name, sizeof(key.name));
	key.uid = none;
	q = q != NULL ? RB_NEXT(wname_tree, &names, q) :
			RB_NFIND(wname_tree, &names, &key);
	return q != NULL && strcmp(q->ns, ns) == 0 &&
		strcmp(q->name, name) == 0 ?
	    q :
	    NULL;
}

struct wpod *
world_called(const struct world *w, const char *who, struct wpod *after)
{
	const char *slash = strchr(who, '/');
	AUTO_FREE char *ns = NULL;

	if (slash == NULL)
		return NULL;
	ns = xstrndup(who, (size_t)(slash - who));
	return world_named(w, ns, slash + 1, after);
}

struct wpod *
world_namesake(const struct world *w, const struct wpod *p)
{
	struct wpod *q = NULL;

	while ((q = world_named(w, p->ns, p->name, q)) != NULL)
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

static int
is_older(const struct wpod *a, const struct wpod *b)
{
	if (a->pod->order_ms != b->pod->order_ms)
		return a->pod->order_ms < b->pod->order_ms;
	return strcmp(a->uid, b->uid) < 0;
}

/* Oldest first; most come in order, so the walk from the end is short. */
static void
start_waiting(struct wpod *p)
{
	struct wpod *q;

	if (p->waiting || p->node == NULL)
		return;
	TAILQ_FOREACH_REVERSE(q, &p->node->waiting, wpod_list, waits)
		if (is_older(q, p))
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
	if (!p->waiting)
		reserve_end(p);
}

void
world_free_needs(struct wpod *p)
{
	struct wneeds *n = p->needs;
	size_t i;

	if (n == NULL)
		return;
	for (i = 0; i < n->of.n; i++) {
		if (n->bytes[i] != NULL && n->of.list[i].secret)
			explicit_bzero(n->bytes[i], n->lens[i]);
		free(n->bytes[i]);
		free(n->unread[i]);
	}
	quadlet_needs_clear(&n->of);
	free(n->bytes);
	free(n->lens);
	free(n->unread);
	free(n);
	p->needs = NULL;
}

void
world_drop_pod(struct world *w, struct wpod *p)
{
	world_no_pod(w, p);
	leave_group(w, p);
	proof_leave(p);
	world_unlook(w, p);
	RB_REMOVE(wpod_tree, &w->pods, p);
	RB_REMOVE(wname_tree, &w->names, p);
	w->npods--;
	live_leave(w, p);
	free(p->raw);
	free(p->entry);
	world_free_needs(p);
	free(p->why_waits);
	free(p->unmounted);
	free(p->fault);
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
	if (d->reserved_for != NULL && pick_usable(d) != PICK_FITS)
		reserve_lose(d);
	pick_table_update(d->node->table, d);
	d->node->figures_dirty = 1;
}

void
world_set_room(struct wpod *p, struct fit_room room)
{
	if (fit_check(&p->room, &room) == FIT_OK &&
	    fit_check(&room, &p->room) == FIT_OK)
		return;
	reserve_end(p);
	if (p->device != NULL) {
		fit_take(&p->device->used, &p->room);
		fit_add(&p->device->used, &room);
		world_device_changed(p->device);
	}
	p->room = room;
}

/*
 * Of a pod that is known: resized before the API could say what it was admitted
 * with (in_place.h).  What its device cannot hold is not what it got.
 */
static int
is_held(const struct wpod *p, const struct fit_room *want)
{
	struct fit_room room, used;

	if (p->pod == NULL || p->device == NULL)
		return 1;
	used = p->device->used;
	fit_take(&used, &p->room);
	room = fit_free(&p->device->total, &used);
	return fit_check(&room, want) == FIT_OK;
}

/* Other images are asked for: what was held against the last is no more. */
static void
forgive(struct wpod *p)
{
	if (!p->retreating) {
		p->blamed = p->refusals = 0;
		fault_clear(p);
	}
	p->retry_boot = 0;
}

void
world_set_pod(struct world *w, struct wpod *p, struct pod *pod)
{
	struct fit_room room = { pod->cpu_m, pod->memory, 1, p->room.spec };
	int held = is_held(p, &room);

	stop_waiting(p);
	if ((p->pod != NULL && p->pod->images != pod->images) ||
	    fault_is_past(p, pod))
		forgive(p);
	if (p->pod != NULL)
		pod_free(p->pod);
	p->pod = pod;
	p->adopted = 0;
	p->node = world_node(w, pod->node);
	if (p->group == NULL && pod->controller != NULL)
		join_group(w, p, pod->controller);
	if (held)
		world_set_room(p, room);
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
	reserve_end(p);
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
	reserve_end(p);
	p->device = d;
	TAILQ_INSERT_TAIL(&d->pods, p, on_device);
	d->npods++;
	fit_add(&d->used, &p->room);
	if (p->group != NULL)
		TAILQ_INSERT_TAIL(&p->group->pods, p, in_group);
	world_device_changed(d);
	world_look(w, p);
}

int
wpod_has_kept(const struct wpod *p)
{
	return p->kept_images != 0 && p->kept_images == p->proven_images;
}

void
world_queue(struct world *w, struct wpod *p, enum wish_io io)
{
	struct wdevice *d = p->device;
	int was = d->nqueued > 0;

	d->nqueued -= p->queued != IO_NONE;
	d->nurgent -= p->queued == IO_CUT;
	p->queued = io;
	d->nqueued += io != IO_NONE;
	d->nurgent += io == IO_CUT;
	w->ndirty += (unsigned int)(d->nqueued > 0) - (unsigned int)was;
}

void
world_look_namesakes(struct world *w, const struct wpod *p)
{
	struct wpod *q = NULL;

	while ((q = world_named(w, p->ns, p->name, q)) != NULL)
		if (q->waiting)
			world_look(w, q);
}

void
world_look_namesakes_on(struct world *w, const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		world_look_namesakes(w, p);
}

void
world_unseat(struct world *w, struct wpod *p)
{
	struct wdevice *d = p->device;

	if (d == NULL)
		return;
	world_queue(w, p, IO_NONE);
	TAILQ_REMOVE(&d->pods, p, on_device);
	d->npods--;
	fit_take(&d->used, &p->room);
	if (p->group != NULL)
		TAILQ_REMOVE(&p->group->pods, p, in_group);
	p->given_up.on = 0;
	p->device = NULL;
	p->retreating = p->sent = p->applied = p->adopted = p->doubted = 0;
	p->there = p->untold = 0;
	p->filed = FILED_NOT;
	p->filed_unsure = 0;
	p->unread = p->withheld = p->blamed = p->ended = 0;
	p->reverting = 0;
	p->kept_images = p->proven_images = 0;
	p->queued = p->flying = IO_NONE;
	p->running_ms = p->silent_boot = 0;
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
	world_look_namesakes(w, p);
	wait_or_not(p);
	world_look(w, p);
	world_look_device(w, d);
}

int
world_is_durable(const struct world *w)
{
	return w->store_try_boot == 0;
}
