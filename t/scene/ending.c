/* SPDX-License-Identifier: ISC */
/*
 * ending.c: what is left of a world.
 *
 * Owns what two runs of a world must have in common.
 */
#include "t/scene/ending.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "placer/again.h"

enum {
	MINUTE_MS = 60 * 1000
};

struct left {
	char *name, *label, *phase;
	int in_api, ended, evicted, ready, waits_for_room;
};

struct ending {
	struct left *pods;
	size_t n;
	uint32_t odd; /* names that came and went otherwise: by first letter */
};

static int
waits_for_room(const struct kpod *p)
{
	AUTO_FREE char *reason = NULL;

	if (!p->in_api || p->ended)
		return 0;
	reason = kube_reason(p);
	return strstr(reason, "InsufficientResources") != NULL ||
	    strstr(reason, "kept for a pod that waits longer") != NULL;
}

struct ending *
ending_of(const struct scene *sc)
{
	struct ending *e = xcalloc(1, sizeof(*e));
	const struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link) {
		e->pods = xreallocarray(e->pods, e->n + 1, sizeof(*e->pods));
		e->pods[e->n++] = (struct left){
			.name = xstrdup(p->name),
			.label = xstrdup(p->label),
			.phase = xstrdup(kube_phase(p)),
			.in_api = p->in_api,
			.ended = p->ended,
			.evicted = p->evicted,
			.ready = kube_is_ready(p),
			.waits_for_room = waits_for_room(p),
		};
	}
	return e;
}

void
ending_free(struct ending *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->n; i++) {
		free(e->pods[i].name);
		free(e->pods[i].label);
		free(e->pods[i].phase);
	}
	free(e->pods);
	free(e);
}

void
ending_odd(struct ending *e, const char *name)
{
	e->odd |= UINT32_C(1) << ((unsigned char)*name & 31);
}

static int
is_odd(const struct ending *e, const char *name)
{
	size_t i;

	if (e->odd & UINT32_C(1) << ((unsigned char)*name & 31))
		return 1;
	for (i = 0; i < e->n; i++)
		if (e->pods[i].evicted && strcmp(e->pods[i].name, name) == 0)
			return 1;
	return 0;
}

static const struct left *
find(const struct ending *e, const char *label)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (strcmp(e->pods[i].label, label) == 0)
			return &e->pods[i];
	return NULL;
}

static int
is_same(const struct left *a, const struct left *b)
{
	if (a->in_api != b->in_api || a->ended != b->ended)
		return 0;
	if (!a->in_api)
		return 1;
	if (a->ended)
		return strcmp(a->phase, b->phase) == 0;
	return a->ready == b->ready || a->waits_for_room || b->waits_for_room;
}

char *
ending_differs(const struct ending *a, const struct ending *b)
{
	const struct left *x, *y;
	size_t i;

	for (i = 0; i < a->n; i++) {
		x = &a->pods[i];
		if (is_odd(a, x->name) || is_odd(b, x->name))
			continue;
		if ((y = find(b, x->label)) == NULL)
			return xasprintf("%s never was", x->label);
		if (!is_same(x, y))
			return xasprintf("%s is %s %s and not %s %s", x->label,
			    y->in_api ? "there" : "gone", y->phase,
			    x->in_api ? "there" : "gone", x->phase);
	}
	return NULL;
}

/* -- leaks -- */

static void
check_elements(struct scene *sc, const struct edge *d,
    const struct element_list *l)
{
	const struct element *e;
	const struct kpod *p;
	char app[MAX_NAME + 1];

	TAILQ_FOREACH(e, l, link) {
		(void)snprintf(app, sizeof(app), "%.*s",
		    (int)strcspn(e->name, "."), e->name);
		if (!mark_is_ours(SCENE_CLUSTER, app) || again_is(e->name))
			continue; /* that one stays: again.h */
		p = kube_by_app(sc, app);
		if (p == NULL ||
		    (!p->in_api && !rules_is_foreign(sc, p->app)))
			scene_fail(sc, "%s still has %s", d->name, e->name);
	}
}

void
ending_leaks(struct scene *sc)
{
	const struct edge *d;
	struct wpod *p;
	struct world w;

	TAILQ_FOREACH(d, &sc->edges, link) {
		if (!d->exists)
			continue;
		check_elements(sc, d, &d->apps);
		check_elements(sc, d, &d->configs);
	}
	if (sc->failed)
		return;
	/* What a full disk would not forget, the next start forgets. */
	place_restart(sc, 0);
	place_pass(sc, MINUTE_MS);
	place_restart(sc, 0); /* and nothing was heard since */
	w = *serve_world(sc->serve);
	RB_FOREACH(p, wpod_tree, &w.pods)
		if (kube_in_api(sc, p->uid) == NULL)
			scene_fail(sc, "the database still has %s", p->name);
}
