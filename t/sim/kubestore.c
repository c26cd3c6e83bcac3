/* SPDX-License-Identifier: ISC */
/*
 * kubestore.c: the sorted sets of objects, the one resourceVersion and the
 * windows of events.
 *
 * Owns every kept object.  Knows nothing of HTTP or of rules; each write is
 * one event and one new version, and subscribers are told before it returns.
 */

#include "t/sim/kubestore.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/auto.h"
#include "common/xmem.h"

struct kset {
	struct kobj **objs; /* by key */
	size_t n, cap;
	struct kevent *ring;
	size_t head, used; /* oldest, how many */
	uint64_t floor;	   /* highest version whose event is forgotten */
	TAILQ_HEAD(, ksub) subs;
};

struct kstore {
	struct kset sets[KUBE_KINDS];
	uint64_t rv;
	size_t window;
};

struct kstore *
kstore_new(size_t window)
{
	struct kstore *st = xcalloc(1, sizeof(*st));
	size_t i;

	st->rv = 1;
	st->window = window;
	for (i = 0; i < KUBE_KINDS; i++) {
		st->sets[i].ring = xcalloc(window, sizeof(struct kevent));
		TAILQ_INIT(&st->sets[i].subs);
	}
	return st;
}

static void
forget(struct kstore *st, struct kset *set, size_t keep)
{
	for (; set->used > keep; set->used--) {
		struct kevent *ev = &set->ring[set->head];

		set->floor = ev->rv;
		kobj_unref(ev->obj);
		kobj_unref(ev->old);
		set->head = (set->head + 1) % st->window;
	}
}

void
kstore_free(struct kstore *st)
{
	size_t i, k;

	for (k = 0; k < KUBE_KINDS; k++) {
		forget(st, &st->sets[k], 0);
		for (i = 0; i < st->sets[k].n; i++)
			kobj_unref(st->sets[k].objs[i]);
		free(st->sets[k].objs);
		free(st->sets[k].ring);
	}
	free(st);
}

void
kstore_window(struct kstore *st, size_t window)
{
	struct kevent *ring;
	struct kset *set;
	size_t i, k;

	for (k = 0; k < KUBE_KINDS; k++) {
		set = &st->sets[k];
		forget(st, set, window);
		ring = xcalloc(window, sizeof(*ring));
		for (i = 0; i < set->used; i++)
			ring[i] = set->ring[(set->head + i) % st->window];
		free(set->ring);
		set->ring = ring;
		set->head = 0;
	}
	st->window = window;
}

void
kstore_compact(struct kstore *st)
{
	size_t k;

	for (k = 0; k < KUBE_KINDS; k++) {
		forget(st, &st->sets[k], 0);
		st->sets[k].floor = st->rv;
	}
}

void
kstore_subscribe(struct kstore *st, enum kid kid, struct ksub *sub)
{
	TAILQ_INSERT_TAIL(&st->sets[kid].subs, sub, entry);
}

void
kstore_unsubscribe(struct kstore *st, enum kid kid, struct ksub *sub)
{
	TAILQ_REMOVE(&st->sets[kid].subs, sub, entry);
}

uint64_t
kstore_rv(const struct kstore *st)
{
	return st->rv;
}

uint64_t
kstore_floor(const struct kstore *st, enum kid kid)
{
	return st->sets[kid].floor;
}

size_t
kstore_count(const struct kstore *st, enum kid kid)
{
	return st->sets[kid].n;
}

struct kobj *
kstore_at(const struct kstore *st, enum kid kid, size_t i)
{
	return st->sets[kid].objs[i];
}

static size_t
seek(struct kobj *const *objs, size_t n, const char *key)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (strcmp(objs[mid]->key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
kstore_seek(const struct kstore *st, enum kid kid, const char *key)
{
	return seek(st->sets[kid].objs, st->sets[kid].n, key);
}

struct kobj *
kstore_get(struct kstore *st, enum kid kid, const char *ns, const char *name)
{
	AUTO_FREE char *key = NULL;
	struct kset *set = &st->sets[kid];
	size_t i;

	key = kresource(kid)->namespaced ? xasprintf("%s/%s", ns, name) :
					   xstrdup(name);
	i = seek(set->objs, set->n, key);
	if (i == set->n || strcmp(set->objs[i]->key, key) != 0)
		return NULL;
	return set->objs[i];
}

static void
happened(struct kstore *st, struct kset *set, const struct kevent *ev)
{
	struct ksub *sub, *next;

	forget(st, set, st->window - 1);
	set->ring[(set->head + set->used++) % st->window] = *ev;
	kobj_ref(ev->obj);
	if (ev->old != NULL)
		kobj_ref(ev->old);
	for (sub = TAILQ_FIRST(&set->subs); sub != NULL; sub = next) {
		next = TAILQ_NEXT(sub, entry);
		sub->fn(ev, sub->arg);
	}
}

struct kobj *
kstore_put(struct kstore *st, enum kid kid, struct json_object *tree,
    const char *text)
{
	struct kset *set = &st->sets[kid];
	struct kobj *o = kobj_new(kid, tree, text, ++st->rv), *old = NULL;
	size_t i = seek(set->objs, set->n, o->key);

	if (i < set->n && strcmp(set->objs[i]->key, o->key) == 0) {
		old = set->objs[i];
	} else {
		if (set->n == set->cap) {
			set->cap = set->cap == 0 ? 64 : set->cap * 2;
			set->objs = xreallocarray(set->objs, set->cap,
			    sizeof(struct kobj *));
		}
		memmove(&set->objs[i + 1], &set->objs[i],
		    (set->n - i) * sizeof(struct kobj *));
		set->n++;
	}
	set->objs[i] = o;
	happened(st, set,
	    &(struct kevent){ old != NULL ? KEVENT_MODIFIED : KEVENT_ADDED,
		o->rv, o, old });
	kobj_unref(old);
	return o;
}

void
kstore_remove(struct kstore *st, struct kobj *o, struct json_object *tree,
    const char *text)
{
	struct kset *set = &st->sets[o->kid];
	size_t i = seek(set->objs, set->n, o->key);
	struct json_object *own = tree == NULL ? kobj_tree(o) : NULL;
	struct kobj *last = kobj_new(o->kid, tree != NULL ? tree : own,
	    text != NULL ? text : o->text, ++st->rv);

	json_object_put(own);
	o = set->objs[i];
	memmove(&set->objs[i], &set->objs[i + 1],
	    (set->n - i - 1) * sizeof(struct kobj *));
	set->n--;
	happened(st, set,
	    &(struct kevent){ KEVENT_DELETED, last->rv, last, o });
	kobj_unref(last);
	kobj_unref(o);
}

/* One event taken back from an array of borrowed objects. */
static void
undo(struct kobj ***objs, size_t *n, const struct kevent *ev)
{
	size_t i = seek(*objs, *n, ev->obj->key);
	int there = i < *n && strcmp((*objs)[i]->key, ev->obj->key) == 0;

	if (ev->type == KEVENT_ADDED && there) {
		memmove(&(*objs)[i], &(*objs)[i + 1],
		    (*n - i - 1) * sizeof(**objs));
		(*n)--;
	} else if (ev->type == KEVENT_DELETED && !there) {
		*objs = xreallocarray(*objs, *n + 1, sizeof(**objs));
		memmove(&(*objs)[i + 1], &(*objs)[i],
		    (*n - i) * sizeof(**objs));
		(*objs)[i] = ev->old;
		(*n)++;
	} else if (there) {
		(*objs)[i] = ev->old;
	}
}

int
kstore_past(struct kstore *st, enum kid kid, uint64_t rv, struct kobj ***objs,
    size_t *n)
{
	struct kset *set = &st->sets[kid];
	const struct kevent *ev;
	size_t i;

	if (rv < set->floor)
		return -1;
	*n = set->n;
	*objs = xcalloc(set->n + 1, sizeof(**objs));
	if (set->n != 0)
		memcpy(*objs, set->objs, set->n * sizeof(**objs));
	for (i = set->used; i > 0; i--) {
		ev = &set->ring[(set->head + i - 1) % st->window];
		if (ev->rv <= rv)
			break;
		undo(objs, n, ev);
	}
	for (i = 0; i < *n; i++)
		kobj_ref((*objs)[i]);
	return 0;
}

int
kstore_replay(struct kstore *st, enum kid kid, uint64_t rv,
    int (*fn)(const struct kevent *, void *), void *arg)
{
	struct kset *set = &st->sets[kid];
	size_t lo = 0, hi = set->used, mid;
	int r = 0;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (set->ring[(set->head + mid) % st->window].rv <= rv)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < set->used && r == 0; lo++)
		r = fn(&set->ring[(set->head + lo) % st->window], arg);
	return r;
}
