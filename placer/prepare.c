/* SPDX-License-Identifier: ISC */
/*
 * prepare.c: gathers what the translation of a pod wants, then translates.
 *
 * Owns pod->raw, pod->needs and pod->entry.  Never chooses, never writes.
 */
#include "placer/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/retry.h"
#include "common/xmem.h"
#include "placer/live.h"
#include "placer/quadlet.h"

enum {
	PAUSE_MS = 5 * 1000, /* before what is missing is asked for again */
	PAUSE_MAX_MS = 60 * 1000
};

static void
fetch(struct effects *fx, struct wpod *p, uint64_t n)
{
	struct effect *e;

	e = effects_add(fx, EFFECT_FETCH);
	e->pod = p;
	e->number = n;
}

/* Takes what is needed. */
static struct wneeds *
new_needs(struct wpod *p, const struct quadlet_needs *of)
{
	struct wneeds *n;

	n = xcalloc(1, sizeof(*n));
	n->of = *of;
	n->bytes = xcalloc(of->n, sizeof(*n->bytes));
	n->lens = xcalloc(of->n, sizeof(*n->lens));
	n->unread = xcalloc(of->n, sizeof(*n->unread));
	p->needs = n;
	return n;
}

static enum prepare
ask_for_pod(struct wpod *p, struct effects *fx)
{
	const struct quadlet_needs none = { 0 };

	if (p->needs == NULL) {
		new_needs(p, &none)->pod_waits = 1;
		fetch(fx, p, FETCH_POD);
	}
	return PREPARE_WAITS;
}

/* 1: all there or on its way */
static int
ask_for_objects(struct wpod *p, struct effects *fx, struct why *why)
{
	struct quadlet_needs of;
	size_t i;

	if (p->needs != NULL)
		return 1;
	if (quadlet_needs((struct span){ p->raw, p->raw_len }, &of, why) == -1)
		return 0;
	new_needs(p, &of);
	for (i = 0; i < of.n; i++)
		fetch(fx, p, i);
	p->needs->waits = of.n;
	return 1;
}

static void
complain(struct wpod *p, size_t i, struct why *why)
{
	const struct quadlet_need *need = &p->needs->of.list[i];
	const char *kind = need->secret ? "secret" : "configmap";

	free(p->unmounted);
	p->unmounted = need->volume != NULL ? xstrdup(need->volume) : NULL;
	if (p->needs->unread[i] != NULL)
		fail(why, ERR_AGAIN, "%s \"%s\" cannot be read: %s", kind,
		    need->name, p->needs->unread[i]);
	else
		fail(why, ERR_AGAIN, "%s \"%s\" not found", kind, need->name);
}

/* What cannot be read may be there: an optional one, too, is waited for. */
static int
lacks(struct wpod *p, struct why *why)
{
	const struct wneeds *n = p->needs;
	size_t i;

	for (i = 0; i < n->of.n; i++) {
		if (n->lens[i] > 0 ||
		    (n->of.list[i].optional && n->unread[i] == NULL))
			continue;
		complain(p, i, why);
		world_free_needs(p); /* the next look asks again */
		return 1;
	}
	return 0;
}

/*
 * A key that is not there may come, and what an object holds may be mended, or
 * have come to harm on the way: the next look asks again.
 */
static void
ask_again(struct wpod *p, const struct quadlet *q, const struct why *why)
{
	if (why->kind == ERR_AGAIN) {
		free(p->unmounted);
		p->unmounted =
		    q->lacking[0] != '\0' ? xstrdup(q->lacking) : NULL;
	}
	world_free_needs(p);
}

static void
keep(struct wpod *p, const struct quadlet *q)
{
	size_t i, len = strlen(q->application) + 1;
	struct fit_room room = p->room;
	char *at;

	for (i = 0; i < q->nconfigs; i++)
		len += strlen(q->configs[i]) + 1;
	free(p->entry);
	at = p->entry = xmalloc(len + 1);
	at = stpcpy(at, q->application);
	for (i = 0; i < q->nconfigs; i++) {
		*at++ = '\n';
		at = stpcpy(at, q->configs[i]);
	}
	room.spec = (int64_t)len;
	if (p->device == NULL)
		world_set_room(p, room);
	p->has_entry = 1;
	p->rendered_images = p->pod->images;
	free(p->raw);
	p->raw = NULL;
	p->raw_len = 0;
	world_free_needs(p);
}

/*
 * An agent never tries again what it refused (again.h), and what it refused of
 * a pod older than our memory we do not know: the number of such a pod's try
 * begins where no earlier memory's did.
 */
static uint32_t
try_of(const struct world *w, const struct wpod *p)
{
	int older = p->pod->order_ms < w->born * UINT64_C(1000);

	return p->tries + (older ? w->born : 0);
}

static struct quadlet_in
input_of(const struct world *w, const struct wpod *p)
{
	return (struct quadlet_in){
		.pod = { p->raw, p->raw_len },
		.app = p->app,
		.cluster = w->cluster,
		.node = p->node->name,
		.images = p->pod->images,
		.cpu_m = p->pod->cpu_m,
		.memory = p->pod->memory,
		.try = try_of(w, p),
		.host = w->host,
		.registries = w->registries,
		.secrets = w->secrets,
	};
}

static enum prepare
translate(struct world *w, struct wpod *p, struct why *why)
{
	AUTO_FREE struct quadlet_object *objects = NULL;
	struct quadlet_in in;
	struct quadlet q;
	size_t i;

	if (mark_name(w->cluster, p->ns, p->name, p->uid, p->app) == -1) {
		fail(why, ERR_FORMAT,
		    "metadata: namespace \"%s\", name \"%s\" and uid \"%s\" "
		    "make no application's name: a uid begins with eight "
		    "hexadecimal digits",
		    p->ns, p->name, p->uid);
		return PREPARE_REFUSED;
	}
	objects = xcalloc(p->needs->of.n, sizeof(*objects));
	for (i = 0; i < p->needs->of.n; i++)
		objects[i] = (struct quadlet_object){
			.name = p->needs->of.list[i].name,
			.secret = p->needs->of.list[i].secret,
			.object = { p->needs->bytes[i], p->needs->lens[i] },
		};
	in = input_of(w, p);
	in.objects = objects;
	in.nobjects = p->needs->of.n;
	if (quadlet_render(&in, &q, why) == -1) {
		ask_again(p, &q, why);
		return PREPARE_REFUSED;
	}
	live_translated(w, p, objects, in.nobjects);
	keep(p, &q);
	quadlet_clear(&q);
	return PREPARE_READY;
}

enum prepare
prepare_entry(struct world *w, struct wpod *p, struct effects *fx,
    struct why *why)
{
	struct quadlet_in in;

	*why = (struct why){ .kind = ERR_NONE };
	if (p->has_entry)
		return PREPARE_READY;
	if (p->raw == NULL)
		return ask_for_pod(p, fx);
	in = input_of(w, p);
	if (quadlet_check(&in, why) == -1 || !ask_for_objects(p, fx, why))
		return PREPARE_REFUSED;
	if (p->needs->waits > 0)
		return PREPARE_WAITS;
	if (lacks(p, why))
		return PREPARE_REFUSED;
	return translate(w, p, why);
}

int64_t
prepare_pause_ms(struct wpod *p, const struct why *why)
{
	int64_t ms;

	if (why->kind != ERR_AGAIN)
		return PAUSE_MAX_MS;
	ms = retry_doubled_ms(PAUSE_MS, p->refusals, PAUSE_MAX_MS);
	if (p->refusals < UINT8_MAX)
		p->refusals++;
	return ms;
}

const char *
prepare_reason(const struct why *why)
{
	switch (why->kind) {
	case ERR_DENIED:
		return "UnsupportedPodSpec";
	case ERR_LIMIT:
		return "PodTooLarge";
	case ERR_NONE:
	case ERR_AGAIN:
	case ERR_AUTH:
	case ERR_CONFLICT:
	case ERR_GONE:
	case ERR_FORMAT:
	case ERR_SYSTEM:
	case ERR_BUG:
	case ERR_COUNT:
		break;
	}
	return "CreateContainerConfigError";
}

/* An object that was asked for and not answered. */
static int
is_awaited(const struct wneeds *needs, uint64_t n)
{
	return needs != NULL && n < needs->of.n && needs->bytes[n] == NULL &&
	    needs->unread[n] == NULL;
}

void
prepare_object(struct world *w, struct wpod *p, uint64_t n, struct span object)
{
	struct wneeds *needs = p->needs;

	world_look(w, p);
	if (n == FETCH_POD) {
		prepare_forget(p);
		if (object.len == 0 || p->raw != NULL)
			return;
		p->raw = xmalloc(object.len);
		memcpy(p->raw, object.p, object.len);
		p->raw_len = object.len;
		return;
	}
	if (!is_awaited(needs, n))
		return;
	needs->waits--;
	if (object.len == 0)
		return;
	needs->bytes[n] = xmalloc(object.len);
	memcpy(needs->bytes[n], object.p, object.len);
	needs->lens[n] = object.len;
}

void
prepare_unread(struct world *w, struct wpod *p, uint64_t n, const char *text)
{
	if (!is_awaited(p->needs, n))
		return;
	world_look(w, p);
	p->needs->waits--;
	p->needs->unread[n] = xstrdup(text);
}

void
prepare_unanswered(struct world *w, struct wpod *p, struct now now)
{
	struct why why;

	fail(&why, ERR_AGAIN, "no answer");
	world_free_needs(p);
	p->retry_boot = now.boot_ms + prepare_pause_ms(p, &why);
	world_look_at(w, p, p->retry_boot);
}

void
prepare_forget(struct wpod *p)
{
	world_free_needs(p);
}

void
prepare_soon(struct world *w, struct wpod *p)
{
	if (p->refusals == 0)
		return;
	p->refusals = 0;
	p->retry_boot = 0;
	world_look(w, p);
}
