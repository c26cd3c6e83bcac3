/* SPDX-License-Identifier: ISC */
/*
 * rules.c: what must hold at every step of every scene, whatever it is about.
 *
 * Owns the promises (design 6 and 7).  Looks at the models alone, never at
 * what the placer believes.
 */
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/mark.h"
#include "common/quantity.h"
#include "common/scan.h"
#include "t/scene/clock.h"
#include "t/scene/scene.h"

/* -- at every step ------------------------------------------------------------
 */

static int
places(struct scene *sc, const struct kpod *p)
{
	const struct edge *d;
	int n = 0;

	TAILQ_FOREACH(d, &sc->edges, link)
		n += edge_may_run(d, p->app);
	return n;
}

/*
 * Never twice at once, nor two of one name but by a person's word; a backup
 * that is restored asks nobody.
 */
static void
check_pods(struct scene *sc)
{
	struct kpod *p, *q;
	int n;

	TAILQ_FOREACH(p, &sc->pods, link) {
		if ((n = places(sc, p)) > 1 && !p->restored)
			scene_fail(sc, "%s can run on %d devices at once",
			    p->label, n);
		for (q = TAILQ_NEXT(p, link); n == 1 && q != NULL;
		     q = TAILQ_NEXT(q, link))
			if (strcmp(p->name, q->name) == 0 && !p->forced &&
			    !p->restored && !q->restored && places(sc, q) > 0)
				scene_fail(sc, "%s and %s can run at once",
				    p->label, q->label);
	}
}

static void
check_room(struct scene *sc, const struct edge *d)
{
	int64_t cpu = 0, memory = 0, one;
	const struct element *e;
	const struct kpod *p;

	TAILQ_FOREACH(e, &d->apps, link) {
		if ((p = kube_by_app(sc, e->name)) == NULL || p->cpu == NULL)
			continue;
		if (quantity_milli(span_of(p->cpu), &one) == 0)
			cpu += one;
		if (quantity_value(span_of(p->memory), &one) == 0)
			memory += one;
	}
	if (cpu > (int64_t)d->cores * 1000 ||
	    memory > (int64_t)d->memory_mib << 20)
		scene_fail(sc,
		    "%s: %lldm CPU and %lldMi memory are more than "
		    "it has",
		    d->name, (long long)cpu, (long long)(memory >> 20));
}

/* -- two devices at a time try an image that nobody ran -- */

static int
tries(struct scene *sc, const struct edge *d, const char *image)
{
	const struct element *e;
	const struct kpod *p;

	TAILQ_FOREACH(e, &d->apps, link)
		if ((p = kube_by_app(sc, e->name)) != NULL &&
		    p->image != NULL && strcmp(p->image, image) == 0 &&
		    strstr(e->raw, image) != NULL)
			return 1;
	return 0;
}

/*
 * Others try in place of one that is away; its own stays when it is back, and
 * what waited while one was held goes.
 */
static int
counts(struct scene *sc, struct edge *d, const char *image)
{
	if (!tries(sc, d, image))
		edge_cut(&d->excused, image);
	else if (!edge_is_there(d) || d->was_frozen)
		edge_set(&d->excused, image, "");
	else
		return edge_find(&d->excused, image) == NULL;
	return 0;
}

static void
check_images(struct scene *sc)
{
	const struct kpod *p;
	struct edge *d;
	int n;

	TAILQ_FOREACH(p, &sc->pods, link) {
		if (p->image == NULL || edge_find(&sc->ran, p->image) != NULL)
			continue;
		n = 0;
		TAILQ_FOREACH(d, &sc->edges, link)
			n += counts(sc, d, p->image);
		if (n > 2)
			scene_fail(sc, "%d devices try image %s at once", n,
			    p->image);
	}
}

void
rules_hold(struct scene *sc)
{
	const struct edge *d;

	check_pods(sc);
	check_images(sc);
	TAILQ_FOREACH(d, &sc->edges, link)
		if (!d->shrunk)
			check_room(sc, d);
}

/* -- when no event has come for long: all that is wanted runs or waits with a
 * reason, and nothing else runs -- */

static int
says_why_it_waits(const struct kpod *p)
{
	AUTO_FREE char *reason = kube_reason(p);

	return !p->ended && !kube_is_ready(p) && *reason != '\0';
}

int
rules_is_foreign(struct scene *sc, const char *name)
{
	const struct world *w = serve_world(sc->serve);
	const struct kpod *p;
	char app[MAX_NAME + 1];
	size_t i, len = strcspn(name, ".");

	if (len >= sizeof(app))
		return 1;
	memcpy(app, name, len);
	app[len] = '\0';
	if (!mark_is_ours(SCENE_CLUSTER, app))
		return 1;
	if ((p = kube_by_app(sc, app)) == NULL)
		return 1;
	for (i = 0; i < w->nnodes; i++)
		if (strcmp(w->nodes[i].name, p->node) == 0)
			return 0;
	return strcmp(p->node, sc->purged) != 0;
}

/*
 * Whoever gave it up took it upon himself when the device stops it: a version
 * that failed there is not tried again.  Out of the spec it must be.
 */
static int
is_left_alone(struct scene *sc, const struct kpod *p)
{
	const struct edge *d;

	TAILQ_FOREACH(d, &sc->edges, link)
		if (edge_find(&d->apps, p->app) != NULL)
			return 0;
	return p->given_up;
}

static void
check_calm_pod(struct scene *sc, const struct kpod *p)
{
	int n = places(sc, p);

	if (!p->in_api && n != 0 && !rules_is_foreign(sc, p->app) &&
	    !is_left_alone(sc, p))
		scene_fail(sc, "%s is gone and can still run", p->label);
	if (!p->in_api || p->ended)
		return;
	if (p->deleted_ms != 0)
		scene_fail(sc, "%s is never let go", p->label);
	else if (n == 1 ? !kube_is_ready(p) : !says_why_it_waits(p))
		scene_fail(sc, "%s has %d places and is %s", p->label, n,
		    kube_phase(p));
}

void
rules_calm(struct scene *sc)
{
	const struct kpod *p;

	rules_hold(sc);
	TAILQ_FOREACH(p, &sc->pods, link)
		check_calm_pod(sc, p);
}

/*
 * What is told of a pod is told of its spec as it stands; of one that goes
 * nothing more is.
 */
void
rules_rest(struct scene *sc)
{
	struct json_object *told;
	const struct kpod *p;

	if (!sc->writer || !sc->kube.reachable || !sc->kube.listed)
		return;
	TAILQ_FOREACH(p, &sc->pods, link) {
		told = jread_member(p->status, "observedGeneration");
		if (p->in_api && !p->ended && p->deleted_ms == 0 &&
		    told != NULL &&
		    json_object_get_uint64(told) != p->generation)
			scene_fail(sc,
			    "%s has generation %llu, and its status is of %s",
			    p->label, (unsigned long long)p->generation,
			    json_object_get_string(told));
	}
}

/* -- at each write
 * ------------------------------------------------------------------ */

static void
check_writer(struct scene *sc, const char *what, const char *about,
    uint64_t until_boot)
{
	if (!sc->writer || (int64_t)until_boot > sc->until_boot ||
	    (int64_t)until_boot <= clock_boot_ms())
		scene_fail(sc,
		    "%s of %s by one that is not the writer "
		    "(until %lld)",
		    what, about, (long long)until_boot);
}

static int
is_listed(const struct scene *sc)
{
	return sc->kube.chan != NULL && sc->kube.listed && sc->kube.reachable;
}

/* What a device was never told to stop may be put back: placer/stall.h. */
static int
is_undone(struct scene *sc, const char *device, const char *app,
    struct span entry)
{
	const struct edge *d = flight_find(sc, device);
	const struct told *t;

	if (d == NULL || edge_is_rendered(d))
		return 0;
	TAILQ_FOREACH(t, &d->told, link)
		if (strcmp(t->app, app) == 0)
			return span_is(entry, t->raw);
	return 0;
}

static void
check_set(struct scene *sc, const char *device, const char *app,
    struct span entry)
{
	const struct kpod *p = kube_by_app(sc, app);

	if (p == NULL) {
		scene_fail(sc, "%s is set and is no pod's", app);
		return;
	}
	if (p->ended)
		scene_fail(sc, "%s has ended and is run again", p->label);
	if (is_listed(sc) && !p->untold && (!p->in_api || p->deleted_ms != 0) &&
	    !is_undone(sc, device, app, entry))
		scene_fail(sc, "%s is set and nobody wants it", p->label);
}

static void
check_names(struct scene *sc, const char *device, struct span edit,
    const char *member)
{
	char name[MAX_NAME + 1];
	struct span list, e;
	size_t at = 0;

	if (scan_get(edit, &list, member, "set", NULL) == 1)
		while (scan_next(list, &at, &e) == 1) {
			if (scan_get_string(e, name, sizeof(name), "name",
				NULL) != 1 ||
			    rules_is_foreign(sc, name))
				scene_fail(sc, "%s is not ours to set", name);
			if (strcmp(member, "applications") == 0)
				check_set(sc, device, name, e);
		}
	at = 0;
	if (scan_get(edit, &list, member, "cut", NULL) == 1)
		while (scan_next(list, &at, &e) == 1)
			if (scan_unescape(e, name, sizeof(name)) == -1 ||
			    rules_is_foreign(sc, name))
				scene_fail(sc, "%s is not ours to cut", name);
}

void
rules_change(struct scene *sc, const struct body_change *m)
{
	const struct edge *d = flight_find(sc, m->device);

	check_writer(sc, "a change", m->device, m->until_boot);
	if (d != NULL && d->told_frozen)
		scene_fail(sc, "%s is written while Flightctl holds it",
		    m->device);
	if (!scan_is_valid(m->edit))
		scene_fail(sc, "an edit of %s that is no JSON", m->device);
	check_names(sc, m->device, m->edit, "applications");
	check_names(sc, m->device, m->edit, "config");
}

void
rules_status(struct scene *sc, const struct body_pod_status *m)
{
	const struct kpod *p = kube_by_uid(sc, m->uid);
	char phase[64];
	struct span v;

	check_writer(sc, "a status", m->name, m->until_boot);
	if (scan_get(m->status, &v, "podIP", NULL) != 0)
		scene_fail(sc, "a status of %s with an address", m->name);
	if (p == NULL) {
		scene_fail(sc, "a status of %s, of a UID that never was",
		    m->name);
		return;
	}
	if (p->ended &&
	    scan_get_string(m->status, phase, sizeof(phase), "phase", NULL) ==
		1 &&
	    strcmp(phase, kube_phase(p)) != 0)
		scene_fail(sc, "%s was %s and is told to be %s", p->label,
		    kube_phase(p), phase);
}

/*
 * Only a device that is gone, overdue or another's costs a pod its life, or a
 * person's word; with a Fleet as owner, once that took the entry out.
 */
static void
check_eviction(struct scene *sc, const struct kpod *p)
{
	const struct edge *d;

	TAILQ_FOREACH(d, &sc->edges, link)
		if (edge_may_run(d, p->app) && !d->silent && d->listed &&
		    !d->drained && !p->forced &&
		    strcmp(d->lifecycle, "Enrolled") == 0 &&
		    strcmp(d->summary, "Online") == 0 &&
		    (d->owner == NULL || edge_find(&d->apps, p->app) != NULL))
			scene_fail(sc, "%s is evicted while %s is there",
			    p->label, d->name);
}

/* An order that was taken back and not saved holds again later. */
static void
note_given_up(struct scene *sc, struct kpod *p)
{
	const struct edge *d;

	TAILQ_FOREACH(d, &sc->edges, link)
		if (d->given_up && edge_may_run(d, p->app))
			p->forced = p->given_up = 1;
}

void
rules_delete(struct scene *sc, const struct body_pod_delete *m)
{
	struct kpod *p = kube_by_uid(sc, m->uid);
	const struct edge *d;

	check_writer(sc, "a delete", m->name, m->until_boot);
	if (p == NULL) {
		scene_fail(sc, "a delete of %s, of a UID that never was",
		    m->name);
		return;
	}
	note_given_up(sc, p);
	if (m->grace_s != 0) {
		check_eviction(sc, p);
		return;
	}
	if (p->deleted_ms == 0)
		scene_fail(sc, "%s is deleted and nobody asked", p->label);
	TAILQ_FOREACH(d, &sc->edges, link) {
		if (edge_may_run(d, p->app) && !p->forced)
			scene_fail(sc, "%s is deleted while %s can run it",
			    p->label, d->name);
		/* Nothing is written where it is owned, or held: of what was
		   given up there the delete is on its way. */
		if (p->forced && edge_find(&d->apps, p->app) != NULL &&
		    d->owner == NULL && !d->told_frozen &&
		    !(p->given_up && d->was_frozen))
			scene_fail(sc, "%s is deleted and left on %s", p->label,
			    d->name);
	}
}
