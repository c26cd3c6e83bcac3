/* SPDX-License-Identifier: ISC */
/*
 * verbs_operator.c: what a person orders at vkfctl(8).
 */
#include <string.h>

#include "t/scene/verbs.h"

enum {
	ORDER_ANY = ORDER_NOTHING + 1, /* of what is wanted */
	TRIES = 600,
	TRY_MS = 1000,
};

static struct world *
world_of(struct scene *sc)
{
	return (struct world *)(uintptr_t)serve_world(sc->serve);
}

/* The pod that the order would give up: of a name, the one on a device. */
static struct kpod *
meant(struct scene *sc, const struct order *o)
{
	const struct wpod *found = NULL;
	struct wpod *is = NULL;
	struct kpod *p;

	if (!orders_of_pod(o))
		return NULL;
	while ((is = world_called(world_of(sc), o->name, is)) != NULL)
		if (is->device != NULL && !is->given_up.on)
			found = is;
	TAILQ_FOREACH(p, &sc->pods, link)
		if (found != NULL && strcmp(p->uid, found->uid) == 0)
			break;
	return p;
}

/* All that is on a device which never comes back, as far as anybody knows. */
static void
give_up_all(struct scene *sc, const struct edge *d)
{
	const struct wpod *is;
	struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link) {
		is = world_pod(world_of(sc), p->uid);
		if (edge_may_run(d, p->app) ||
		    (is != NULL && is->device != NULL &&
			strcmp(is->device->name, d->name) == 0))
			p->forced = p->given_up = 1;
	}
}

/* Taken back, not saved or not by the other replica, it may come again. */
static int
is_forgotten(const struct scene *sc, enum order_verdict v)
{
	return v == ORDER_DOES && !sc->store_full && sc->other_dir == NULL;
}

static void
note_device(struct scene *sc, struct edge *d, enum order_kind kind,
    enum order_verdict v)
{
	if (kind == ORDER_DRAIN)
		d->drained = 1;
	else if (kind == ORDER_UNDRAIN && is_forgotten(sc, v))
		d->drained = d->given_up = 0;
	else if (kind == ORDER_GIVE_UP) {
		d->drained = d->given_up = 1;
		give_up_all(sc, d);
	}
}

/* All that it has, and what may come to it when it is listed. */
static void
note_node(struct scene *sc, const struct order *o, enum order_verdict v)
{
	const struct wdevice *is;
	struct edge *d;

	TAILQ_FOREACH(d, &sc->edges, link) {
		is = world_device(world_of(sc), d->name);
		if (is != NULL && is->node != NULL &&
		    strcmp(is->node->name, o->name) != 0)
			continue;
		if (o->kind == ORDER_RETIRE)
			d->drained = 1;
		else if (is_forgotten(sc, v))
			d->drained = is != NULL && is->drained.on;
	}
}

/* Whose end is not confirmed any more, because a person said so. */
static enum order_verdict
give(struct scene *sc, const struct order *o, char text[MAX_TEXT])
{
	struct edge *d = flight_find(sc, o->name);
	struct kpod *p = meant(sc, o);
	enum order_verdict v = serve_order(sc->serve, o, text);

	if (v != ORDER_DOES && v != ORDER_ALREADY)
		return v;
	if (p != NULL)
		p->forced = p->given_up = 1;
	if (d != NULL)
		note_device(sc, d, o->kind, v);
	if (o->kind == ORDER_RETIRE || o->kind == ORDER_UNRETIRE)
		note_node(sc, o, v);
	return v;
}

/*
 * Who got no answer, for power went, says it again; and who waits for what
 * trouble held up until it is taken.
 */
static enum order_verdict
insist(struct scene *sc, const struct order *o, size_t want,
    char text[MAX_TEXT])
{
	enum order_verdict v = give(sc, o, text);
	int tries;

	for (tries = 0; sc->patient && !sc->failed && tries < TRIES &&
	     (sc->dark ||
		 (want == ORDER_DOES && v != want && v != ORDER_ALREADY));
	     tries++) {
		place_pass(sc, sc->dark ? 0 : TRY_MS);
		v = give(sc, o, text);
	}
	return v;
}

/*
 * operator [again|refused|none|any] ORDER [NAME]: a person at vkfctl(8); again:
 * it must change nothing; any: whatever the answer is.
 */
void
verb_operator(struct scene *sc, const struct words *s)
{
	static const char *const results[] = { "done", "again", "refused",
		"none", "any" };
	char text[MAX_TEXT] = "";
	struct order o = { .uid = 1000, .kind = ORDER_COUNT };
	size_t want = ORDER_DOES, at = 1, i;

	for (i = 1; i < sizeof(results) / sizeof(results[0]); i++)
		if (strcmp(words_at(s, 1), results[i]) == 0) {
			want = i;
			at = 2;
		}
	for (i = 0; i < ORDER_COUNT; i++)
		if (strcmp(words_at(s, at), orders_word((enum order_kind)i)) ==
		    0)
			o.kind = (enum order_kind)i;
	o.name = s->n > at + 1 ? words_at(s, at + 1) : "";
	if (o.kind == ORDER_COUNT) {
		scene_fail(sc, "no order %s", words_at(s, at));
		return;
	}
	i = (size_t)insist(sc, &o, want, text);
	if (i != want && want != ORDER_ANY && !sc->quiet)
		scene_fail(sc, "%s: %s, wanted %s: %s", words_at(s, at),
		    results[i], results[want], text);
}
