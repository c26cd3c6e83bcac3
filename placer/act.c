/* SPDX-License-Identifier: ISC */
/*
 * act.c: carries out what plan.c decided.
 *
 * Owns the order: store, commit, send.  Nothing of a turn leaves the process
 * before its memory is durable.  Never decides.
 */
#include "placer/act.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/xmem.h"
#include "placer/change.h"
#include "placer/edit.h"
#include "placer/figures.h"
#include "placer/prepare.h"

enum {
	AGAIN_MS = 2000,       /* a refused status or delete */
	SHOWN_MS = 5000,       /* until the watch shows what was told */
	STORE_AGAIN_MS = 10000 /* after a commit that failed */
};

/* Something asked of a key holder. */
struct pending {
	RB_ENTRY(pending) link;
	uint64_t id;
	enum effect_kind kind;
	uint64_t number;
	char *who; /* pod uid or device name; it may be gone meanwhile */
};
RB_HEAD(pending_tree, pending);

struct act {
	struct world *world;
	struct store *store;
	struct chan *kube, *flight;
	struct pending_tree asked;
	uint64_t last_id;
	int store_failed;
};

static int
pending_cmp(const struct pending *a, const struct pending *b)
{
	if (a->id == b->id)
		return 0;
	return a->id < b->id ? -1 : 1;
}

RB_PROTOTYPE(pending_tree, pending, link, pending_cmp)
RB_GENERATE(pending_tree, pending, link, pending_cmp)

struct act *
act_new(struct world *w, struct store *s)
{
	struct act *a;

	a = xcalloc(1, sizeof(*a));
	a->world = w;
	a->store = s;
	RB_INIT(&a->asked);
	return a;
}

static struct pending *
ask(struct act *a, enum effect_kind kind, const char *who, uint64_t number)
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

static void
settle(struct act *a, struct pending *q)
{
	RB_REMOVE(pending_tree, &a->asked, q);
	free(q->who);
	free(q);
}

void
act_free(struct act *a)
{
	struct pending *q;

	if (a == NULL)
		return;
	while ((q = RB_MIN(pending_tree, &a->asked)) != NULL)
		settle(a, q);
	free(a);
}

static struct pending *
find(struct act *a, uint64_t id)
{
	struct pending key = { .id = id };

	return RB_FIND(pending_tree, &a->asked, &key);
}

/* -- before the commit ------------------------------------------------------ */

static void
save_record(struct act *a, const struct effect *e, struct now now,
    struct why *why)
{
	AUTO_FREE char *pod = xasprintf("%s/%s", e->pod->ns, e->pod->name);

	(void)store_record(a->store, &(struct store_record){
		.at_ms = now.wall_ms,
		.pod = pod,
		.operation = e->reason,
		.desired = e->pod->pod != NULL ? "present" : "absent",
		.actual = life_state_name(e->pod->state),
		.action = e->device != NULL ? e->device->name : "",
		.result = e->text }, why);
}

/* Its sets were "sent" from now on, whatever becomes of the process. */
static void
save_change(struct act *a, const struct wdevice *d, struct why *why)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued != IO_SET)
			continue;
		if (p->pod->images != p->sent_images ||
		    device_entry(d->dev, p->app) == NULL)
			p->applied = 0;
		p->sent = 1;
		p->sent_images = p->pod->images;
		(void)store_seat(a->store, p, why);
	}
}

static void
save(struct act *a, const struct effect *e, struct now now, struct why *why)
{
	switch (e->kind) {
	case EFFECT_SEAT:
		if (e->pod->device != NULL)
			(void)store_seat(a->store, e->pod, why);
		break;
	case EFFECT_ENTRY:
		if (e->pod->entry != NULL)
			(void)store_put_entry(a->store, e->pod->uid,
			    e->pod->entry, why);
		break;
	case EFFECT_UNSEAT:
		(void)store_unseat(a->store, e->pod, why);
		world_unseat(a->world, e->pod);
		e->pod->has_entry = e->pod->entry != NULL;
		break;
	case EFFECT_FORGET:
		(void)store_unseat(a->store, e->pod, why);
		break;
	case EFFECT_CLOCK:
		(void)store_clock(a->store, e->device->name,
		    (int64_t)e->number, why);
		break;
	case EFFECT_RECORD:
		save_record(a, e, now, why);
		break;
	case EFFECT_CHANGE:
		save_change(a, e->device, why);
		break;
	case EFFECT_READ:
	case EFFECT_STATUS:
	case EFFECT_DELETE:
	case EFFECT_EVENT:
	case EFFECT_FETCH:
	case EFFECT_FIGURES:
		break;
	}
}

/* -- after it ------------------------------------------------------------------ */

static uint64_t
until_of(const struct wpod *p)
{
	return p->node != NULL ? (uint64_t)p->node->until_boot : 0;
}

static char *
entry_of(struct act *a, const struct wpod *p)
{
	char *entry = NULL;

	if (p->entry != NULL)
		return xstrdup(p->entry);
	(void)store_get_entry(a->store, p->uid, &entry, NULL);
	return entry;
}

/* What has no entry any more is prepared anew. */
static void
add_to_edit(struct act *a, struct edit *edit, struct wpod *p)
{
	AUTO_FREE char *entry = NULL;

	if (p->queued == IO_CUT) {
		(void)edit_cut(edit, p->app);
		return;
	}
	if ((entry = entry_of(a, p)) != NULL &&
	    edit_set(edit, p->app, entry) == 0)
		return;
	p->has_entry = entry != NULL;
	change_queue(a->world, p, IO_NONE, (struct now){ 0, 0 });
	world_look(a->world, p);
}

static void
send_change(struct act *a, struct wdevice *d, struct now now)
{
	struct body_change m = { .company_ms = d->nurgent > 0 ? 50 : 100 };
	AUTO_FREE char *text = NULL;
	struct edit *edit;
	struct pending *q;
	struct wpod *p, *next;

	if (a->flight == NULL || d->nqueued == 0 || d->change_id != 0)
		return;
	edit = edit_new(d);
	TAILQ_FOREACH_SAFE(p, &d->pods, on_device, next)
		if (p->queued != IO_NONE)
			add_to_edit(a, edit, p);
	text = edit_text(edit);
	edit_free(edit);
	if (d->nqueued == 0)
		return;
	m.until_boot = (uint64_t)change_until(d);
	(void)strlcpy(m.device, d->name, sizeof(m.device));
	(void)strlcpy(m.created, d->dev->created, sizeof(m.created));
	m.edit = span_of(text);
	q = ask(a, EFFECT_CHANGE, d->name, 0);
	change_sent(d, q->id);
	if (chan_send(a->flight, MSG_CHANGE, q->id, &m, -1) == -1) {
		settle(a, q);
		change_answered(a->world, d, &(struct change_answer){
			.kind = ERR_AGAIN, .text = "link is over" }, now);
	}
}

/* All reads of a turn go in one frame for each urgency. */
static void
send_reads(struct act *a, const struct effects *fx, uint64_t urgent)
{
	AUTO_FREE char *names = NULL;
	struct body_read m = { .urgent = (uint32_t)urgent };
	struct pending *q = NULL;
	size_t i, len = 0, n;

	for (i = 0; i < fx->n && a->flight != NULL; i++) {
		struct wdevice *d = fx->list[i].device;

		if (fx->list[i].kind != EFFECT_READ ||
		    fx->list[i].number != urgent || d->read_id != 0)
			continue;
		n = strlen(d->name);
		if (len + n + 1 > 65536)
			break;
		if (q == NULL)
			q = ask(a, EFFECT_READ, "", 0);
		names = xreallocarray(names, len + n + 1, 1);
		memcpy(names + len, d->name, n);
		names[len + n] = '\n';
		len += n + 1;
		d->read_id = q->id;
	}
	if (q == NULL)
		return;
	m.names = (struct span){ names, len };
	(void)chan_send(a->flight, MSG_READ, q->id, &m, -1);
}

/* Without names: all devices.  A new link begins with a list by itself. */
static void
send_list(struct act *a)
{
	struct body_read m = { .urgent = 0 };

	if (!a->world->want_list)
		return;
	a->world->want_list = 0;
	if (a->flight == NULL)
		return;
	(void)chan_send(a->flight, MSG_READ,
	    ask(a, EFFECT_READ, "", 0)->id, &m, -1);
}

static void
send_status(struct act *a, const struct effect *e)
{
	struct body_pod_status m = { .until_boot = until_of(e->pod) };
	struct pending *q;

	if (a->kube == NULL)
		return;
	(void)strlcpy(m.node, e->pod->node->name, sizeof(m.node));
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.name, e->pod->name, sizeof(m.name));
	(void)strlcpy(m.uid, e->pod->uid, sizeof(m.uid));
	m.status = span_of(e->text);
	q = ask(a, EFFECT_STATUS, e->pod->uid, e->number);
	e->pod->telling = e->number;
	if (chan_send(a->kube, MSG_POD_STATUS, q->id, &m, -1) == -1) {
		log_line(LOG_LEVEL_ERROR, &(struct log_about){
			.operation = "status", .pod = e->pod->name },
		    "status of %zu bytes does not fit a frame",
		    m.status.len);
		settle(a, q);
	}
}

static void
send_delete(struct act *a, const struct effect *e)
{
	struct body_pod_delete m = { .until_boot = until_of(e->pod),
		.grace_s = (uint32_t)e->number };
	struct pending *q;

	if (a->kube == NULL || e->pod->deleting)
		return;
	(void)strlcpy(m.node, e->pod->node->name, sizeof(m.node));
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.name, e->pod->name, sizeof(m.name));
	(void)strlcpy(m.uid, e->pod->uid, sizeof(m.uid));
	q = ask(a, EFFECT_DELETE, e->pod->uid, e->number);
	e->pod->deleting = 1;
	if (chan_send(a->kube, MSG_POD_DELETE, q->id, &m, -1) == -1) {
		e->pod->deleting = 0;
		settle(a, q);
	}
}

static void
send_event(struct act *a, const struct effect *e)
{
	struct body_event m = { .warning = e->number != 0 };

	if (a->kube == NULL || e->pod->node == NULL)
		return;
	(void)strlcpy(m.node, e->pod->node->name, sizeof(m.node));
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.pod_name, e->pod->name, sizeof(m.pod_name));
	(void)strlcpy(m.uid, e->pod->uid, sizeof(m.uid));
	(void)strlcpy(m.reason, e->reason, sizeof(m.reason));
	(void)strlcpy(m.message, e->text, sizeof(m.message));
	(void)chan_send(a->kube, MSG_EVENT, ++a->last_id, &m, -1);
}

static void
send_fetch(struct act *a, const struct effect *e)
{
	struct body_get_object m = { .kind = OBJECT_CONFIGMAP };
	const char *name = e->pod->name;
	struct pending *q;

	if (a->kube == NULL) {
		prepare_forget(e->pod);
		return;
	}
	if (e->number == FETCH_POD)
		m.kind = OBJECT_POD;
	else
		name = e->pod->needs->names[e->number];
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.name, name, sizeof(m.name));
	(void)strlcpy(m.pod_uid, e->pod->uid, sizeof(m.pod_uid));
	q = ask(a, EFFECT_FETCH, e->pod->uid, e->number);
	(void)chan_send(a->kube, MSG_GET_OBJECT, q->id, &m, -1);
}

static void
send_figures(struct act *a, struct wnode *n)
{
	struct body_node_figures m;

	if (a->kube == NULL) {
		n->figures_dirty = 1;
		return;
	}
	figures_fill(a->world, n, &m);
	(void)chan_send(a->kube, MSG_NODE_FIGURES, ++a->last_id, &m, -1);
}

static void
emit(struct act *a, const struct effect *e, struct now now)
{
	switch (e->kind) {
	case EFFECT_ENTRY:
		free(e->pod->entry);
		e->pod->entry = NULL;
		break;
	case EFFECT_CHANGE:
		send_change(a, e->device, now);
		break;
	case EFFECT_STATUS:
		send_status(a, e);
		break;
	case EFFECT_DELETE:
		send_delete(a, e);
		break;
	case EFFECT_EVENT:
		send_event(a, e);
		break;
	case EFFECT_FETCH:
		send_fetch(a, e);
		break;
	case EFFECT_FIGURES:
		send_figures(a, e->node);
		break;
	case EFFECT_FORGET: /* last use of this pod in a turn */
		world_drop_pod(a->world, e->pod);
		break;
	case EFFECT_SEAT:
	case EFFECT_UNSEAT:
	case EFFECT_CLOCK:
	case EFFECT_RECORD:
	case EFFECT_READ: /* gathered by send_reads() */
		break;
	}
}

/* What is not durable stays here: removals go without it. */
static void
hold_back(struct act *a, struct wdevice *d, struct now now)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued != IO_SET)
			continue;
		change_queue(a->world, p, IO_NONE, now);
		world_look_at(a->world, p, now.boot_ms + STORE_AGAIN_MS);
	}
}

/* Not durable: no new work goes out, all else goes on from memory. */
static int
must_wait(struct act *a, const struct effect *e, struct now now)
{
	if (!a->store_failed)
		return 0;
	if (e->kind == EFFECT_CHANGE)
		hold_back(a, e->device, now);
	return e->kind == EFFECT_ENTRY;
}

void
act_effects(struct act *a, struct effects *fx, struct now now)
{
	struct why why = { .kind = ERR_NONE };
	size_t i;
	int failed;

	for (i = 0; i < fx->n; i++)
		save(a, &fx->list[i], now, &why);
	failed = store_commit(a->store, &why) == -1;
	if (failed && !a->store_failed)
		log_error("%s: no new placements until it can be written",
		    why.text);
	a->store_failed = failed;
	send_reads(a, fx, 1);
	send_reads(a, fx, 0);
	send_list(a);
	for (i = 0; i < fx->n; i++)
		if (!must_wait(a, &fx->list[i], now))
			emit(a, &fx->list[i], now);
	effects_clear(fx);
}

/* -- answers --------------------------------------------------------------------- */

static void
status_done(struct act *a, const struct pending *q, const struct body_done *m,
    struct now now)
{
	struct wpod *p;

	if ((p = world_pod(a->world, q->who)) == NULL)
		return;
	p->telling = 0;
	if (m->kind == ERR_NONE) {
		p->told = q->number;
		p->told_boot = now.boot_ms + SHOWN_MS;
		world_look(a->world, p);
		return;
	}
	if (m->kind == ERR_FORMAT || m->kind == ERR_BUG)
		log_line(LOG_LEVEL_ERROR, &(struct log_about){
			.operation = "status", .pod = p->name,
			.error = m->text }, "the apiserver refused a status");
	world_look_at(a->world, p, now.boot_ms + AGAIN_MS);
}

static void
delete_done(struct act *a, const struct pending *q, const struct body_done *m,
    struct now now)
{
	struct wpod *p;

	if ((p = world_pod(a->world, q->who)) == NULL)
		return;
	p->deleting = 0;
	if (m->kind == ERR_NONE || m->kind == ERR_GONE) {
		p->evicted = q->number == NO_GRACE;
		p->deleting = q->number != NO_GRACE;
		return; /* the watch tells the rest */
	}
	world_look_at(a->world, p, now.boot_ms + AGAIN_MS);
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

	if (m->kind == ERR_NONE || m->kind == ERR_GONE)
		fetched(a, q, (struct span){ NULL, 0 });
	else if ((p = world_pod(a->world, q->who)) != NULL)
		prepare_unanswered(a->world, p, now);
}

void
act_done(struct act *a, uint64_t id, const struct body_done *m,
    struct now now)
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
	case EFFECT_SEAT:
	case EFFECT_ENTRY:
	case EFFECT_UNSEAT:
	case EFFECT_FORGET:
	case EFFECT_CLOCK:
	case EFFECT_RECORD:
	case EFFECT_CHANGE:
	case EFFECT_EVENT:
	case EFFECT_FIGURES:
		log_warn("an answer of the wrong kind for request %llu",
		    (unsigned long long)id);
		break;
	}
	settle(a, q);
}

void
act_object(struct act *a, uint64_t id, struct span object, struct now now)
{
	struct pending *q;

	(void)now;
	if ((q = find(a, id)) == NULL || q->kind != EFFECT_FETCH)
		return;
	fetched(a, q, object);
	settle(a, q);
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
	settle(a, q);
	if (d == NULL || d->change_id != id)
		return;
	if (m->kind != ERR_NONE)
		log_line(m->kind == ERR_CONFLICT || m->kind == ERR_AGAIN ?
			LOG_LEVEL_INFO : LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "change",
			.device = d->name, .error = m->text },
		    "the device was not changed: %s",
		    why_name((enum why_kind)m->kind));
	change_answered(a->world, d, &(struct change_answer){
		.kind = (enum why_kind)m->kind,
		.generation = m->generation,
		.created = m->created,
		.text = m->text }, now);
}

/* -- links -------------------------------------------------------------------------- */

static int
is_of_kube(enum effect_kind k)
{
	return k == EFFECT_STATUS || k == EFFECT_DELETE || k == EFFECT_FETCH;
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
	settle(a, q);
	if (d != NULL && d->change_id == id)
		change_answered(a->world, d, &(struct change_answer){
			.kind = ERR_AGAIN, .text = "link is over" }, now);
}

static void
link_over(struct act *a, int kube, struct now now)
{
	struct pending *q, *next;
	struct wpod *p;

	RB_FOREACH_SAFE(q, pending_tree, &a->asked, next)
		if (is_of_kube(q->kind) == kube)
			unask(a, q, now);
	if (!kube)
		return;
	RB_FOREACH(p, wpod_tree, &a->world->pods) {
		p->deleting = 0;
		prepare_forget(p);
	}
}

void
act_kube(struct act *a, struct chan *c, struct now now)
{
	if (c == NULL)
		link_over(a, 1, now);
	a->kube = c;
}

void
act_flight(struct act *a, struct chan *c, struct now now)
{
	if (c == NULL)
		link_over(a, 0, now);
	a->flight = c;
}
