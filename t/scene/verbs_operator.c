/* SPDX-License-Identifier: ISC */
/*
 * verbs_operator.c: what a person orders at vkfctl(8).
 */
#include <string.h>

#include "t/scene/verbs.h"

/* Whose end is not confirmed any more, because a person said so. */
static void
note_order(struct scene *sc, const struct order *o)
{
	const struct wpod *is;
	struct kpod *p;
	const char *slash = strchr(o->name, '/');
	struct edge *d = flight_find(sc, o->name);

	if (d != NULL)
		d->drained = o->kind == ORDER_DRAIN ||
		    (d->drained && o->kind != ORDER_UNDRAIN);
	TAILQ_FOREACH(p, &sc->pods, link) {
		is =
		    world_pod((struct world *)(uintptr_t)serve_world(sc->serve),
			p->uid);
		if (is == NULL || is->device == NULL)
			continue;
		if (o->kind == ORDER_RETIRE ?
			strcmp(is->device->name, o->name) == 0 :
			o->kind == ORDER_GIVE_UP && slash != NULL &&
			    strcmp(slash + 1, p->name) == 0)
			p->forced = 1;
	}
}

/*
 * operator [again|refused|none] ORDER [NAME]: a person at vkfctl(8); again: it
 * must change nothing.
 */
void
verb_operator(struct scene *sc, const struct words *s)
{
	static const char *const results[] = { "done", "again", "refused",
		"none" };
	char text[MAX_TEXT] = "";
	struct order o = { .uid = 1000, .kind = ORDER_COUNT };
	size_t want = 0, at = 1, i;

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
	note_order(sc, &o);
	i = (size_t)serve_order(sc->serve, &o, text);
	if (i != want && !sc->quiet)
		scene_fail(sc, "%s: %s, wanted %s: %s", words_at(s, at),
		    results[i], results[want], text);
}
