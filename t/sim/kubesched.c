/* SPDX-License-Identifier: ISC */
/*
 * kubesched.c: a scheduler small enough for demos: nodeSelector, taints and
 * tolerations, cpu, memory and pod slots against allocatable, the emptiest
 * node first.
 *
 * Owns what it has counted of each bound pod.  Pods with affinity or spread
 * constraints are left unscheduled and told so.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/sim/kube.h"
#include "t/sim/kubequant.h"
#include "t/sim/kuberule.h"

enum {
	SCHED_BATCH = 200, /* pods a turn of the loop */
	SCHED_BUCKETS = 4096,
};

enum figure {
	CPU,
	MEMORY,
	SLOTS,
	FIGURES,
};

static const char *const figure_names[] = { "cpu", "memory", "pods" };

/* A bound pod's share of its node. */
struct share {
	char *key, *node;
	kquant_nanos need[FIGURES];
	struct share *next;
};

struct waiting {
	char *key;
	TAILQ_ENTRY(waiting) entry;
};

struct room {
	struct json_object *tree;
	const char *name;
	kquant_nanos has[FIGURES], used[FIGURES];
};

struct ksched {
	struct kube *kube;
	struct ksub pods, nodes;
	struct event *turn;
	struct share *shares[SCHED_BUCKETS];
	struct room *rooms;
	size_t nrooms;
	TAILQ_HEAD(, waiting) fresh, stuck;
};

static const struct timeval soon = { 0, 1000 };

/* --- shares --- */

static struct share **
slot(struct ksched *s, const char *key)
{
	struct share **p;
	unsigned int h = 5381;
	const char *c;

	for (c = key; *c != '\0'; c++)
		h = h * 33 + (unsigned char)*c;
	for (p = &s->shares[h % SCHED_BUCKETS]; *p != NULL; p = &(*p)->next)
		if (strcmp((*p)->key, key) == 0)
			break;
	return p;
}

static kquant_nanos
read_figure(struct json_object *list, enum figure which)
{
	struct json_object *v = kget_obj(list, figure_names[which], NULL);
	struct kquant q;

	if (v == NULL || kquant_parse(json_object_get_string(v), &q) == -1)
		return 0;
	return q.nanos;
}

/* Containers together, or the largest init container. */
static void
needs(struct json_object *pod, kquant_nanos need[FIGURES])
{
	static const char *const lists[] = { "containers", "initContainers" };
	struct json_object *list;
	kquant_nanos v;
	size_t i, k;
	int f;

	for (f = 0; f < SLOTS; f++)
		need[f] = 0;
	for (k = 0; k < 2; k++) {
		list = kget_obj(pod, "spec", lists[k]);
		if (!json_object_is_type(list, json_type_array))
			continue;
		for (i = 0; i < json_object_array_length(list); i++)
			for (f = 0; f < SLOTS; f++) {
				v = read_figure(
				    kget_obj(json_object_array_get_idx(list, i),
					"resources", "requests"),
				    (enum figure)f);
				if (k == 0)
					need[f] += v;
				else if (v > need[f])
					need[f] = v;
			}
	}
	need[SLOTS] = 1000000000;
}

static void
drop_share(struct ksched *s, const char *key)
{
	struct share **p = slot(s, key), *old = *p;

	if (old == NULL)
		return;
	*p = old->next;
	free(old->key);
	free(old->node);
	free(old);
}

static void
add_share(struct ksched *s, const struct kobj *o)
{
	struct share **p = slot(s, o->key);
	struct json_object *tree;

	if (*p != NULL)
		return;
	*p = xcalloc(1, sizeof(**p));
	(*p)->key = xstrdup(o->key);
	(*p)->node = xstrdup(kobj_field(o, "spec.nodeName"));
	tree = kobj_tree(o);
	needs(tree, (*p)->need);
	json_object_put(tree);
}

/* --- rooms --- */

static void
rooms_free(struct ksched *s)
{
	size_t i;

	for (i = 0; i < s->nrooms; i++)
		json_object_put(s->rooms[i].tree);
	free(s->rooms);
	s->rooms = NULL;
	s->nrooms = 0;
}

static void
rooms_read(struct ksched *s)
{
	struct kstore *st = s->kube->store;
	struct share *share;
	struct room *room;
	size_t i, k;
	int f;

	s->nrooms = kstore_count(st, KUBE_NODES);
	s->rooms = xcalloc(s->nrooms + 1, sizeof(*s->rooms));
	for (i = 0; i < s->nrooms; i++) {
		room = &s->rooms[i];
		room->tree = kobj_tree(kstore_at(st, KUBE_NODES, i));
		room->name = kget(room->tree, "metadata", "name");
		for (f = 0; f < FIGURES; f++)
			room->has[f] = read_figure(kget_obj(room->tree,
						       "status", "allocatable"),
			    (enum figure)f);
		for (k = 0; k < SCHED_BUCKETS; k++)
			for (share = s->shares[k]; share != NULL;
			     share = share->next)
				if (strcmp(share->node, room->name) == 0)
					for (f = 0; f < FIGURES; f++)
						room->used[f] += share->need[f];
	}
}

static int
tolerates(struct json_object *list, struct json_object *taint)
{
	struct json_object *o;
	const char *key, *effect;
	size_t i,
	    n = json_object_is_type(list, json_type_array) ?
	    json_object_array_length(list) :
	    0;

	for (i = 0; i < n; i++) {
		o = json_object_array_get_idx(list, i);
		key = kget(o, "key", NULL);
		effect = kget(o, "effect", NULL);
		if (effect[0] != '\0' &&
		    strcmp(effect, kget(taint, "effect", NULL)) != 0)
			continue;
		if (key[0] != '\0' &&
		    strcmp(key, kget(taint, "key", NULL)) != 0)
			continue;
		if (strcmp(kget(o, "operator", NULL), "Exists") == 0 ||
		    strcmp(kget(o, "value", NULL),
			kget(taint, "value", NULL)) == 0)
			return 1;
	}
	return 0;
}

static int
admits(const struct room *room, struct json_object *pod)
{
	struct json_object *list = kget_obj(room->tree, "spec", "taints"), *t;
	struct json_object *cordon =
	    kget_obj(room->tree, "spec", "unschedulable");
	size_t i;

	if (cordon != NULL && json_object_get_boolean(cordon))
		return 0;
	if (!json_object_is_type(list, json_type_array))
		return 1;
	for (i = 0; i < json_object_array_length(list); i++) {
		t = json_object_array_get_idx(list, i);
		if (strcmp(kget(t, "effect", NULL), "PreferNoSchedule") != 0 &&
		    !tolerates(kget_obj(pod, "spec", "tolerations"), t))
			return 0;
	}
	return 1;
}

static int
matches(const struct room *room, struct json_object *pod)
{
	struct json_object *want = kget_obj(pod, "spec", "nodeSelector");
	struct json_object *labels = kget_obj(room->tree, "metadata", "labels");
	struct json_object *have;
	struct json_object_iter it;

	if (!json_object_is_type(want, json_type_object))
		return 1;
	json_object_object_foreachC(want, it)
	{
		have = kget_obj(labels, it.key, NULL);
		if (have == NULL || !json_object_equal(have, it.val))
			return 0;
	}
	return 1;
}

static int
has_room(const struct room *room, const kquant_nanos need[FIGURES])
{
	int f;

	for (f = 0; f < FIGURES; f++)
		if (room->used[f] + need[f] > room->has[f])
			return 0;
	return 1;
}

/* --- one pod --- */

struct reasons {
	size_t selector, taints, room;
};

static struct room *
choose(struct ksched *s, struct json_object *pod, struct reasons *why)
{
	struct room *best = NULL, *room;
	kquant_nanos need[FIGURES];
	size_t i;

	needs(pod, need);
	for (i = 0; i < s->nrooms; i++) {
		room = &s->rooms[i];
		if (!matches(room, pod)) {
			why->selector++;
		} else if (!admits(room, pod)) {
			why->taints++;
		} else if (!has_room(room, need)) {
			why->room++;
		} else if (best == NULL ||
		    room->used[SLOTS] * best->has[SLOTS] <
			best->used[SLOTS] * room->has[SLOTS]) {
			best = room;
		}
	}
	return best;
}

static void
tell(struct ksched *s, struct json_object *pod, const struct reasons *why)
{
	struct kfail f = { .code = 0 };
	char text[256];

	if (kget_obj(pod, "spec", "affinity") != NULL)
		snprintf(text, sizeof(text),
		    "kubesim's scheduler does not know affinity");
	else
		snprintf(text, sizeof(text),
		    "0/%zu nodes are available: %zu node(s) didn't match "
		    "Pod's node affinity/selector, %zu node(s) had untolerated "
		    "taint(s), %zu Insufficient cpu, memory or pods.",
		    s->nrooms, why->selector, why->taints, why->room);
	if (strcmp(kget(kcondition_find(kget_obj(pod, "status", NULL),
			    "PodScheduled"),
		       "message", NULL),
		text) == 0)
		return;
	kcondition_set(kmake_obj(pod, "status"),
	    kcondition_new("PodScheduled", "False", "Unschedulable", text));
	kwrite_put(s->kube, KUBE_PODS, pod, &f);
	kfail_clear(&f);
}

/* 1: bound, or nothing to bind any more. */
static int
schedule(struct ksched *s, const char *key)
{
	AUTO_FREE char *ns = xstrndup(key, strcspn(key, "/"));
	struct kobj *o =
	    kstore_get(s->kube->store, KUBE_PODS, ns, key + strlen(ns) + 1);
	struct reasons why = { 0, 0, 0 };
	struct kfail f = { .code = 0 };
	struct json_object *pod;
	struct room *room;
	int f_, done;
	kquant_nanos need[FIGURES];

	if (o == NULL || o->terminating ||
	    kobj_field(o, "spec.nodeName")[0] != '\0')
		return 1;
	pod = kobj_tree(o);
	room = kget_obj(pod, "spec", "affinity") == NULL ?
	    choose(s, pod, &why) :
	    NULL;
	if (room != NULL) {
		needs(pod, need);
		for (f_ = 0; f_ < FIGURES; f_++)
			room->used[f_] += need[f_];
		kbind_pod(s->kube, o, room->name, NULL, &f);
		kfail_clear(&f);
	} else {
		tell(s, pod, &why);
	}
	done = room != NULL;
	json_object_put(pod);
	return done;
}

static void
waiting_free(struct waiting *w)
{
	free(w->key);
	free(w);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct ksched *s = arg;
	struct waiting *w;
	int n;

	(void)fd, (void)what;
	if (TAILQ_EMPTY(&s->fresh))
		return;
	rooms_read(s);
	for (n = 0; n < SCHED_BATCH && !TAILQ_EMPTY(&s->fresh); n++) {
		w = TAILQ_FIRST(&s->fresh);
		TAILQ_REMOVE(&s->fresh, w, entry);
		if (schedule(s, w->key))
			waiting_free(w);
		else
			TAILQ_INSERT_TAIL(&s->stuck, w, entry);
	}
	rooms_free(s);
	if (!TAILQ_EMPTY(&s->fresh))
		evtimer_add(s->turn, &soon);
}

/* Who waited longest comes first. */
static void
again(struct ksched *s)
{
	TAILQ_CONCAT(&s->stuck, &s->fresh, entry);
	TAILQ_CONCAT(&s->fresh, &s->stuck, entry);
	if (!TAILQ_EMPTY(&s->fresh) && !evtimer_pending(s->turn, NULL))
		evtimer_add(s->turn, &soon);
}

/* --- events --- */

static void
on_pod(const struct kevent *ev, void *arg)
{
	struct ksched *s = arg;
	const char *phase = kobj_field(ev->obj, "status.phase");
	struct waiting *w;

	if (ev->type == KEVENT_DELETED || strcmp(phase, "Failed") == 0 ||
	    strcmp(phase, "Succeeded") == 0) {
		drop_share(s, ev->obj->key);
		again(s);
	} else if (kobj_field(ev->obj, "spec.nodeName")[0] != '\0') {
		add_share(s, ev->obj);
	} else if (ev->type == KEVENT_ADDED) {
		w = xcalloc(1, sizeof(*w));
		w->key = xstrdup(ev->obj->key);
		TAILQ_INSERT_TAIL(&s->fresh, w, entry);
		if (!evtimer_pending(s->turn, NULL))
			evtimer_add(s->turn, &soon);
	}
}

static void
on_node(const struct kevent *ev, void *arg)
{
	(void)ev;
	again(arg);
}

struct ksched *
ksched_new(struct kube *kube)
{
	struct ksched *s = xcalloc(1, sizeof(*s));

	s->kube = kube;
	TAILQ_INIT(&s->fresh);
	TAILQ_INIT(&s->stuck);
	s->turn = evtimer_new(kube->base, on_turn, s);
	s->pods = (struct ksub){ .fn = on_pod, .arg = s };
	s->nodes = (struct ksub){ .fn = on_node, .arg = s };
	kstore_subscribe(kube->store, KUBE_PODS, &s->pods);
	kstore_subscribe(kube->store, KUBE_NODES, &s->nodes);
	return s;
}

void
ksched_free(struct ksched *s)
{
	struct waiting *w;
	size_t i;

	if (s == NULL)
		return;
	TAILQ_CONCAT(&s->fresh, &s->stuck, entry);
	while ((w = TAILQ_FIRST(&s->fresh)) != NULL) {
		TAILQ_REMOVE(&s->fresh, w, entry);
		waiting_free(w);
	}
	for (i = 0; i < SCHED_BUCKETS; i++)
		while (s->shares[i] != NULL)
			drop_share(s, s->shares[i]->key);
	kstore_unsubscribe(s->kube->store, KUBE_PODS, &s->pods);
	kstore_unsubscribe(s->kube->store, KUBE_NODES, &s->nodes);
	event_free(s->turn);
	free(s);
}
