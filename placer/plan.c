/* SPDX-License-Identifier: ISC */
/*
 * plan.c: one turn, from the world to effects.
 *
 * Owns what each action of life.def means.  Never does it (act.c), never
 * decides it (life.c).
 */
#include "placer/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/mark.h"
#include "common/xmem.h"
#include "placer/change.h"
#include "placer/deadline.h"
#include "placer/facts.h"
#include "placer/fault.h"
#include "placer/figures.h"
#include "placer/former.h"
#include "placer/kept.h"
#include "placer/live.h"
#include "placer/lost.h"
#include "placer/orders.h"
#include "placer/pick.h"
#include "placer/prepare.h"
#include "placer/proof.h"
#include "placer/reserve.h"
#include "placer/taken.h"
#include "placer/tell.h"

enum {
	SAVED_MS = 1000,
	SETTLES_MS = 1000
};

/* -- actions -- */

/* A Job counts a pod by its last phase, so that is told before it goes. */
static int
is_to_be_told(const struct wpod *p)
{
	const struct pod *pod = p->pod;

	return pod->controller_kind != NULL &&
	    strcmp(pod->controller_kind, "Job") == 0 &&
	    pod->seen.phase == PHASE_RUNNING;
}

static void
finish(struct wpod *p, struct now now, struct effects *fx)
{
	struct effect *e;

	if (p->device != NULL) {
		effects_record(fx, p, "Remove", "gone from the device");
		effects_pod(fx, EFFECT_UNSEAT, p);
	}
	if (p->pod == NULL) {
		effects_pod(fx, EFFECT_FORGET, p);
		return;
	}
	if (!p->pod->terminating || p->deleting || now.boot_ms < p->delete_boot)
		return; /* ended: its object stays */
	if (is_to_be_told(p)) {
		p->state = DONE;
		return;
	}
	e = effects_add(fx, EFFECT_DELETE);
	e->pod = p;
	e->number = 0;
}

static void
sit_down(struct world *w, struct wpod *p, struct wdevice *d, struct effects *fx)
{
	p->sought = 1; /* from here on we know */
	world_seat(w, p, d);
	world_unlook(w, p); /* we are looking at it */
	tell_waits_no_more(p);
	effects_pod(fx, EFFECT_SEAT, p);
	if (p->entry != NULL)
		effects_pod(fx, EFFECT_ENTRY, p);
	effects_record(fx, p, "Choose", d->name);
	effects_story(fx, p, "Placed", "device");
}

/*
 * A new UID under an old name waits until the old one is confirmed gone, but
 * for one that a person force-deleted, or gave up, while its device is away or
 * closed to writes (design 12).
 */
static int
waits_for_namesake(struct world *w, struct wpod *p, struct now now)
{
	const struct wpod *old;

	if ((old = world_namesake(w, p)) == NULL ||
	    (old->pod == NULL &&
		(facts_device(old->device, now) != HERE ||
		    world_is_closed(old->device))))
		return 0;
	p->why_reason = "NameInUse";
	return 1;
}

static void
refused(struct world *w, struct wpod *p, const struct why *why, struct now now,
    struct effects *fx)
{
	if (why->kind == ERR_AGAIN)
		tell_lacks(fx, p, why->text);
	else
		tell_waits(fx, p, prepare_reason(why), why->text);
	p->retry_boot = now.boot_ms + prepare_pause_ms(p, why);
	world_look_at(w, p, p->retry_boot);
}

/* 1: its time has not come; it is looked at again when it has. */
static int
pauses(struct world *w, struct wpod *p, struct now now)
{
	if (now.boot_ms >= p->retry_boot)
		return 0;
	world_look_at(w, p, p->retry_boot);
	return 1;
}

/*
 * A DaemonSet that tolerates everything has its pod on each node, to serve the
 * machine that it takes it for.  It stays Pending: of one that Failed another
 * is made at once.
 */
static int
is_for_machines(struct wpod *p, struct effects *fx)
{
	if (!p->pod->is_daemon || p->pod->tolerates_ours)
		return 0;
	p->hopeless = 0;
	tell_waits(fx, p, "DaemonSetNotForDevices",
	    "a virtual node is not a machine: a DaemonSet's pod is placed on "
	    "one of its devices only when it tolerates the taint " TAINT_KEY
	    " by that key; to keep the DaemonSet away, let its node affinity "
	    "require that label type is not virtual-kubelet (NotIn)");
	return 1;
}

static int
choose(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	struct pick_answer a;
	struct why why;

	if (p->node == NULL || is_for_machines(p, fx))
		return 0;
	if (pauses(w, p, now))
		return 0;
	if (waits_for_namesake(w, p, now))
		return 0; /* it is looked at when that may change */
	if (p->pod->wish != NULL && !p->node->labels_known)
		return 0; /* they will come, and look at who waits */
	switch (prepare_entry(w, p, fx, &why)) {
	case PREPARE_READY:
		break;
	case PREPARE_WAITS:
		return 0;
	case PREPARE_REFUSED:
		p->hopeless = why.kind == ERR_DENIED;
		refused(w, p, &why, now, fx);
		return 0;
	}
	pick_device(p->node, p, w->devices_listed, &a);
	if (a.device == NULL) {
		p->hopeless = a.never != 0;
		reserve_look(w, p, now);
		tell_waits(fx, p,
		    a.never || strncmp(a.text, "Insuff", 6) == 0 ?
			"InsufficientResources" :
			"NoMatchingDevice",
		    a.text);
		return 0;
	}
	sit_down(w, p, a.device, fx);
	return 1;
}

/* Carried out, it makes the pod be looked at again; here it must not. */
static void
unseat(struct wpod *p, struct now now, struct effects *fx)
{
	if (p->retreating && p->tries == 0)
		p->tries = 1; /* of before our start */
	if (p->tries > 0) {
		p->retry_boot = now.boot_ms + fault_pause_ms(p);
		effects_pod(fx, EFFECT_FAULT, p);
	}
	effects_pod(fx, EFFECT_UNSEAT, p);
}

static void
tell_denied(struct wpod *p, struct effects *fx)
{
	char *text = p->why_waits;

	p->denied = 0;
	p->why_waits = NULL;
	tell_waits(fx, p, "ChangeDenied", text);
	free(text);
}

/* Of an image that nobody knows to be good two devices are enough. */
static int
waits_for_proof(struct world *w, struct wpod *p, struct now now)
{
	AUTO_FREE char *text = NULL;
	const char *image;

	if ((image = proof_waits(w, p, now)) == NULL) {
		tell_holds_no_more(p);
		return 0;
	}
	text = xasprintf("image %s is new: %d devices try it first", image,
	    PROOF_TRIES);
	tell_holds(p, text);
	return 1;
}

static void
write_entry(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	struct why why;

	if (p->denied)
		tell_denied(p, fx);
	if (pauses(w, p, now) || (p->device->isolating && !p->suspect))
		return; /* the search's end looks again */
	if (p->pod->images != p->rendered_images) {
		/* what ran is saved first, if only the disk were not full */
		if (p->entry != NULL && p->proven_images != 0 &&
		    !p->pod->uses_secrets) {
			effects_pod(fx, EFFECT_ENTRY, p);
			world_look_at(w, p, now.boot_ms + SAVED_MS);
			return;
		}
		p->has_entry = 0; /* other images: rendered anew */
	}
	switch (prepare_entry(w, p, fx, &why)) {
	case PREPARE_READY:
		if (p->entry != NULL)
			effects_pod(fx, EFFECT_ENTRY, p);
		if (waits_for_proof(w, p, now))
			break;
		p->reverting = 0;
		change_queue(w, p, IO_SET, now);
		break;
	case PREPARE_WAITS:
		break;
	case PREPARE_REFUSED:
		refused(w, p, &why, now, fx);
		break;
	}
}

/* The images that ran go back into the spec; the others are tried later. */
static void
revert(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	if (!wpod_has_kept(p))
		return; /* it is not known any more; other images may come */
	if (!p->reverting) {
		p->reverting = 1;
		fault_note(p, fx);
		p->retry_boot = now.boot_ms + fault_pause_ms(p);
		p->has_entry = 0; /* a retry is rendered with its number */
		effects_record(fx, p, "Revert", p->fault);
	}
	change_queue(w, p, IO_SET, now);
}

/* Its turn will come: until then what it ran before, or nothing. */
static void
withhold(struct world *w, struct wpod *p, struct now now)
{
	const struct app_entry *e;

	if (!p->withheld || p->flying != IO_NONE || p->device->dev == NULL ||
	    (e = device_entry(p->device->dev, p->app)) == NULL)
		return;
	if (wpod_has_kept(p) && e->images == p->proven_images)
		return;
	p->reverting = wpod_has_kept(p) != 0;
	change_queue(w, p, p->reverting ? IO_SET : IO_CUT, now);
}

static void
blame(struct wpod *p, struct effects *fx)
{
	p->retreating = 1;
	p->blamed = 0;
	fault_note(p, fx);
	effects_pod(fx, EFFECT_SEAT, p);
	effects_record(fx, p, "Retreat", p->fault);
}

/* Only the writer of the node acts; WRITER looks at everything again. */
static int
may_act(const struct wpod *p, struct now now)
{
	return p->node != NULL && now.boot_ms < p->node->until_boot;
}

/* 1: the pod is to be looked at once more in this turn. */
static int
act_on(struct world *w, struct wpod *p, struct life_verdict v, struct now now,
    struct effects *fx)
{
	if (p->queued == IO_FILES ?
		v.state != RUNNING :
		v.action != WRITE && v.action != REMOVE && v.action != REVERT)
		change_queue(w, p, IO_NONE, now);
	switch (v.action) {
	case AWAIT:
		withhold(w, p, now);
		return 0;
	case FINISH:
		finish(p, now, fx);
		return 0;
	case CHOOSE:
		return choose(w, p, now, fx);
	case UNSEAT:
		unseat(p, now, fx);
		return 0;
	case READ:
		if (p->device->change_id != 0)
			return 0; /* a read settles nothing: its answer looks */
		p->device->want_read = READ_WRITE;
		world_look_device(w, p->device);
		return 0;
	case WRITE:
		write_entry(w, p, now, fx);
		return 0;
	case REMOVE:
		tell_killing(p, fx);
		change_queue(w, p, IO_CUT, now);
		return 0;
	case BLAME:
		blame(p, fx);
		return 1;
	case MOVE:
		return taken_move(w, p, now, fx);
	case EVICT:
		lost_evict(w, p, now, fx);
		return 0;
	case REVERT:
		revert(w, p, now, fx);
		return 0;
	case TELL:
	case LIFE_NACTIONS:
		return 0;
	}
	return 0;
}

/* What it waits for is not ours to do: people are told. */
static int
waits_for_device(struct wpod *p, struct effects *fx)
{
	char text[MAX_TEXT];
	const char *reason;

	if ((p->state != LEAVING && p->state != RETREAT &&
		p->state != REPLACING) ||
	    (reason = change_refusal(p->device, text)) == NULL)
		return 0;
	tell_waits(fx, p, reason, text);
	return 1;
}

/* One that leaves has nothing to say, unless nobody hears from its device. */
static int
is_told(struct wpod *p, struct now now, struct effects *fx)
{
	if (p->state == LOOKING || p->state == FREE || p->state == EVICTING)
		return 0;
	return waits_for_device(p, fx) || p->state != LEAVING ||
	    facts_device(p->device, now) == AWAY;
}

/*
 * The API says that it had a device, and our memory and the specs know of
 * none: that device is asked first.  Its entry may be out of the spec and the
 * work not yet stopped, or the device is not in the lists any more.
 */
static void
seek(struct world *w, struct wpod *p, struct effects *fx)
{
	enum truth told;

	if (p->device != NULL || p->sought || p->pod == NULL ||
	    !w->devices_listed)
		return;
	p->sought = 1;
	told = p->pod->seen.cond[COND_DEVICE].status;
	if ((told != TRUTH_TRUE && told != TRUTH_UNKNOWN) ||
	    p->pod->told_device == NULL ||
	    mark_name(w->cluster, p->ns, p->name, p->uid, p->app) == -1)
		return;
	world_seat(w, p, world_device_or_new(w, p->pod->told_device));
	p->sent = 1;
	effects_pod(fx, EFFECT_SEAT, p);
}

/* All that have a place before any is given one: it may be the last there. */
static void
seek_all(struct world *w, struct effects *fx)
{
	struct wpod *p;

	if (!w->seek_all)
		return;
	w->seek_all = 0;
	RB_FOREACH(p, wpod_tree, &w->pods)
		seek(w, p, fx);
}

static void
note_step(struct wpod *p, struct life_verdict v, struct effects *fx)
{
	struct effect *e = effects_add(fx, EFFECT_STEP);

	e->pod = p;
	e->reason = life_state_name(v.state);
	e->number = v.rule;
}

static void
look_at_pod(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	struct life_facts f;
	struct life_verdict v;
	int again = 2;

	proof_leave(p);
	if (now.boot_ms < p->delete_boot)
		world_look_at(w, p, p->delete_boot);
	deadline_look(w, p, now, fx);
	seek(w, p, fx);
	do {
		f = facts_of(w, p, now);
		v = life_decide(&f);
		if (p->state != v.state || p->rule == 0)
			note_step(p, v, fx);
		p->state = v.state;
		p->rule = v.rule;
		if (p->state != EVICTING && p->state != DRAINING)
			p->evict_told = 0;
		if (!may_act(p, now))
			return;
	} while (act_on(w, p, v, now, fx) && --again > 0);
	if (facts_may_be_stopping(w, p, now))
		world_look_at(w, p, now.boot_ms + SETTLES_MS);
	live_look(w, p, now, fx);
	if (p->device != NULL)
		world_look_device_at(w, p->device, now.boot_ms);
	if (p->pod != NULL && is_told(p, now, fx))
		tell_status(w, p, now, fx);
	if (p->device != NULL && (p->state == LOST || f.pod == EXPIRED))
		lost_arm_pod(w, p, now);
}

/*
 * Room appeared: those that wait, oldest first.  A pod without wishes that is
 * no smaller than one that found nothing finds nothing either.
 */
static void
look_at_waiting(struct world *w, struct wnode *n)
{
	struct wpod *p;

	n->retry = 0;
	TAILQ_FOREACH(p, &n->waiting, waits)
		world_look(w, p);
}

void
plan_turn(struct world *w, struct now now, struct effects *fx)
{
	struct wdevice *d;
	struct wpod *p;
	size_t i;

	for (i = 0; i < w->nnodes; i++)
		if (w->nodes[i].retry)
			look_at_waiting(w, &w->nodes[i]);
	RB_FOREACH(d, wdevice_tree, &w->devices)
		if (d->due.at_boot != 0 && d->due.at_boot <= now.boot_ms) {
			lost_look(w, d, now, fx);
			taken_look(w, d, now, fx);
			orders_look(w, d, fx);
		}
	for (i = 0; i < w->nnodes; i++)
		lost_weigh(w, &w->nodes[i], fx);
	kept_take(w, fx);
	seek_all(w, fx);
	while ((p = world_next_pod(w, now.boot_ms)) != NULL)
		look_at_pod(w, p, now, fx);
	live_poll(w, now, fx);
	while ((d = world_next_device(w, now.boot_ms)) != NULL) {
		change_look(w, d, now, fx);
		lost_arm_device(w, d, now);
	}
	proof_look(w, now);
	former_look(w, fx);
	for (i = 0; i < w->nnodes; i++)
		figures_look(w, &w->nodes[i], now, fx);
}

int64_t
plan_next(const struct world *w)
{
	int64_t at = world_next_due(w);
	size_t i;

	if (w->kube_up && objects_due(w) < at)
		at = objects_due(w);
	if (w->store_try_boot != 0 && w->store_try_boot < at)
		at = w->store_try_boot;
	for (i = 0; i < w->nnodes; i++)
		if (figures_due(w, &w->nodes[i]) < at)
			at = figures_due(w, &w->nodes[i]);
	return at;
}
