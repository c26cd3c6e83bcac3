/* SPDX-License-Identifier: ISC */
/*
 * side.c: how our ends of the links answer: at once, late, not at all, or with
 * what a scene wants.
 */
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/scene/scene.h"

/* A request that was put aside. */
struct held {
	TAILQ_ENTRY(held) link;
	struct side *side;
	unsigned int epoch;
	enum msg_type type;
	uint64_t id;
	char *body;
	size_t len;
};

/* An answer that is on its way. */
struct late {
	struct side *side;
	unsigned int epoch;
	enum msg_type type;
	uint64_t id;
	union {
		struct body_done done;
		struct body_changed changed;
		struct body_device device;
		struct body_device_bad bad;
		struct body_object object;
	} m;
};

void
side_send(struct scene *sc, struct side *s, enum msg_type type, uint64_t id,
    const void *body)
{
	if (s->chan == NULL)
		return;
	sc->moved++;
	if (chan_send(s->chan, type, id, body, -1) == -1)
		scene_fail(sc, "our %s does not encode", msg_info(type)->name);
}

static struct span *
blob_of(struct late *l)
{
	if (l->type == MSG_DEVICE)
		return &l->m.device.object;
	if (l->type == MSG_OBJECT)
		return &l->m.object.object;
	return NULL;
}

static void
arrive(struct scene *sc, void *arg)
{
	struct late *l = arg;

	if (l->epoch == l->side->epoch)
		side_send(sc, l->side, l->type, l->id, &l->m);
}

static size_t
size_of(enum msg_type type)
{
	if (type == MSG_DONE)
		return sizeof(struct body_done);
	if (type == MSG_CHANGED)
		return sizeof(struct body_changed);
	if (type == MSG_DEVICE)
		return sizeof(struct body_device);
	if (type == MSG_DEVICE_BAD)
		return sizeof(struct body_device_bad);
	if (type == MSG_OBJECT)
		return sizeof(struct body_object);
	abort();
}

void
side_answer(struct scene *sc, struct side *s, enum msg_type asked,
    enum msg_type type, uint64_t id, const void *body)
{
	struct late *l, head;
	struct span *blob;
	size_t len;

	if (s->on[asked].delay_ms == 0) {
		side_send(sc, s, type, id, body);
		return;
	}
	head.type = type;
	memcpy(&head.m, body, size_of(type));
	len = (blob = blob_of(&head)) != NULL ? blob->len : 0;
	l = xcalloc(1, sizeof(*l) + len); /* the bytes after it */
	l->side = s;
	l->epoch = s->epoch;
	l->type = type;
	l->id = id;
	memcpy(&l->m, body, size_of(type));
	if ((blob = blob_of(l)) != NULL) {
		memcpy(l + 1, blob->p, len);
		blob->p = (const char *)(l + 1);
	}
	place_after(sc, s->on[asked].delay_ms, arrive, l);
}

static void
put_aside(struct scene *sc, struct side *s, const struct frame *f)
{
	struct held *h = xcalloc(1, sizeof(*h));

	h->side = s;
	h->epoch = s->epoch;
	h->type = f->type;
	h->id = f->id;
	h->len = f->body.len;
	h->body = xmalloc(h->len + 1);
	memcpy(h->body, f->body.p, h->len);
	TAILQ_INSERT_TAIL(&sc->held, h, link);
}

enum answer
side_rule(struct scene *sc, struct side *s, const struct frame *f,
    enum why_kind *kind)
{
	struct answering *a = &s->on[f->type];

	*kind = ERR_NONE;
	if (a->hold) {
		put_aside(sc, s, f);
		return ANSWER_HELD;
	}
	if (a->times == 0)
		return ANSWER_MODEL;
	a->times--;
	*kind = a->how == ANSWER_KIND ? a->kind : ERR_AGAIN;
	return a->how;
}

static void
drop_one(struct scene *sc, struct held *h)
{
	TAILQ_REMOVE(&sc->held, h, link);
	free(h->body);
	free(h);
}

void
side_release(struct scene *sc, struct side *s, enum msg_type type)
{
	struct held *h, *next;
	struct frame f = { .fd = -1 };

	s->on[type].hold = 0;
	TAILQ_FOREACH_SAFE(h, &sc->held, link, next) {
		if (h->side != s || h->type != type)
			continue;
		f.type = h->type;
		f.id = h->id;
		f.body = (struct span){ h->body, h->len };
		if (h->epoch == s->epoch && s->is == PROC_KUBESIDE)
			kube_frame(sc, &f, 1);
		else if (h->epoch == s->epoch)
			flight_frame(sc, &f, 1);
		drop_one(sc, h);
	}
}

void
side_drop_held(struct scene *sc)
{
	struct held *h;

	while ((h = TAILQ_FIRST(&sc->held)) != NULL)
		drop_one(sc, h);
}
