/* SPDX-License-Identifier: ISC */
/*
 * objects.c: the ConfigMaps and Secrets whose files running pods have.
 *
 * Owns the queue of questions and its bound, and the bytes of what is wanted:
 * a Secret's are wiped as soon as nobody does.  Never asks (act.c does).
 */
#include "placer/objects.h"

#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "common/xmem.h"

RB_GENERATE(wobject_tree, wobject, link, wobject_cmp)

enum {
	ABSENT = 1, /* the version of what is not there */
};

int
wobject_cmp(const struct wobject *a, const struct wobject *b)
{
	return strcmp(a->key, b->key);
}

struct wobject *
objects_find(struct world *w, const char *key)
{
	struct wobject like = { .version = 0 };

	memcpy(&like.key, &key, sizeof(like.key));
	return RB_FIND(wobject_tree, &w->objects, &like);
}

int
objects_is_secret(const struct wobject *o)
{
	return o->key[0] == 's';
}

char *
objects_name(const struct wobject *o)
{
	return strrchr(o->key, '/') + 1;
}

static void
drop_bytes(struct wobject *o)
{
	if (o->bytes != NULL && objects_is_secret(o))
		explicit_bzero(o->bytes, o->len);
	free(o->bytes);
	o->bytes = NULL;
	o->len = 0;
	o->held = 0;
}

static void
leave_queue(struct world *w, struct wobject *o)
{
	if (o->queued)
		TAILQ_REMOVE(&w->polls, o, queue);
	o->queued = 0;
}

void
objects_use(struct world *w, struct wuse *use, int secret, const char *name)
{
	char *key =
	    xasprintf("%c/%s/%s", secret ? 's' : 'c', use->pod->ns, name);
	struct wobject *o = objects_find(w, key);

	if (o != NULL) {
		free(key);
	} else {
		o = xcalloc(1, sizeof(*o));
		o->key = key;
		TAILQ_INIT(&o->uses);
		RB_INSERT(wobject_tree, &w->objects, o);
	}
	use->object = o;
	TAILQ_INSERT_TAIL(&o->uses, use, link);
}

void
objects_unuse(struct world *w, struct wuse *use)
{
	struct wobject *o = use->object;

	TAILQ_REMOVE(&o->uses, use, link);
	use->object = NULL;
	if (!TAILQ_EMPTY(&o->uses))
		return;
	leave_queue(w, o);
	RB_REMOVE(wobject_tree, &w->objects, o);
	drop_bytes(o);
	free(o->key);
	free(o);
}

/* Before all others, but within the bound. */
static void
hurry(struct world *w, struct wobject *o)
{
	leave_queue(w, o);
	o->asked_boot = 0;
	o->queued = 1;
	TAILQ_INSERT_HEAD(&w->polls, o, queue);
}

void
objects_want(struct world *w, struct wobject *o)
{
	o->wanted++;
	if (!o->held && !o->asked)
		hurry(w, o);
}

void
objects_unwant(struct wobject *o)
{
	if (--o->wanted == 0)
		drop_bytes(o);
}

void
objects_wait(struct world *w, struct wobject *o, struct now now)
{
	leave_queue(w, o);
	o->asked = 0;
	o->asked_boot = now.boot_ms;
	if (o->immutable && (o->wanted == 0 || o->held))
		return;
	o->queued = 1;
	TAILQ_INSERT_TAIL(&w->polls, o, queue);
}

/* FNV-1a; in each version is another resourceVersion. */
uint64_t
objects_version(struct span object)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	size_t i;

	if (object.len == 0)
		return ABSENT;
	for (i = 0; i < object.len; i++)
		h = (h ^ (uint8_t)object.p[i]) * 0x100000001b3ULL;
	return h <= ABSENT ? ABSENT + 1 : h;
}

int
objects_is_immutable(struct span object)
{
	struct span value;

	return object.len > 0 &&
	    scan_get(object, &value, "immutable", NULL) == 1 &&
	    span_is(value, "true");
}

void
objects_note(struct wobject *o, struct span object)
{
	o->version = objects_version(object);
	o->immutable = (uint8_t)objects_is_immutable(object);
	if (o->wanted > 0) {
		drop_bytes(o);
		o->bytes = xmalloc(object.len + 1);
		if (object.len > 0)
			memcpy(o->bytes, object.p, object.len);
		o->len = object.len;
		o->held = 1;
	}
}

struct wobject *
objects_next(struct world *w, struct now now)
{
	struct wobject *o = TAILQ_FIRST(&w->polls);

	if (o == NULL || now.boot_ms < objects_due(w))
		return NULL;
	if (now.boot_ms >= w->polls_boot + OBJECTS_TICK_MS) {
		w->polls_boot = now.boot_ms;
		w->npolled = 0;
	}
	w->npolled++;
	leave_queue(w, o);
	o->asked = 1;
	o->asked_boot = now.boot_ms;
	return o;
}

int64_t
objects_due(const struct world *w)
{
	const struct wobject *o = TAILQ_FIRST(&w->polls);
	int64_t at;

	if (o == NULL)
		return INT64_MAX;
	at = o->asked_boot == 0 ? 0 : o->asked_boot + OBJECTS_PERIOD_MS;
	if (w->npolled >= OBJECTS_BURST && at < w->polls_boot + OBJECTS_TICK_MS)
		at = w->polls_boot + OBJECTS_TICK_MS;
	return at;
}
