/* SPDX-License-Identifier: ISC */
/*
 * act.c: carries out what plan.c decided.
 *
 * Owns the order: store, commit, send.  Nothing of a turn leaves the process
 * before its memory is durable.  Never decides.  Frames are act_send.c's,
 * answers act_answer.c's.
 */
#include "placer/act.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/least.h"
#include "common/log.h"
#include "common/xmem.h"
#include "placer/act_own.h"
#include "placer/change.h"
#include "placer/edit.h"
#include "placer/kept.h"
#include "placer/live.h"
#include "placer/suspect.h"
#include "placer/told.h"

enum {
	STORE_AGAIN_MS = 10 * 1000, /* after a commit that failed */
	SLOW_MS = 500,		    /* of a commit */
};

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

void
act_free(struct act *a)
{
	struct pending *q;

	if (a == NULL)
		return;
	while ((q = RB_MIN(pending_tree, &a->asked)) != NULL)
		act_settle(a, q);
	free(a);
}

/* -- before the commit -- */

static void
save_record(struct act *a, const struct effect *e, struct now now,
    struct why *why)
{
	AUTO_FREE char *pod = xasprintf("%s/%s", e->pod->ns, e->pod->name);

	(void)store_record(a->store,
	    &(struct store_record){ .at_ms = now.wall_ms,
		.pod = pod,
		.operation = e->reason,
		.desired = e->pod->pod != NULL ? "present" : "absent",
		.actual = life_state_name(e->pod->state),
		.action = e->device != NULL ? e->device->name : "",
		.result = e->text },
	    why);
}

/* About no pod: who ordered what. */
static void
save_order(struct act *a, const struct effect *e, struct now now,
    struct why *why)
{
	AUTO_FREE char *who = xasprintf("uid %u", (unsigned int)e->number);

	(void)store_record(a->store,
	    &(struct store_record){ .at_ms = now.wall_ms,
		.pod = "",
		.operation = e->reason,
		.desired = who,
		.actual = "",
		.action = "",
		.result = e->text },
	    why);
}

/* What held for the pod ends with its seat. */
static void
drop_word(struct act *a, struct wpod *p, struct why *why)
{
	static const struct worded none = { 0, 0, 0 };

	if (p->given_up.on)
		(void)store_pod_word(a->store, p, &none, why);
}

static void
save_word(struct act *a, const struct effect *e, struct why *why)
{
	if (e->device != NULL)
		(void)store_device_words(a->store, e->device, why);
	else if (e->node != NULL)
		(void)store_node_word(a->store, e->node, why);
	else
		(void)store_pod_word(a->store, e->pod, &e->pod->given_up, why);
}

/* The entry with the files that the device has, as far as we know. */
static void
save_old_files(struct act *a, struct wpod *p, struct why *why)
{
	AUTO_FREE char *entry = NULL;

	(void)store_get_old(a->store, p->uid, &entry, why);
	if (entry != NULL)
		(void)store_put_text(a->store, p, entry, why);
	live_go_back(p, entry);
}

/*
 * What is written again after it vanished has the new files too; those that
 * were there are kept until the device has applied these.
 */
static void
save_new_files(struct act *a, struct wpod *p, struct why *why)
{
	AUTO_FREE char *entry = NULL, *renewed = NULL;
	int tries = p->filed == FILED_NEW;

	p->filed = FILED_NEW;
	p->filed_unsure = 0;
	if (p->pod->uses_secrets ||
	    store_get_entry(a->store, p->uid, &entry, why) == -1 ||
	    entry == NULL)
		return;
	if (!tries)
		(void)store_put_old(a->store, p, entry, why);
	renewed = edit_renew(entry, p->live->files);
	(void)store_put_text(a->store, p, renewed, why);
}

static void
save_files(struct act *a, struct wpod *p, struct why *why)
{
	p->was_filed = p->filed;
	p->was_unsure = p->filed_unsure;
	if (p->filed == FILED_BACK)
		save_old_files(a, p, why);
	else
		save_new_files(a, p, why);
	(void)store_seat(a->store, p, why);
}

/* Learnt from a device, it may be of a pod that went in the same turn. */
static void
save_entry(struct act *a, struct wpod *p, struct why *why)
{
	if (p->entry == NULL || p->pod == NULL || p->pod->uses_secrets)
		return;
	if (p->proven_images != 0 && store_keep_entry(a->store, p, why) == 1)
		p->kept_images = p->proven_images;
	(void)store_put_entry(a->store, p, why);
}

/*
 * Its sets were "sent" from now on, whatever becomes of the process, and what
 * the device says until now is no news of them.
 */
static void
save_change(struct act *a, struct wdevice *d, struct why *why)
{
	uint64_t images;
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued == IO_FILES)
			save_files(a, p, why);
		if (p->queued != IO_SET)
			continue;
		images = p->reverting ? p->proven_images : p->pod->images;
		if (images != p->sent_images ||
		    device_entry(d->dev, p->app) == NULL)
			p->applied = 0;
		p->sent = 1;
		p->filed = FILED_NOT;
		p->sent_images = images;
		if (!p->reverting)
			save_entry(a, p, why); /* the turn of its own failed */
		(void)store_seat(a->store, p, why);
	}
	suspect_forget(d);
	if (d->dev->failed)
		(void)store_search(a->store, d, why);
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
		save_entry(a, e->pod, why);
		break;
	case EFFECT_UNSEAT:
		(void)store_unseat(a->store, e->pod, why);
		drop_word(a, e->pod, why);
		world_unseat(a->world, e->pod);
		e->pod->has_entry = e->pod->entry != NULL;
		break;
	case EFFECT_FORGET:
		(void)store_unseat(a->store, e->pod, why);
		drop_word(a, e->pod, why);
		(void)store_drop_fault(a->store, e->pod, why);
		(void)store_drop_active(a->store, e->pod, why);
		break;
	case EFFECT_SEARCH:
		(void)store_search(a->store, e->device, why);
		break;
	case EFFECT_FAULT:
		(void)store_fault(a->store, e->pod, why);
		break;
	case EFFECT_CLOCK:
		(void)store_clock(a->store, e->device, why);
		break;
	case EFFECT_ACTIVE:
		(void)store_active(a->store, e->pod, why);
		break;
	case EFFECT_WORD:
		save_word(a, e, why);
		break;
	case EFFECT_ORDER:
		save_order(a, e, now, why);
		break;
	case EFFECT_RECORD:
		save_record(a, e, now, why);
		break;
	case EFFECT_CHANGE:
		save_change(a, e->device, why);
		break;
	case EFFECT_STEP:
	case EFFECT_READ:
	case EFFECT_STATUS:
	case EFFECT_DELETE:
	case EFFECT_EVENT:
	case EFFECT_FETCH:
	case EFFECT_POLL:
	case EFFECT_FIGURES:
	case EFFECT_BRAKE:
	case EFFECT_FORMER:
	case EFFECT_KEPT:
	case EFFECT_PURGE:
		break;
	}
}

static void
log_former(const struct effect *e)
{
	log_line(e->number ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	    &(struct log_about){ .operation = "former",
		.fleet = e->node->fleet },
	    "former node %s: %s", e->node->name, e->text);
}

static const char *
brake_text(const struct effect *e)
{
	return e->number ? "too many devices went silent or left at once: "
			   "nothing is evicted" :
			   "devices are back, evictions go on";
}

static void
log_brake(const struct effect *e)
{
	const struct log_about about = { .operation = "lost",
		.fleet = e->node->fleet };

	if (e->number)
		log_line(LOG_LEVEL_WARN, &about,
		    "node %s: too many devices went silent or left at once: "
		    "nothing is evicted",
		    e->node->name);
	else
		log_line(LOG_LEVEL_INFO, &about,
		    "node %s: devices are back, evictions go on",
		    e->node->name);
}

static void
log_order(const struct act *a, const struct effect *e)
{
	int is_device = world_device(a->world, e->what) != NULL;
	int is_pod = strchr(e->what, '/') != NULL;

	log_line(LOG_LEVEL_INFO,
	    &(struct log_about){ .operation = e->reason,
		.pod = is_pod ? e->what : NULL,
		.device = is_device ? e->what : NULL },
	    "ordered by uid %u: %s", (unsigned int)e->number, e->text);
}

/* -- for whoever asks what happened: told.h -- */

static void
note_step(struct act *a, const struct effect *e, struct now now)
{
	const struct wpod *p = e->pod;
	AUTO_FREE char *who = xasprintf("%s/%s", p->ns, p->name);
	AUTO_FREE char *row =
	    xasprintf("row %u of placement(7)", (unsigned int)e->number);

	told_add(a->world->told,
	    &(struct told_line){ .kind = TOLD_STEP,
		.at_ms = now.wall_ms,
		.about = who,
		.device = p->device != NULL ? p->device->name : NULL,
		.reason = e->reason,
		.text = p->why_waits != NULL ? p->why_waits : row });
}

static void
note_brake(struct act *a, const struct effect *e, struct now now)
{
	told_add(a->world->told,
	    &(struct told_line){ .kind = TOLD_NODE,
		.warning = e->number != 0,
		.at_ms = now.wall_ms,
		.about = e->node->name,
		.reason = e->number ? "BrakeOn" : "BrakeOff",
		.text = brake_text(e) });
}

static void
note_order(struct act *a, const struct effect *e, struct now now)
{
	AUTO_FREE char *who = xasprintf("uid %u", (unsigned int)e->number);

	told_add(a->world->told,
	    &(struct told_line){ .kind = TOLD_ORDER,
		.at_ms = now.wall_ms,
		.about = who,
		.reason = e->reason,
		.text = e->text });
}

/* -- after it -- */

static void
emit(struct act *a, const struct effect *e, struct now now)
{
	switch (e->kind) {
	case EFFECT_ENTRY:
		if (e->pod->pod != NULL && e->pod->pod->uses_secrets)
			break; /* until it is sent, and never on a disk */
		free(e->pod->entry);
		e->pod->entry = NULL;
		break;
	case EFFECT_CHANGE:
		act_send_change(a, e->device, now);
		break;
	case EFFECT_STATUS:
		act_send_status(a, e, now);
		break;
	case EFFECT_DELETE:
		act_send_delete(a, e);
		break;
	case EFFECT_EVENT:
		act_send_event(a, e, now);
		break;
	case EFFECT_STEP:
		note_step(a, e, now);
		break;
	case EFFECT_FETCH:
		act_send_fetch(a, e);
		break;
	case EFFECT_POLL:
		act_send_poll(a, e->text, now);
		break;
	case EFFECT_FIGURES:
		act_send_figures(a, e->node);
		break;
	case EFFECT_BRAKE:
		log_brake(e);
		note_brake(a, e, now);
		break;
	case EFFECT_FORMER:
		log_former(e);
		break;
	case EFFECT_KEPT:
		log_line(LOG_LEVEL_INFO,
		    &(struct log_about){ .operation = "orders",
			.fleet = e->node->fleet },
		    "node %s: the orders of its last writer hold: %s",
		    e->node->name, e->text);
		break;
	case EFFECT_PURGE:
		act_send_purge(a, e->node);
		break;
	case EFFECT_ORDER:
		log_order(a, e);
		note_order(a, e, now);
		break;
	case EFFECT_WORD:
		kept_stale(e->device != NULL ? e->device->node : e->node);
		break;
	case EFFECT_FORGET: /* last use of this pod in a turn */
		world_drop_pod(a->world, e->pod);
		break;
	case EFFECT_SEAT:
	case EFFECT_UNSEAT:
	case EFFECT_SEARCH:
	case EFFECT_FAULT:
	case EFFECT_CLOCK:
	case EFFECT_ACTIVE:
	case EFFECT_RECORD:
	case EFFECT_READ: /* gathered by act_send_reads() */
		break;
	}
}

/* What is not durable stays here: removals and old files go without it. */
static void
hold_back(struct act *a, struct wdevice *d, struct now now)
{
	struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued == IO_FILES && p->was_filed != FILED_BACK) {
			p->filed = p->was_filed;
			p->filed_unsure = p->was_unsure;
		} else if (p->queued != IO_SET) {
			continue;
		}
		change_queue(a->world, p, IO_NONE, now);
		world_look_at(a->world, p, now.boot_ms + STORE_AGAIN_MS);
	}
}

/* Not durable: no new work goes out, all else goes on from memory. */
static int
must_wait(struct act *a, const struct effect *e, struct now now)
{
	if (world_is_durable(a->world))
		return 0;
	if (e->kind == EFFECT_CHANGE)
		hold_back(a, e->device, now);
	return e->kind == EFFECT_ENTRY;
}

static void
on_writer(struct span body, void *arg)
{
	struct act *a = arg;
	struct body_writer m;
	struct wnode *n;

	if (body_writer_get(body, &m) == 0 &&
	    (n = world_node(a->world, m.node)) != NULL)
		n->until_boot = most(n->until_boot, (int64_t)m.until_boot);
}

/*
 * A slow disk must not leave us with a Lease that was over before what it
 * covers is sent, turn after turn: kubeside has renewed it meanwhile.
 */
static void
catch_up(struct act *a, struct now began)
{
	if (a->kube != NULL && now_read().boot_ms - began.boot_ms >= SLOW_MS)
		chan_glance(a->kube, MSG_WRITER, on_writer, a);
}

/* After one that failed only one that wrote something shows that it can. */
static void
commit(struct act *a, struct now now, struct why *why)
{
	struct world *w = a->world;
	int failed = store_commit(a->store, why) == -1;

	if (failed && world_is_durable(w))
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "store",
			.error = why->text },
		    "no new placements until the database can be written");
	if (failed)
		w->store_try_boot = now.boot_ms + STORE_AGAIN_MS;
	else if (store_commits(a->store) != w->commits)
		w->store_try_boot = 0;
	w->commits = store_commits(a->store);
}

void
act_effects(struct act *a, struct effects *fx, struct now now)
{
	struct why why = { .kind = ERR_NONE };
	size_t i;

	(void)store_wall(a->store, now, &why);
	for (i = 0; i < fx->n; i++)
		save(a, &fx->list[i], now, &why);
	if (!world_is_durable(a->world)) {
		(void)store_tidy(a->store, a->world, &why);
		if (now.boot_ms >= a->world->store_try_boot)
			(void)store_try(a->store, now, &why);
	}
	commit(a, now, &why);
	catch_up(a, now);
	act_send_reads(a, fx, READ_WRITE);
	act_send_reads(a, fx, READ_SUSPECT);
	act_send_reads(a, fx, READ_MOTION);
	act_send_list(a);
	for (i = 0; i < fx->n; i++)
		if (!must_wait(a, &fx->list[i], now))
			emit(a, &fx->list[i], now);
	act_send_orders(a, now);
	effects_clear(fx);
}
