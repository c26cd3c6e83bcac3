/* SPDX-License-Identifier: ISC */
/*
 * proof.c: which images are known to be good.
 *
 * Owns what is proven, who tries what is not, and who waits for that.  All of
 * it is read off pods and devices: a restart needs no memory of it.  Never
 * decides what becomes of a pod, never sends.
 */
#include "placer/proof.h"

#include <stdlib.h>

#include "common/xmem.h"
#include "placer/facts.h"

/* One image on one architecture. */
struct proof {
	RB_ENTRY(proof) link;
	TAILQ_ENTRY(proof) by_age;
	uint64_t key;
	uint8_t proven;
	struct wdevice *by[PROOF_TRIES]; /* may have given up since */
	struct wpod_list waiting;
};
RB_HEAD(proof_tree, proof);
TAILQ_HEAD(proof_list, proof);

struct proofs {
	struct proof_tree tree;
	struct proof_list open, proven;
	size_t nproven;
	uint8_t stale; /* who tries is to be read off the world */
};

static int
proof_cmp(const struct proof *a, const struct proof *b)
{
	if (a->key == b->key)
		return 0;
	return a->key < b->key ? -1 : 1;
}

RB_PROTOTYPE(proof_tree, proof, link, proof_cmp)
RB_GENERATE(proof_tree, proof, link, proof_cmp)

struct proofs *
proof_new(void)
{
	struct proofs *ps = xcalloc(1, sizeof(*ps));

	RB_INIT(&ps->tree);
	TAILQ_INIT(&ps->open);
	TAILQ_INIT(&ps->proven);
	ps->stale = 1;
	return ps;
}

void
proof_leave(struct wpod *p)
{
	if (p->proof == NULL)
		return;
	TAILQ_REMOVE(&p->proof->waiting, p, on_proof);
	p->proof = NULL;
}

static void
drop(struct proofs *ps, struct proof *pr)
{
	struct wpod *p;

	while ((p = TAILQ_FIRST(&pr->waiting)) != NULL)
		proof_leave(p);
	RB_REMOVE(proof_tree, &ps->tree, pr);
	TAILQ_REMOVE(pr->proven ? &ps->proven : &ps->open, pr, by_age);
	ps->nproven -= pr->proven;
	free(pr);
}

void
proof_free(struct proofs *ps)
{
	struct proof *pr;

	if (ps == NULL)
		return;
	while ((pr = RB_ROOT(&ps->tree)) != NULL)
		drop(ps, pr);
	free(ps);
}

/* -- keys -- */

static uint64_t
key_of(const struct pod_container *c, const struct wdevice *d)
{
	const char *arch =
	    d->dev != NULL && d->dev->arch != NULL ? d->dev->arch : "";
	uint64_t h = c->image_id;

	for (; *arch != '\0'; arch++)
		h = (h ^ (uint8_t)*arch) * 0x100000001b3ULL;
	return h;
}

static struct proof *
find(struct proofs *ps, uint64_t key)
{
	struct proof want = { .key = key };

	return RB_FIND(proof_tree, &ps->tree, &want);
}

static struct proof *
get(struct proofs *ps, uint64_t key)
{
	struct proof *pr;

	if ((pr = find(ps, key)) != NULL)
		return pr;
	pr = xcalloc(1, sizeof(*pr));
	pr->key = key;
	TAILQ_INIT(&pr->waiting);
	RB_INSERT(proof_tree, &ps->tree, pr);
	TAILQ_INSERT_TAIL(&ps->open, pr, by_age);
	return pr;
}

/* -- who tries -- */

/* Does its entry stand on its device unproven, or is it about to? */
static int
tries(const struct wpod *p)
{
	const struct wdevice *d = p->device;
	const struct app_entry *e;

	if (p->queued == IO_SET && !p->reverting)
		return 1;
	if (p->applied || p->sent_images != p->pod->images)
		return 0;
	if (p->flying == IO_SET || p->unread || p->withheld)
		return 1;
	return d->dev != NULL && (e = device_entry(d->dev, p->app)) != NULL &&
	    e->images == p->sent_images;
}

static int
is_tried_on(const struct wdevice *d, uint64_t key, struct now now)
{
	const struct wpod *p;
	size_t i;

	if (facts_device(d, now) != HERE)
		return 0; /* it proves nothing for now */
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->pod == NULL || !tries(p))
			continue;
		for (i = 0; i < p->pod->ncontainers; i++)
			if (key_of(&p->pod->containers[i], d) == key)
				return 1;
	}
	return 0;
}

/* The place of d among those that try, or a free one; NULL: none is. */
static struct wdevice **
place_of(struct proof *pr, const struct wdevice *d, struct now now)
{
	size_t i;

	for (i = 0; d != NULL && i < PROOF_TRIES; i++)
		if (pr->by[i] == d)
			return &pr->by[i];
	for (i = 0; i < PROOF_TRIES; i++)
		if (pr->by[i] == NULL || !is_tried_on(pr->by[i], pr->key, now))
			return &pr->by[i];
	return NULL;
}

static int
is_tried(const struct proof *pr, struct now now)
{
	size_t i;

	for (i = 0; i < PROOF_TRIES; i++)
		if (pr->by[i] != NULL && is_tried_on(pr->by[i], pr->key, now))
			return 1;
	return 0;
}

static void
look_at_waiting(struct world *w, struct proof *pr)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &pr->waiting, on_proof)
		world_look(w, p);
}

static void
prove(struct world *w, uint64_t key)
{
	struct proofs *ps = w->proofs;
	struct proof *pr = get(ps, key);
	size_t i;

	if (pr->proven)
		return;
	look_at_waiting(w, pr);
	if (ps->nproven >= PROOF_MAX)
		drop(ps, TAILQ_FIRST(&ps->proven));
	for (i = 0; i < PROOF_TRIES; i++)
		pr->by[i] = NULL;
	TAILQ_REMOVE(&ps->open, pr, by_age);
	TAILQ_INSERT_TAIL(&ps->proven, pr, by_age);
	pr->proven = 1;
	ps->nproven++;
}

void
proof_applied(struct world *w, const struct wpod *p)
{
	size_t i;

	if (p->pod == NULL || p->pod->images != p->sent_images)
		return;
	for (i = 0; i < p->pod->ncontainers; i++)
		prove(w, key_of(&p->pod->containers[i], p->device));
}

static void
take_places(struct world *w, const struct wpod *p, struct now now)
{
	struct wdevice **place;
	struct proof *pr;
	size_t i;

	for (i = 0; i < p->pod->ncontainers; i++) {
		pr = get(w->proofs, key_of(&p->pod->containers[i], p->device));
		if (!pr->proven &&
		    (place = place_of(pr, p->device, now)) != NULL)
			*place = p->device;
	}
}

static void
read_world(struct world *w, struct now now)
{
	struct wpod *p;

	if (!w->proofs->stale)
		return;
	w->proofs->stale = 0;
	RB_FOREACH(p, wpod_tree, &w->pods) {
		if (p->device == NULL || p->pod == NULL)
			continue;
		if (p->applied)
			proof_applied(w, p);
		else if (tries(p))
			take_places(w, p, now);
	}
}

void
proof_list(struct world *w)
{
	w->proofs->stale = 1;
}

/* -- who waits -- */

const char *
proof_waits(struct world *w, struct wpod *p, struct now now)
{
	struct proof *pr;
	size_t i;

	read_world(w, now);
	for (i = 0; i < p->pod->ncontainers; i++) {
		pr = find(w->proofs, key_of(&p->pod->containers[i], p->device));
		if (pr == NULL || pr->proven ||
		    place_of(pr, p->device, now) != NULL)
			continue;
		proof_leave(p);
		p->proof = pr;
		TAILQ_INSERT_TAIL(&pr->waiting, p, on_proof);
		return p->pod->containers[i].image;
	}
	take_places(w, p, now);
	return NULL;
}

void
proof_look(struct world *w, struct now now)
{
	struct proof *pr, *next;

	TAILQ_FOREACH_SAFE(pr, &w->proofs->open, by_age, next)
		if (!TAILQ_EMPTY(&pr->waiting)) {
			if (place_of(pr, NULL, now) != NULL)
				look_at_waiting(w, pr);
		} else if (!is_tried(pr, now)) {
			drop(w->proofs, pr);
		}
}

void
proof_drop(struct proofs *ps, const struct wdevice *d)
{
	struct proof *pr;
	size_t i;

	TAILQ_FOREACH(pr, &ps->open, by_age)
		for (i = 0; i < PROOF_TRIES; i++)
			if (pr->by[i] == d)
				pr->by[i] = NULL;
}
