/* SPDX-License-Identifier: ISC */
/*
 * orders.c: drain, give up, retire, purge, release the brake.
 *
 * Owns what an order changes and when it ends.  What follows is life.def's,
 * pick.c's and lost.c's.
 */
#include "placer/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/stamp.h"
#include "common/xmem.h"
#include "placer/facts.h"
#include "placer/former.h"
#include "placer/kept.h"
#include "placer/lost.h"

static const struct {
	const char *word, *argument, *does;
} order_words[] = {
#define X(name, word, argument, does) { word, argument, does },
	ORDERS(X)
#undef X
};

const char *
orders_word(enum order_kind kind)
{
	return order_words[kind].word;
}

const char *
orders_argument(enum order_kind kind)
{
	return order_words[kind].argument;
}

const char *
orders_does(enum order_kind kind)
{
	return order_words[kind].does;
}

int
orders_of_pod(const struct order *o)
{
	return o->kind == ORDER_GIVE_UP && strchr(o->name, '/') != NULL;
}

int
orders_hold(const struct wdevice *d)
{
	return d->drained.on || d->given_up.on || d->written_off.on;
}

/* -- what it would do -- */

static enum order_verdict
already(const char *what, const struct worded *by, char text[MAX_TEXT])
{
	char at[STAMP_SIZE];

	stamp_format(by->at_ms, at);
	(void)snprintf(text, MAX_TEXT, "%s already, by uid %u, %s", what,
	    by->uid, at);
	return ORDER_ALREADY;
}

/* Another provider may hold the Lease: it would not hear of this. */
static int
is_ours(const struct wnode *n, struct now now, char text[MAX_TEXT])
{
	if (n != NULL && n->before != NULL) {
		(void)snprintf(text, MAX_TEXT,
		    "the orders of the last writer of node %s are not taken "
		    "over before its devices are listed: try again",
		    n->name);
		return 0;
	}
	if (n == NULL || now.boot_ms < n->until_boot)
		return 1;
	(void)snprintf(text, MAX_TEXT,
	    "this provider does not hold the Lease of node %s: ask the one "
	    "that does",
	    n->name);
	return 0;
}

static enum order_verdict
no_device(const struct order *o, char text[MAX_TEXT])
{
	(void)snprintf(text, MAX_TEXT, "no device %s", o->name);
	return ORDER_NOTHING;
}

static enum order_verdict
weigh_drain(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	const struct wdevice *d = world_device(w, o->name);

	if (d == NULL)
		return no_device(o, text);
	if (d->drained.on)
		return already("drained", &d->drained, text);
	if (!is_ours(d->node, now, text) || !kept_has_room(w, d->node, text))
		return ORDER_REFUSED;
	(void)snprintf(text, MAX_TEXT,
	    "device %s takes no new pods; those that ran there (at most %zu) "
	    "are evicted, at most %lld a minute",
	    d->name, d->npods, (long long)w->set->number[SET_EVICT_RATE]);
	return ORDER_DOES;
}

static enum order_verdict
weigh_undrain(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	const struct wdevice *d = world_device(w, o->name);

	if (d == NULL)
		return no_device(o, text);
	if (!d->drained.on && !d->given_up.on) {
		(void)snprintf(text, MAX_TEXT,
		    "device %s is neither drained nor given up", d->name);
		return ORDER_ALREADY;
	}
	if (!is_ours(d->node, now, text))
		return ORDER_REFUSED;
	(void)snprintf(text, MAX_TEXT, "device %s takes pods again", d->name);
	return ORDER_DOES;
}

static enum order_verdict
weigh_give_up_device(const struct world *w, const struct order *o,
    struct now now, char text[MAX_TEXT])
{
	const struct wdevice *d = world_device(w, o->name);

	if (d == NULL)
		return no_device(o, text);
	if (d->given_up.on)
		return already("given up", &d->given_up, text);
	if (!is_ours(d->node, now, text) || !kept_has_room(w, d->node, text))
		return ORDER_REFUSED;
	if (facts_device(d, now) == HERE) {
		(void)snprintf(text, MAX_TEXT,
		    "device %s is connected: drain it", d->name);
		return ORDER_REFUSED;
	}
	(void)snprintf(text, MAX_TEXT,
	    "device %s never comes back: its %zu pods are deleted at once, "
	    "and nobody waits until it has stopped them",
	    d->name, d->npods);
	return ORDER_DOES;
}

/* Of the pods of that name, the one that is to be given up, or was. */
static struct wpod *
pod_of(const struct world *w, const char *who)
{
	struct wpod *p = NULL, *found = NULL;

	while ((p = world_called(w, who, p)) != NULL)
		if (found == NULL || (p->device != NULL && !p->given_up.on))
			found = p;
	return found;
}

static enum order_verdict
weigh_give_up_pod(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	const struct wpod *p = pod_of(w, o->name);

	if (p == NULL) {
		(void)snprintf(text, MAX_TEXT, "no pod %s", o->name);
		return ORDER_NOTHING;
	}
	if (p->given_up.on)
		return already("given up", &p->given_up, text);
	if (p->device == NULL) {
		(void)snprintf(text, MAX_TEXT, "pod %s is on no device",
		    o->name);
		return ORDER_ALREADY;
	}
	if (!is_ours(p->node, now, text))
		return ORDER_REFUSED;
	if (p->pod != NULL && !p->pod->terminating &&
	    facts_device(p->device, now) == HERE &&
	    !world_is_closed(p->device)) {
		(void)snprintf(text, MAX_TEXT,
		    "device %s is connected: delete the pod", p->device->name);
		return ORDER_REFUSED;
	}
	(void)snprintf(text, MAX_TEXT,
	    "pod %s is deleted, and nobody waits until device %s has stopped "
	    "it",
	    o->name, p->device->name);
	return ORDER_DOES;
}

static int
is_of_fleet(const struct wnode *n, const char *name)
{
	return *name == '\0' || strcmp(n->fleet, name) == 0 ||
	    strcmp(n->name, name) == 0;
}

static size_t
count_missing(const struct world *w, const struct wnode *n)
{
	struct wdevice_tree devices = w->devices;
	struct wdevice *d;
	size_t missing = 0;

	RB_FOREACH(d, wdevice_tree, &devices)
		missing += lost_missing_since(d, n) != 0;
	return missing;
}

static enum order_verdict
weigh_release(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	const struct wnode *n;
	size_t fleets = 0, missing = 0, others = 0;

	for (n = w->nodes; n < w->nodes + w->nnodes; n++) {
		/* Another replica may serve some of them: it is asked, too. */
		if (!is_of_fleet(n, o->name))
			continue;
		fleets++;
		if (!n->brake)
			continue;
		if (!is_ours(n, now, text))
			others++;
		else
			missing += count_missing(w, n);
	}
	if (fleets == 0) {
		(void)snprintf(text, MAX_TEXT, "no fleet %s", o->name);
		return ORDER_NOTHING;
	}
	if (missing == 0 && others > 0)
		return ORDER_REFUSED;
	if (missing == 0) {
		(void)snprintf(text, MAX_TEXT, "no brake is on");
		return ORDER_ALREADY;
	}
	(void)snprintf(text, MAX_TEXT,
	    "the clocks of %zu missing devices run on; their pods are evicted "
	    "when those are over, at most %lld a minute",
	    missing, (long long)w->set->number[SET_EVICT_RATE]);
	return ORDER_DOES;
}

/* NULL: none that we serve. */
static const struct wnode *
served(const struct world *w, const char *name)
{
	const struct wnode *n;

	for (n = w->nodes; n < w->nodes + w->nnodes; n++)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

static enum order_verdict
not_served(const struct world *w, const struct order *o, char text[MAX_TEXT])
{
	if (former_find(w, o->name) == NULL) {
		(void)snprintf(text, MAX_TEXT, "no node %s", o->name);
		return ORDER_NOTHING;
	}
	(void)snprintf(text, MAX_TEXT, "node %s is not served: purge it",
	    o->name);
	return ORDER_REFUSED;
}

static size_t
count_pods(const struct world *w, const struct wnode *n)
{
	struct wpod_tree pods = w->pods;
	struct wpod *p;
	size_t here = 0;

	RB_FOREACH(p, wpod_tree, &pods)
		here += p->node == n && p->device != NULL;
	return here;
}

static enum order_verdict
weigh_retire(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	const struct wnode *n = served(w, o->name);

	if (n == NULL)
		return not_served(w, o, text);
	if (n->retired.on)
		return already("retired", &n->retired, text);
	if (!is_ours(n, now, text))
		return ORDER_REFUSED;
	(void)snprintf(text, MAX_TEXT,
	    "node %s takes no new pods on any of its %zu devices; the pods "
	    "there (at most %zu) are evicted, at most %lld a minute",
	    n->name, n->ndevices, count_pods(w, n),
	    (long long)w->set->number[SET_EVICT_RATE]);
	return ORDER_DOES;
}

static enum order_verdict
weigh_unretire(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	const struct wnode *n = served(w, o->name);

	if (n == NULL)
		return not_served(w, o, text);
	if (!n->retired.on) {
		(void)snprintf(text, MAX_TEXT, "node %s is not retired",
		    n->name);
		return ORDER_ALREADY;
	}
	if (!is_ours(n, now, text))
		return ORDER_REFUSED;
	(void)snprintf(text, MAX_TEXT, "node %s takes pods again", n->name);
	return ORDER_DOES;
}

static enum order_verdict
weigh_purge(const struct world *w, const struct order *o, char text[MAX_TEXT])
{
	const struct wnode *n = former_find(w, o->name);
	struct former_sum sum;

	if (served(w, o->name) != NULL) {
		(void)snprintf(text, MAX_TEXT,
		    "node %s is served: take its fleet out of FLEET_ID first",
		    o->name);
		return ORDER_REFUSED;
	}
	if (n == NULL) {
		(void)snprintf(text, MAX_TEXT, "nothing is known of a node %s",
		    o->name);
		return ORDER_NOTHING;
	}
	if (n->purge.on)
		return already("purged", &n->purge, text);
	if (!w->former_told || n->served) {
		(void)snprintf(text, MAX_TEXT,
		    n->served ?
			"another provider serves node %s" :
			"it is not known yet whether another provider serves "
			"node %s",
		    o->name);
		return ORDER_REFUSED;
	}
	sum = former_count(w, n);
	(void)snprintf(text, MAX_TEXT,
	    sum.apps == 0 ? "node %s has no application on any device that is "
			    "known" :
			    "all applications of node %s (%zu) are taken off "
			    "their devices (%zu), whatever the apiserver says "
			    "of their pods",
	    o->name, sum.apps, sum.devices);
	return sum.apps == 0 ? ORDER_ALREADY : ORDER_DOES;
}

enum order_verdict
orders_weigh(const struct world *w, const struct order *o, struct now now,
    char text[MAX_TEXT])
{
	switch (o->kind) {
	case ORDER_DRAIN:
		return weigh_drain(w, o, now, text);
	case ORDER_UNDRAIN:
		return weigh_undrain(w, o, now, text);
	case ORDER_RETIRE:
		return weigh_retire(w, o, now, text);
	case ORDER_UNRETIRE:
		return weigh_unretire(w, o, now, text);
	case ORDER_GIVE_UP:
		return orders_of_pod(o) ? weigh_give_up_pod(w, o, now, text) :
					  weigh_give_up_device(w, o, now, text);
	case ORDER_PURGE:
		return weigh_purge(w, o, text);
	case ORDER_RELEASE_BRAKE:
		return weigh_release(w, o, now, text);
	case ORDER_COUNT:
		break;
	}
	return ORDER_NOTHING;
}

/* -- what it does -- */

static void
save_device(struct world *w, struct wdevice *d, struct effects *fx)
{
	effects_add(fx, EFFECT_WORD)->device = d;
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
	world_look_pods_of(w, d);
	world_look_device(w, d);
}

static void
give_up_device(struct wdevice *d, struct worded by)
{
	d->given_up = by;
	free(d->given_up_created);
	d->given_up_created = d->dev != NULL ? xstrdup(d->dev->created) : NULL;
}

/* On each device that it has, and will have. */
static void
retire(struct world *w, const char *name, struct worded by, struct effects *fx)
{
	struct wnode *n = world_node(w, name);
	struct wdevice *d;

	n->retired = by;
	n->retry = 1;
	effects_add(fx, EFFECT_WORD)->node = n;
	TAILQ_FOREACH(d, &n->devices, on_node) {
		world_device_changed(d);
		world_look_pods_of(w, d);
		world_look_device(w, d);
	}
}

static void
release(struct world *w, const struct order *o, struct worded by,
    struct now now, struct effects *fx)
{
	char text[MAX_TEXT];
	struct wdevice *d;
	struct wnode *n;

	for (n = w->nodes; n < w->nodes + w->nnodes; n++) {
		if (!is_of_fleet(n, o->name) || !n->brake ||
		    !is_ours(n, now, text))
			continue;
		n->brake_stale = 1;
		RB_FOREACH(d, wdevice_tree, &w->devices) {
			if (lost_missing_since(d, n) == 0)
				continue;
			d->written_off = by;
			save_device(w, d, fx);
		}
	}
}

static void
give_up(struct world *w, struct wpod *p, struct worded by, struct effects *fx)
{
	struct effect *e;

	p->given_up = by;
	e = effects_add(fx, EFFECT_WORD);
	e->pod = p;
	world_look(w, p);
}

/* What has no seat here gets one when its device is read. */
static void
purge(struct world *w, struct wnode *n, struct worded by, struct effects *fx)
{
	struct wdevice *d;
	struct wpod *p;

	n->purge = by;
	effects_add(fx, EFFECT_WORD)->node = n;
	effects_add(fx, EFFECT_PURGE)->node = n;
	RB_FOREACH(p, wpod_tree, &w->pods)
		if (p->node == n)
			world_look(w, p);
	RB_FOREACH(d, wdevice_tree, &w->devices)
		if (former_on(d, n) > 0) {
			world_suspect(d);
			world_look_device(w, d);
		}
}

static void
carry_out(struct world *w, const struct order *o, struct worded by,
    struct now now, struct effects *fx)
{
	struct wdevice *d = world_device(w, o->name);

	switch (o->kind) {
	case ORDER_DRAIN:
		d->drained = by;
		save_device(w, d, fx);
		break;
	case ORDER_UNDRAIN:
		d->drained.on = d->given_up.on = 0;
		save_device(w, d, fx);
		break;
	case ORDER_RETIRE:
		retire(w, o->name, by, fx);
		break;
	case ORDER_UNRETIRE:
		retire(w, o->name, (struct worded){ 0 }, fx);
		break;
	case ORDER_GIVE_UP:
		if (orders_of_pod(o)) {
			give_up(w, pod_of(w, o->name), by, fx);
			break;
		}
		give_up_device(d, by);
		save_device(w, d, fx);
		break;
	case ORDER_PURGE:
		purge(w, former_find(w, o->name), by, fx);
		break;
	case ORDER_RELEASE_BRAKE:
		release(w, o, by, now, fx);
		break;
	case ORDER_COUNT:
		break;
	}
}

/* operation: the order's word, a literal; who: what it names. */
static void
record(struct effects *fx, const struct order *o, const char *text)
{
	struct effect *e;

	e = effects_add(fx, EFFECT_ORDER);
	e->reason = orders_word(o->kind);
	e->number = o->uid;
	e->what = xstrdup(o->name);
	e->text = *o->name != '\0' ? xasprintf("%s: %s", o->name, text) :
				     xstrdup(text);
}

enum order_verdict
orders_take(struct world *w, const struct order *o, struct now now,
    struct effects *fx, char text[MAX_TEXT])
{
	enum order_verdict v = orders_weigh(w, o, now, text);
	struct worded by = { 1, o->uid, now.wall_ms };

	if (v != ORDER_DOES)
		return v;
	carry_out(w, o, by, now, fx);
	record(fx, o, text);
	return v;
}

/* -- when it ends -- */

void
orders_look(struct world *w, struct wdevice *d, struct effects *fx)
{
	int ends = 0;

	if (!orders_hold(d))
		return;
	if (d->written_off.on && d->dev != NULL && d->away_boot == 0 &&
	    d->left == NULL) {
		d->written_off.on = 0; /* it is back */
		ends = 1;
	}
	if (d->given_up.on && d->dev != NULL && d->given_up_created != NULL &&
	    strcmp(d->given_up_created, d->dev->created) != 0) {
		d->given_up.on = 0; /* another one has its name */
		ends = 1;
	}
	if (d->gone && TAILQ_EMPTY(&d->pods)) {
		d->drained.on = d->given_up.on = d->written_off.on = 0;
		ends = 1;
	}
	if (ends)
		save_device(w, d, fx);
}
