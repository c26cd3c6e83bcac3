/* SPDX-License-Identifier: ISC */
/*
 * views.c: do the two models and the database tell the same story?
 *
 * Owns what a drift is, as t/it/views.c does with real processes.
 */
#include "t/scene/views.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "placer/again.h"
#include "t/seats.h"

struct views {
	struct scene *sc;
	char *found; /* UIDs of the database, each with a blank after it */
};

/* It can do what its spec says, and be asked. */
static int
is_heard(const struct edge *d)
{
	return edge_is_there(d) && !d->hold_render && !d->hold_apply &&
	    d->owner == NULL && !d->spec_invalid;
}

static const struct edge *
holder(const struct scene *sc, const struct kpod *p, unsigned int *n)
{
	const struct edge *d, *found = NULL;

	*n = 0;
	TAILQ_FOREACH(d, &sc->edges, link)
		if (d->exists && edge_find(&d->apps, p->app) != NULL) {
			found = d;
			(*n)++;
		}
	return found;
}

static int
runs(const struct edge *d, const struct kpod *p)
{
	const struct told *t;

	TAILQ_FOREACH(t, &d->told, link)
		if (strcmp(t->app, p->app) == 0)
			return 1;
	return 0;
}

static int
is_wanted(const struct kpod *p)
{
	return p->in_api && p->bound && !p->ended && p->deleted_ms == 0;
}

static void
look_at_pod(struct views *v, const struct kpod *p)
{
	AUTO_FREE char *reason = NULL, *mark = xasprintf("%s ", p->uid);
	const struct edge *d;
	unsigned int n;

	d = holder(v->sc, p, &n);
	if (n > 1 && !p->restored)
		scene_fail(v->sc, "%s is in the specs of %u devices", p->label,
		    n);
	if (!is_wanted(p))
		return;
	reason = kube_reason(p);
	if (n == 0 && *reason == '\0')
		scene_fail(v->sc, "%s is %s, on no device, and nobody says why",
		    p->label, kube_phase(p));
	if (kube_is_ready(p) && (n == 0 || (is_heard(d) && !runs(d, p))))
		scene_fail(v->sc, "%s is Ready, and no device runs it",
		    p->label);
	if (n == 1 && strstr(v->found, mark) == NULL)
		scene_fail(v->sc,
		    "%s is in the spec of %s and not in the "
		    "database",
		    p->label, d->name);
}

/* Of a Node that this placer serves, or of nobody. */
static int
is_ours(struct scene *sc, const char *app)
{
	const struct world *w = serve_world(sc->serve);
	const struct kpod *p = kube_by_app(sc, app);
	size_t i;

	if (!mark_is_ours(SCENE_CLUSTER, app) || again_is(app))
		return 0;
	for (i = 0; p != NULL && i < w->nnodes; i++)
		if (strcmp(w->nodes[i].name, p->node) == 0)
			return 1;
	return p == NULL;
}

static void
look_at_edge(struct views *v, const struct edge *d)
{
	const struct element *e;
	const struct kpod *p;

	if (!is_heard(d))
		return;
	TAILQ_FOREACH(e, &d->apps, link) {
		if (!is_ours(v->sc, e->name))
			continue;
		p = kube_by_app(v->sc, e->name);
		if (p == NULL || !p->in_api)
			scene_fail(v->sc,
			    "the spec of %s has %s, and there is "
			    "no such pod",
			    d->name, e->name);
	}
}

static void
look_at_seat(const struct seat *s, void *arg)
{
	struct views *v = arg;
	const struct kpod *p = kube_by_uid(v->sc, s->uid);
	const struct edge *d = flight_find(v->sc, s->device);
	AUTO_FREE char *before = v->found;

	v->found = xasprintf("%s%s ", before, s->uid);
	if (d == NULL || !is_heard(d))
		return;
	if (p == NULL || !p->in_api)
		scene_fail(v->sc,
		    "the database has %s on %s, and there is no "
		    "such pod",
		    s->pod, s->device);
	else if (is_wanted(p) && s->sent && !s->retreating &&
	    edge_find(&d->apps, p->app) == NULL)
		scene_fail(v->sc,
		    "the database has %s on %s, whose spec has "
		    "not",
		    p->label, s->device);
}

/* Somebody who decides, and hears both sides, and can save what it decides. */
static int
is_whole(const struct scene *sc)
{
	return sc->writer && !sc->store_full && !sc->kube.cut &&
	    !sc->flight.cut && sc->kube.reachable && sc->flight.reachable &&
	    sc->kube.listed && sc->flight.listed && TAILQ_EMPTY(&sc->held);
}

void
views_agree(struct scene *sc)
{
	struct views v = { .sc = sc, .found = xstrdup("") };
	AUTO_FREE char *copy = xasprintf("%s.views", sc->dir), *why = NULL;
	const struct kpod *p;
	const struct edge *d;

	if (!sc->failed && is_whole(sc)) {
		if (seats_read(sc->dir, copy, look_at_seat, &v, &why) == -1)
			scene_fail(sc, "%s", why);
		TAILQ_FOREACH(p, &sc->pods, link)
			look_at_pod(&v, p);
		TAILQ_FOREACH(d, &sc->edges, link)
			look_at_edge(&v, d);
	}
	free(v.found);
}
