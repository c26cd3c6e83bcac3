/* SPDX-License-Identifier: ISC */
/*
 * act_answer.c: what was asked of the key holders, and their answers.
 *
 * Owns the questions that are open, and what it means that a link ends before
 * they are answered.  Never decides.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/retry.h"
#include "common/xmem.h"
#include "placer/act_own.h"
#include "placer/change.h"
#include "placer/live.h"
#include "placer/lost.h"
#include "placer/prepare.h"

enum {
	AGAIN_MS = 2000, /* a refused status or delete, then doubled */
	AGAIN_MAX_MS = 16 * 1000,
	DENIED_MS = 60 * 1000, /* a delete that a rule forbids */
	GONE_MS = 10 * 1000,   /* until the watch shows that it is gone */
	SHOWN_MS = 5000	       /* until the watch shows what was told */
};

int
pending_cmp(const struct pending *a, const struct pending *b)
{
	if (a->id == b->id)
		return 0;
	return a->id < b->id ? -1 : 1;
}

RB_GENERATE(pending_tree, pending, link, pending_cmp)

struct pending *
act_ask(struct act *a, enum effect_kind kind, const char *who, uint64_t number)
{
	struct pending *q;

	q = xcalloc(1, sizeof(*q));
	q->id = ++a->last_id;
	q->kind = kind;
	q->number = number;
	q->who = xstrdup(who);
	RB_INSERT(pending_tree, &a->asked, q);
	return q;
}

void
act_settle(struct act *a, struct pending *q)
{
	RB_REMOVE(pending_tree, &a->asked, q);
	free(q->who);
	free(q);
}

static struct pending *
find(struct act *a, uint64_t id)
{
	struct pending key = { .id = id };

	return RB_FIND(pending_tree, &a->asked, &key);
}

/* -- answers -- */

/* Each pod by itself: one that is refused for ever asks seldom. */
static int64_t
again_ms(struct wpod *p)
{
	int64_t ms = retry_doubled_ms(AGAIN_MS, p->refused, AGAIN_MAX_MS);

	if (p->refused < UINT8_MAX)
		p->refused++;
	return ms;
}

static void
status_done(struct act *a, const struct pending *q, const struct body_done *m,
    struct now now)
{
	struct wpod *p;

	if ((p = world_pod(a->world, q->who)) == NULL)
		return;
	p->telling = 0;
	if (m->kind == ERR_NONE) {
		p->refused = 0;
		p->told = q->number;
		p->told_boot = now.boot_ms + SHOWN_MS;
		world_look(a->world, p);
		return;
	}
	if (p->refused == 0 && (m->kind == ERR_FORMAT || m->kind == ERR_BUG))
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "status",
			.ns = p->ns,
			.pod = p->name,
			.error = m->text },
		    "the apiserver refused a status");
	p->unshown = q->number;
	p->tell_boot = now.boot_ms + again_ms(p);
	world_look_at(a->world, p, p->tell_boot);
}

static void
delete_done(struct act *a, const struct pending *q, const struct body_done *m,
    struct now now)
{
	struct wpod *p;

	if ((p = world_pod(a->world, q->who)) == NULL)
		return;
	p->deleting = 0;
	/* Gone, says whoever answered, but we still have it. */
	if (m->kind == ERR_GONE && q->number != NO_GRACE) {
		p->delete_boot = now.boot_ms + GONE_MS;
		world_look_at(a->world, p, p->delete_boot);
		return;
	}
	if (m->kind == ERR_NONE || m->kind == ERR_GONE) {
		p->evicted = q->number == NO_GRACE;
		if (p->evicted && p->node != NULL)
			p->node->evictions++;
		p->deleting = q->number != NO_GRACE;
		return; /* the watch tells the rest */
	}
	if (q->number == NO_GRACE)
		lost_not_evicted(a->world);
	p->delete_boot =
	    now.boot_ms + (m->kind == ERR_DENIED ? DENIED_MS : again_ms(p));
	world_look_at(a->world, p, p->delete_boot);
}

static void
read_done(struct act *a, const struct pending *q)
{
	struct wdevice *d;

	RB_FOREACH(d, wdevice_tree, &a->world->devices) {
		if (d->read_id != q->id)
			continue;
		d->read_id = 0;
		world_look_device(a->world, d);
	}
}

static void
fetched(struct act *a, const struct pending *q, struct span object)
{
	struct wpod *p;

	if ((p = world_pod(a->world, q->who)) != NULL)
		prepare_object(a->world, p, q->number, object);
}

static void
fetch_done(struct act *a, const struct pending *q, const struct body_done *m,
    struct now now)
{
	struct wpod *p;

	if ((p = world_pod(a->world, q->who)) == NULL)
		return;
	/* Of a pod that is gone the watch tells; until then: not at once. */
	if (q->number == FETCH_POD || a->kube == NULL)
		prepare_unanswered(a->world, p, now);
	else if (m->kind == ERR_NONE || m->kind == ERR_GONE)
		fetched(a, q, (struct span){ NULL, 0 });
	else
		prepare_unread(a->world, p, q->number, m->text);
}

static void
poll_done(struct act *a, const struct pending *q, const struct body_done *m,
    struct now now)
{
	if (m->kind == ERR_NONE || m->kind == ERR_GONE)
		live_object(a->world, q->who, (struct span){ NULL, 0 }, now);
	else
		live_unanswered(a->world, q->who,
		    m->kind == ERR_DENIED ? m->text : NULL, now);
}

void
act_done(struct act *a, uint64_t id, const struct body_done *m, struct now now)
{
	struct pending *q;

	if ((q = find(a, id)) == NULL)
		return; /* asked over an earlier link */
	switch (q->kind) {
	case EFFECT_STATUS:
		status_done(a, q, m, now);
		break;
	case EFFECT_DELETE:
		delete_done(a, q, m, now);
		break;
	case EFFECT_READ:
		read_done(a, q);
		break;
	case EFFECT_FETCH:
		fetch_done(a, q, m, now);
		break;
	case EFFECT_POLL:
		poll_done(a, q, m, now);
		break;
	case EFFECT_STEP:
	case EFFECT_SEAT:
	case EFFECT_ENTRY:
	case EFFECT_UNSEAT:
	case EFFECT_FORGET:
	case EFFECT_SEARCH:
	case EFFECT_FAULT:
	case EFFECT_CLOCK:
	case EFFECT_ACTIVE:
	case EFFECT_WORD:
	case EFFECT_ORDER:
	case EFFECT_RECORD:
	case EFFECT_CHANGE:
	case EFFECT_EVENT:
	case EFFECT_FIGURES:
	case EFFECT_BRAKE:
	case EFFECT_FORMER:
	case EFFECT_KEPT:
	case EFFECT_PURGE:
		log_warn("an answer of the wrong kind for request %llu",
		    (unsigned long long)id);
		break;
	}
	act_settle(a, q);
}

void
act_object(struct act *a, uint64_t id, struct span object, struct now now)
{
	struct pending *q;

	if ((q = find(a, id)) == NULL ||
	    (q->kind != EFFECT_FETCH && q->kind != EFFECT_POLL))
		return;
	if (q->kind == EFFECT_FETCH)
		fetched(a, q, object);
	else
		live_object(a->world, q->who, object, now);
	act_settle(a, q);
}

/*
 * A token or a right that is missing is told once, by flightside, and so is
 * what it refused by itself (code 0).
 */
static enum log_level
level_of(const struct body_changed *m)
{
	int own =
	    m->code == 0 && (m->kind == ERR_DENIED || m->kind == ERR_LIMIT);

	return own || m->kind == ERR_CONFLICT || m->kind == ERR_AGAIN ||
		m->kind == ERR_AUTH || m->code == 403 ?
	    LOG_LEVEL_INFO :
	    LOG_LEVEL_WARN;
}

void
act_changed(struct act *a, uint64_t id, const struct body_changed *m,
    struct now now)
{
	struct pending *q;
	struct wdevice *d;

	if ((q = find(a, id)) == NULL || q->kind != EFFECT_CHANGE)
		return;
	d = world_device(a->world, q->who);
	act_settle(a, q);
	if (d == NULL || d->change_id != id)
		return;
	if (m->kind != ERR_NONE)
		log_line(level_of(m),
		    &(struct log_about){ .operation = "change",
			.device = d->name,
			.fleet = d->node == NULL ? NULL : d->node->fleet,
			.error = m->text },
		    "the device was not changed: %s",
		    why_name((enum why_kind)m->kind));
	change_answered(a->world, d,
	    &(struct change_answer){ .kind = (enum why_kind)m->kind,
		.generation = m->generation,
		.created = m->created,
		.text = m->text },
	    now);
}

/* -- links -- */

static int
is_of_kube(enum effect_kind k)
{
	return k == EFFECT_STATUS || k == EFFECT_DELETE || k == EFFECT_FETCH ||
	    k == EFFECT_POLL;
}

/* Nobody will answer any more: as if nothing was asked. */
static void
unask(struct act *a, struct pending *q, struct now now)
{
	struct body_done lost = { .kind = ERR_AGAIN };
	struct wdevice *d;
	uint64_t id = q->id;

	if (q->kind != EFFECT_CHANGE) {
		act_done(a, id, &lost, now);
		return;
	}
	d = world_device(a->world, q->who);
	act_settle(a, q);
	if (d != NULL && d->change_id == id)
		change_answered(a->world, d,
		    &(struct change_answer){ .kind = ERR_AGAIN,
			.text = "link is over" },
		    now);
}

static void
link_over(struct act *a, int kube, struct now now)
{
	struct pending *q, *next;
	struct wpod *p;

	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
	RB_FOREACH_SAFE(q, pending_tree, &a->asked, next)
		if (is_of_kube(q->kind) == kube)
			unask(a, q, now);
	if (!kube)
		return;
	RB_FOREACH(p, wpod_tree, &a->world->pods) {
		p->refused = 0;
		p->unshown = 0;
		p->deleting = 0;
		prepare_forget(p);
	}
}

void
act_kube(struct act *a, struct chan *c, struct now now)
{
	size_t i;

	a->kube = c;
	if (c == NULL) {
		link_over(a, 1, now);
		return;
	}
	for (i = 0; i < a->world->nformer; i++)
		if (a->world->former[i]->purge.on)
			act_send_purge(a, a->world->former[i]);
}

void
act_flight(struct act *a, struct chan *c, struct now now)
{
	if (c == NULL)
		link_over(a, 0, now);
	a->flight = c;
}
