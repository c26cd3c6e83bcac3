/* SPDX-License-Identifier: ISC */
/*
 * act_send.c: effects as frames.
 *
 * Owns what each frame says and what is asked by it.  Never commits.
 */
#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "placer/act_own.h"
#include "placer/again.h"
#include "placer/change.h"
#include "placer/edit.h"
#include "placer/figures.h"
#include "placer/kept.h"
#include "placer/live.h"
#include "placer/prepare.h"
#include "placer/told.h"

enum {
	READ_NAMES = 65536,	     /* body.def's bound */
	TOO_LONG_MS = 10 * 60 * 1000 /* until that is said again */
};

static uint64_t
until_of(const struct wpod *p)
{
	return p->node != NULL ? (uint64_t)p->node->until_boot : 0;
}

static char *
entry_of(struct act *a, const struct wpod *p)
{
	char *entry = NULL;

	if (p->reverting) {
		(void)store_get_kept(a->store, p->uid, &entry, NULL);
		return entry;
	}
	if (p->entry != NULL)
		return xstrdup(p->entry);
	(void)store_get_entry(a->store, p->uid, &entry, NULL);
	return entry;
}

/* It was saved with this change. */
static void
forget_text(struct wpod *p)
{
	free(p->entry);
	p->entry = NULL;
}

/* What holds a Secret is kept nowhere: another write is prepared anew. */
static void
drop_entry(struct wpod *p)
{
	if (p->entry != NULL)
		explicit_bzero(p->entry, strlen(p->entry));
	forget_text(p);
	p->has_entry = 0;
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
	if (p->queued == IO_FILES) {
		if (p->live->files != NULL &&
		    edit_files(edit, p->live->files) == 0)
			return;
		change_queue(a->world, p, IO_NONE, (struct now){ 0, 0 });
		world_look(a->world, p);
		return;
	}
	if ((entry = entry_of(a, p)) != NULL &&
	    edit_set(edit, p->app, entry) == 0) {
		if (p->pod->uses_secrets && !p->reverting)
			drop_entry(p);
		else if (!p->reverting)
			forget_text(p);
		return;
	}
	p->has_entry = entry != NULL;
	change_queue(a->world, p, IO_NONE, (struct now){ 0, 0 });
	world_look(a->world, p);
}

static void
add_pods(struct act *a, struct edit *edit, struct wdevice *d)
{
	struct wpod *p, *next;

	TAILQ_FOREACH_SAFE(p, &d->pods, on_device, next)
		if (p->queued != IO_NONE)
			add_to_edit(a, edit, p);
}

static int
add_again(struct edit *edit, struct wdevice *d, struct now now)
{
	AUTO_FREE char *entry = again_entry(d, now);

	return entry != NULL && edit_files(edit, entry) == 0;
}

void
act_send_change(struct act *a, struct wdevice *d, struct now now)
{
	struct body_change m = { .company_ms = d->nurgent > 0 ?
		    PACE_READ_REMOVAL_MS :
		    PACE_READ_MS };
	AUTO_FREE char *text = NULL;
	struct edit *edit;
	struct pending *q;

	if (a->flight == NULL || d->change_id != 0)
		return;
	edit = edit_new(d);
	add_pods(a, edit, d);
	d->again = d->again && d->nqueued == 0 && add_again(edit, d, now);
	text = edit_text(edit);
	edit_free(edit);
	if (d->nqueued == 0 && !d->again)
		return;
	m.until_boot = (uint64_t)change_until(d);
	(void)strlcpy(m.device, d->name, sizeof(m.device));
	(void)strlcpy(m.created, d->dev->created, sizeof(m.created));
	m.edit = span_of(text);
	q = act_ask(a, EFFECT_CHANGE, d->name, 0);
	change_sent(a->world, d, q->id, now);
	if (chan_send(a->flight, MSG_CHANGE, q->id, &m, -1) == -1) {
		act_settle(a, q);
		change_answered(a->world, d,
		    &(struct change_answer){ .kind = ERR_AGAIN,
			.text = "link is over" },
		    now);
	}
}

/* All reads of a turn, in as few frames as hold them; i is moved on. */
static void
send_some_reads(struct act *a, const struct effects *fx, enum read_for what_for,
    size_t *i)
{
	AUTO_FREE char *names = NULL;
	struct body_read m = { .what_for = what_for };
	struct pending *q = NULL;
	struct wdevice *d;
	size_t len = 0, n;

	for (; *i < fx->n; ++*i) {
		d = fx->list[*i].device;
		if (fx->list[*i].kind != EFFECT_READ ||
		    fx->list[*i].number != what_for || d->read_id != 0)
			continue;
		n = strlen(d->name);
		if (len + n + 1 > READ_NAMES)
			break;
		if (q == NULL) {
			q = act_ask(a, EFFECT_READ, "", 0);
			names = xmalloc(READ_NAMES);
		}
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

void
act_send_reads(struct act *a, const struct effects *fx, enum read_for what_for)
{
	size_t i = 0;

	while (a->flight != NULL && i < fx->n)
		send_some_reads(a, fx, what_for, &i);
}

/*
 * Without names: all devices.  It waits for the link: the list that flightside
 * begins by itself there may be older than what asks for one.
 */
void
act_send_list(struct act *a)
{
	struct body_read m = { .what_for = READ_MOTION };

	if (!a->world->want_list || a->flight == NULL)
		return;
	a->world->want_list = 0;
	(void)chan_send(a->flight, MSG_READ, act_ask(a, EFFECT_READ, "", 0)->id,
	    &m, -1);
}

/* Some hundred containers whose images have names of kilobytes. */
static void
status_too_long(const struct effect *e, struct now now)
{
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "status",
		.ns = e->pod->ns,
		.pod = e->pod->name },
	    "the status of a pod has %zu bytes, at most %d: it is not written",
	    strlen(e->text), MAX_STATUS);
	e->pod->told = e->number;
	e->pod->told_boot = now.boot_ms + TOO_LONG_MS;
}

void
act_send_status(struct act *a, const struct effect *e, struct now now)
{
	struct body_pod_status m = { .until_boot = until_of(e->pod) };
	struct pending *q;

	e->pod->telling = 0;
	if (a->kube == NULL || e->pod->node == NULL)
		return;
	if (strlen(e->text) > MAX_STATUS) {
		status_too_long(e, now);
		return;
	}
	(void)strlcpy(m.node, e->pod->node->name, sizeof(m.node));
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.name, e->pod->name, sizeof(m.name));
	(void)strlcpy(m.uid, e->pod->uid, sizeof(m.uid));
	m.status = span_of(e->text);
	q = act_ask(a, EFFECT_STATUS, e->pod->uid, e->number);
	e->pod->telling = e->number;
	if (chan_send(a->kube, MSG_POD_STATUS, q->id, &m, -1) == -1) {
		e->pod->telling = 0;
		act_settle(a, q);
	}
}

void
act_send_delete(struct act *a, const struct effect *e)
{
	struct body_pod_delete m = { .until_boot = until_of(e->pod),
		.grace_s = (uint32_t)e->number };
	struct pending *q;

	if (a->kube == NULL || e->pod->node == NULL || e->pod->deleting)
		return;
	(void)strlcpy(m.node, e->pod->node->name, sizeof(m.node));
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.name, e->pod->name, sizeof(m.name));
	(void)strlcpy(m.uid, e->pod->uid, sizeof(m.uid));
	q = act_ask(a, EFFECT_DELETE, e->pod->uid, e->number);
	e->pod->deleting = 1;
	if (chan_send(a->kube, MSG_POD_DELETE, q->id, &m, -1) == -1) {
		e->pod->deleting = 0;
		act_settle(a, q);
	}
}

static void
note_event(struct act *a, const struct effect *e, const char *message,
    struct now now)
{
	AUTO_FREE char *who = xasprintf("%s/%s", e->pod->ns, e->pod->name);

	told_add(a->world->told,
	    &(struct told_line){ .kind = TOLD_EVENT,
		.warning = e->number != 0,
		.at_ms = now.wall_ms,
		.about = who,
		.device = e->pod->device != NULL ? e->pod->device->name : NULL,
		.reason = e->reason,
		.text = message });
}

void
act_send_event(struct act *a, const struct effect *e, struct now now)
{
	struct body_event m = { .warning = e->number != 0 };
	AUTO_FREE char *message = NULL;

	if (a->kube == NULL || e->pod->node == NULL)
		return;
	(void)strlcpy(m.node, e->pod->node->name, sizeof(m.node));
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.pod_name, e->pod->name, sizeof(m.pod_name));
	(void)strlcpy(m.uid, e->pod->uid, sizeof(m.uid));
	(void)strlcpy(m.reason, e->reason, sizeof(m.reason));
	message = utf8_message(e->text, sizeof(m.message) - 1);
	(void)strlcpy(m.message, message, sizeof(m.message));
	if (chan_send(a->kube, MSG_EVENT, ++a->last_id, &m, -1) == 0)
		note_event(a, e, m.message, now);
}

void
act_send_fetch(struct act *a, const struct effect *e)
{
	struct body_get_object m = { .kind = OBJECT_CONFIGMAP };
	const char *name = e->pod->name;
	const struct quadlet_need *need;
	struct pending *q;

	if (a->kube == NULL) {
		prepare_forget(e->pod);
		return;
	}
	if (e->number == FETCH_POD) {
		m.kind = OBJECT_POD;
	} else {
		need = &e->pod->needs->of.list[e->number];
		if (need->secret)
			m.kind = OBJECT_SECRET;
		name = need->name;
	}
	(void)strlcpy(m.ns, e->pod->ns, sizeof(m.ns));
	(void)strlcpy(m.name, name, sizeof(m.name));
	(void)strlcpy(m.pod_uid, e->pod->uid, sizeof(m.pod_uid));
	q = act_ask(a, EFFECT_FETCH, e->pod->uid, e->number);
	(void)chan_send(a->kube, MSG_GET_OBJECT, q->id, &m, -1);
}

/* On behalf of the first pod that uses it. */
void
act_send_poll(struct act *a, const char *key, struct now now)
{
	struct wobject *o = objects_find(a->world, key);
	struct body_get_object m = { .kind = OBJECT_CONFIGMAP };
	const struct wpod *p;
	struct pending *q;

	if (o == NULL)
		return;
	if (a->kube == NULL) {
		live_unanswered(a->world, key, NULL, now);
		return;
	}
	p = TAILQ_FIRST(&o->uses)->pod;
	if (objects_is_secret(o))
		m.kind = OBJECT_SECRET;
	(void)strlcpy(m.ns, p->ns, sizeof(m.ns));
	(void)strlcpy(m.name, objects_name(o), sizeof(m.name));
	(void)strlcpy(m.pod_uid, p->uid, sizeof(m.pod_uid));
	q = act_ask(a, EFFECT_POLL, key, 0);
	(void)chan_send(a->kube, MSG_GET_OBJECT, q->id, &m, -1);
}

void
act_send_figures(struct act *a, struct wnode *n)
{
	struct body_node_figures m;

	if (a->kube == NULL) {
		n->figures_dirty = 1;
		return;
	}
	figures_fill(a->world, n, &m);
	(void)chan_send(a->kube, MSG_NODE_FIGURES, ++a->last_id, &m, -1);
}

void
act_send_purge(struct act *a, const struct wnode *n)
{
	struct body_purge m = { .on = n->purge.on };

	if (a->kube == NULL)
		return; /* said again at the start of a link */
	(void)strlcpy(m.node, n->name, sizeof(m.node));
	(void)chan_send(a->kube, MSG_PURGE, ++a->last_id, &m, -1);
}

void
act_send_orders(struct act *a, struct now now)
{
	struct world *w = a->world;
	struct body_orders m;
	struct wnode *n;
	const char *text;

	if (a->kube == NULL)
		return; /* told anew at the start of a link */
	for (n = w->nodes; n < w->nodes + w->nnodes; n++) {
		if ((text = kept_next(w, n, now)) == NULL)
			continue;
		m.orders = span_of(text);
		if (m.orders.len > MAX_ORDERS) {
			log_line(LOG_LEVEL_WARN,
			    &(struct log_about){ .operation = "orders",
				.fleet = n->fleet },
			    "the Lease of node %s does not hold its orders "
			    "(%zu bytes, at most %d): who writes for it next "
			    "will not know the last of them",
			    n->name, m.orders.len, MAX_ORDERS);
			continue;
		}
		(void)strlcpy(m.node, n->name, sizeof(m.node));
		(void)chan_send(a->kube, MSG_ORDERS_KEEP, ++a->last_id, &m, -1);
	}
}
