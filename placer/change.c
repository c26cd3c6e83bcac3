/* SPDX-License-Identifier: ISC */
/*
 * change.c: the machine of one device's spec.
 *
 * Owns the queue of a device, its company, and the facts of spec.def and what
 * its actions mean.  Never decides what a pod should be (life.def does), never
 * sends.
 */
#include "placer/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/least.h"
#include "common/retry.h"
#include "common/xmem.h"
#include "placer/again.h"
#include "placer/company.h"
#include "placer/contest.h"
#include "placer/facts.h"
#include "placer/fault.h"
#include "placer/live.h"
#include "placer/poll.h"
#include "placer/proof.h"
#include "placer/stall.h"
#include "placer/suspect.h"

enum {
	HOLD_MS = 500, /* after a refused write, doubling */
	HOLD_MAX_MS = 60 * 1000,
	FINAL_MS = 10 * 1000,  /* between two reads of a final state */
	SINGLE_MS = 60 * 1000, /* so long one addition a write */
	DENIED_MS = 60 * 1000, /* before the same is tried again */
};

static int64_t
company_ends(struct world *w, const struct wdevice *d, struct now now)
{
	return pace_company_ends(&w->pace,
	    &(struct pace_queue){ .urgent = d->nurgent > 0,
		.ndirty = w->ndirty,
		.dirty_boot = d->dirty_boot,
		.queued_boot = d->queued_boot,
		.any_boot = w->queued_boot,
		.sent_boot = d->sent_boot },
	    now.boot_ms);
}

void
change_queue(struct world *w, struct wpod *p, enum wish_io io, struct now now)
{
	struct wdevice *d = p->device;

	if (d == NULL || p->queued == io)
		return;
	world_queue(w, p, io);
	if (io == IO_NONE)
		return;
	d->queued_boot = w->queued_boot = now.boot_ms;
	if (d->nqueued == 1)
		d->dirty_boot = now.boot_ms;
	world_look_device_at(w, d, company_ends(w, d, now));
}

void
change_sent(struct world *w, struct wdevice *d, uint64_t id, struct now now)
{
	enum wish_io io;
	struct wpod *p;

	d->change_id = id;
	d->again = 0;
	pace_spend(&w->pace, now.boot_ms);
	d->poll_boot = d->motion_boot = 0;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->queued == IO_NONE)
			continue;
		io = p->queued;
		world_queue(w, p, IO_NONE);
		p->flying = io;
		p->left_boot = 0;
	}
}

static void
hold(struct wdevice *d, struct now now)
{
	d->hold_boot =
	    now.boot_ms + retry_doubled_ms(HOLD_MS, d->failures++, HOLD_MAX_MS);
}

static int
adds(enum wish_io io)
{
	return io == IO_SET || io == IO_FILES;
}

static size_t
count_sets(const struct wdevice *d)
{
	const struct wpod *p;
	size_t n = 0;

	TAILQ_FOREACH(p, &d->pods, on_device)
		n += adds(p->flying);
	return n;
}

/*
 * A rule forbids it, so the same will not do later: of several additions one
 * goes at a time, and one alone is told why it does not go.
 */
static void
denied(struct wdevice *d, const char *text, struct now now)
{
	struct wpod *p;

	if (count_sets(d) > 1) {
		d->single_boot = now.boot_ms + SINGLE_MS;
		return;
	}
	TAILQ_FOREACH(p, &d->pods, on_device) {
		d->failures = 0; /* the device is not to blame */
		if (p->flying == IO_FILES)
			live_denied(p, text);
		if (p->flying != IO_SET)
			continue;
		p->denied = 1;
		p->retry_boot = now.boot_ms + DENIED_MS;
		free(p->why_waits);
		p->why_waits = xstrdup(text);
	}
}

/*
 * Not stored, or nobody knows: what was flying is read before it is decided
 * on again.
 */
static void
refused(struct world *w, struct wdevice *d, const struct change_answer *a,
    struct now now)
{
	struct wpod *p;

	if (a->kind == ERR_DENIED || a->kind == ERR_LIMIT ||
	    a->kind == ERR_FORMAT)
		denied(d, a->text, now);
	hold(d, now);
	contest_answered(d, 0);
	TAILQ_FOREACH(p, &d->pods, on_device) {
		if (p->unread)
			world_look(w, p); /* it waited for this answer */
		if (p->flying == IO_NONE)
			continue;
		p->unread = p->flying != IO_FILES;
		if (p->flying == IO_FILES && p->filed == FILED_OLD)
			p->filed = FILED_BACK;
		p->flying = IO_NONE;
		world_look(w, p);
	}
	world_look_device_at(w, d, d->hold_boot);
}

void
change_answered(struct world *w, struct wdevice *d,
    const struct change_answer *a, struct now now)
{
	struct wpod *p;

	d->change_id = 0;
	if (a->kind != ERR_NONE) {
		refused(w, d, a, now);
		return;
	}
	d->failures = 0;
	d->hold_boot = 0;
	d->sent_boot = d->unseen_boot = now.boot_ms;
	d->wrote_generation = a->generation;
	free(d->wrote_created);
	d->wrote_created = xstrdup(a->created);
	contest_answered(d, 1);
	TAILQ_FOREACH(p, &d->pods, on_device)
		if (p->flying == IO_FILES)
			live_stored(p);
	world_look_pods_of(w, d);
	world_look_device(w, d);
}

/* -- what a read settles -- */

static int
is_final(const struct wpod *p, const struct app_report *r)
{
	if (p->pod == NULL || r == NULL || p->pod->restart == RESTART_ALWAYS)
		return 0;
	if (r->state == APP_COMPLETED)
		return 1;
	return r->state == APP_ERROR && p->pod->restart == RESTART_NEVER;
}

/* Two reads ten seconds apart make an end final (design 8). */
static void
note_end(struct wpod *p, const struct wdevice *d)
{
	if (!p->applied || !is_final(p, device_report(d->dev, p->app))) {
		p->final_boot = 0;
		return;
	}
	if (p->final_boot == 0)
		p->final_boot = d->read_boot;
	else if (d->read_boot - p->final_boot >= FINAL_MS)
		p->ended = 1;
}

static void
cleared(struct wpod *p, struct effects *fx)
{
	if (p->tries == 0)
		return;
	fault_clear(p);
	effects_pod(fx, EFFECT_FAULT, p);
}

/*
 * When an agent or a device restarts, reports are missing for some seconds,
 * and then Unknown for up to a status interval.
 */
static void
note_silence(struct wpod *p, const struct wdevice *d)
{
	const struct app_report *r = device_report(d->dev, p->app);

	if (!p->applied || (r != NULL && r->state != APP_UNKNOWN)) {
		p->silent_boot = 0;
		return;
	}
	if (p->silent_boot == 0)
		p->silent_boot = d->read_boot;
}

static void
note_deployed(struct wdevice *d, int64_t ms)
{
	d->deployed.n++;
	d->deployed.us += ms * 1000;
	if (d->node == NULL)
		return;
	d->node->deployed.n++;
	d->node->deployed.us += ms * 1000;
	spread_add(&d->node->started, ms);
}

/* What we wrote is rendered. */
static void
note_rendered(struct wdevice *d, struct now now)
{
	if (!d->dev->rendered || d->unseen_boot == 0)
		return;
	if (d->node != NULL)
		spread_add(&d->node->seen, now.boot_ms - d->unseen_boot);
	d->unseen_boot = 0;
}

/* It runs from its main containers on, and was deployed only once. */
static void
note_running(struct wpod *p, struct wdevice *d, struct now now,
    struct effects *fx)
{
	const struct app_report *r = device_report(d->dev, p->app);

	if (p->pod == NULL || r == NULL || r->state != APP_RUNNING ||
	    p->running_ms != 0 || !podstatus_has_begun(p->pod, r))
		return;
	p->running_ms = p->pod->seen.started_ms;
	if (p->running_ms == 0) {
		p->running_ms = now.wall_ms;
		if (now.wall_ms >= (int64_t)p->pod->order_ms)
			note_deployed(d,
			    now.wall_ms - (int64_t)p->pod->order_ms);
		effects_story(fx, p, "Started", "running on device");
	}
	effects_pod(fx, EFFECT_SEAT, p);
}

void
change_read(struct world *w, struct wdevice *d, struct now now,
    struct effects *fx)
{
	const struct app_entry *e;
	struct wpod *p;
	int settled;

	if (facts_stale(d) || d->change_id != 0)
		return;
	stall_note(w, d, now);
	note_rendered(d, now);
	contest_read(w, d, now, fx);
	settled = facts_settled(d);
	if (settled && live_applied(d) > 0)
		effects_add(fx, EFFECT_SEARCH)->device = d;
	TAILQ_FOREACH(p, &d->pods, on_device) {
		p->flying = IO_NONE;
		p->unread = 0;
		e = device_entry(d->dev, p->app);
		/* What ran before stands there again. */
		if (p->reverting && e != NULL && e->images == p->proven_images)
			p->reverting = p->blamed = 0;
		/* What was sent last and never arrived is not what it has. */
		if (settled && e != NULL && !p->applied && !p->blamed &&
		    p->sent && e->images == p->sent_images) {
			p->applied = 1;
			p->proven_images = p->sent_images;
			proof_applied(w, p);
			if (p->pod != NULL && p->pod->images == p->sent_images)
				cleared(p, fx);
			effects_add(fx, EFFECT_SEAT)->pod = p;
		}
		if (settled && e == NULL)
			p->applied = 0;
		note_silence(p, d);
		note_running(p, d, now, fx);
		note_end(p, d);
		world_look(w, p);
	}
}

/* -- writing -- */

int64_t
change_until(const struct wdevice *d)
{
	const struct wpod *p;
	int64_t until = 0;

	if (d->node != NULL)
		return d->node->until_boot;
	if (d->nqueued == 0) {
		TAILQ_FOREACH(p, &d->pods, on_device)
			if (p->node != NULL)
				until = most(until, p->node->until_boot);
		return until;
	}
	/* They go together, so each one's node is to be ours. */
	until = INT64_MAX;
	TAILQ_FOREACH(p, &d->pods, on_device)
		if (p->queued != IO_NONE)
			until = least(until,
			    p->node != NULL ? p->node->until_boot : 0);
	return until;
}

const char *
change_refusal(const struct wdevice *d, char text[MAX_TEXT])
{
	if (d->dev == NULL || d->gone)
		return NULL;
	if (d->dev->owner != NULL) {
		(void)snprintf(text, MAX_TEXT,
		    "Device %s is owned by %s: nothing can be changed or "
		    "removed there",
		    d->name, d->dev->owner);
		return "DeviceOwned";
	}
	if (!d->dev->decommissioning)
		return NULL;
	(void)snprintf(text, MAX_TEXT,
	    "Device %s is being decommissioned: nothing can be changed or "
	    "removed there",
	    d->name);
	return "DeviceDecommissioning";
}

static int
takes_writes(const struct wdevice *d)
{
	return !d->gone && !world_is_closed(d) && !d->dev->consoles;
}

/* -- the machine (spec.def) -- */

static enum spec_write
write_fact(const struct world *w, const struct wdevice *d, struct now now)
{
	if (d->change_id != 0)
		return FLYING;
	if (d->dev == NULL && !d->gone && !d->unreadable && w->devices_listed)
		return NEVER_READ;
	if (facts_stale(d))
		return STALE;
	if (d->dev->rendered)
		return RENDERED;
	return stall_is(d, now) ? STALLED : UNRENDERED;
}

static enum spec_queue
queue_fact(struct world *w, const struct wdevice *d, struct now now)
{
	if (d->nqueued == 0)
		return EMPTY;
	if (now.boot_ms < company_ends(w, d, now))
		return GATHERING;
	return d->nurgent > 0 ? REMOVAL : ADDITION;
}

static enum spec_door
door_fact(const struct wdevice *d, struct now now)
{
	if (!takes_writes(d) || now.boot_ms >= change_until(d))
		return SHUT; /* not the writer: WRITER wakes us */
	return now.boot_ms < d->hold_boot ? PAUSED : OPEN;
}

static struct spec_facts
spec_facts(struct world *w, struct wdevice *d, struct now now)
{
	enum spec_write write = write_fact(w, d, now);
	enum spec_version version =
	    suspect_version(w, d, write == RENDERED, now);

	again_note(d, version, now);
	return (struct spec_facts){
		.write = write,
		.version = version,
		.search = d->isolating ? SEARCHING : CALM,
		.queue = queue_fact(w, d, now),
		.door = door_fact(d, now),
		.motion = poll_moves(d, now) ? MOVING : STILL,
	};
}

/* 1: to be decided on once more. */
static int
act_on(struct world *w, struct wdevice *d, enum spec_action action,
    struct now now, struct effects *fx)
{
	switch (action) {
	case SPEC_DO_WRITE:
		company_choose(w, d, now);
		if (d->nqueued == 0)
			return 1;
		effects_add(fx, EFFECT_CHANGE)->device = d;
		return 0;
	case SPEC_DO_NUDGE:
		if (stall_nudge(w, d, now))
			effects_add(fx, EFFECT_CHANGE)->device = d;
		return 0;
	case SPEC_DO_JUDGE:
		suspect_judge(w, d, now);
		effects_add(fx, EFFECT_SEARCH)->device = d;
		return 1;
	case SPEC_DO_PARK:
		suspect_park(w, d);
		effects_add(fx, EFFECT_SEARCH)->device = d;
		return 1;
	case SPEC_DO_RELEASE:
		suspect_release(w, d);
		effects_add(fx, EFFECT_SEARCH)->device = d;
		return 0; /* what comes back is queued before the next */
	case SPEC_DO_RETRY:
		if (again_try(w, d, now))
			effects_add(fx, EFFECT_CHANGE)->device = d;
		return 0;
	case SPEC_DO_AWAIT:
	case SPEC_NACTIONS:
		return 0;
	}
	return 0;
}

/* What is queued is looked at again when it may go. */
static void
wake(struct world *w, struct wdevice *d, const struct spec_facts *f,
    struct now now)
{
	if (f->queue == EMPTY || f->write == FLYING || f->door == SHUT)
		return;
	if (f->door == PAUSED)
		world_look_device_at(w, d, d->hold_boot);
	else if (f->queue == GATHERING)
		world_look_device_at(w, d, company_ends(w, d, now));
}

void
change_look(struct world *w, struct wdevice *d, struct now now,
    struct effects *fx)
{
	struct spec_facts f;
	struct spec_verdict v;
	int again = 3; /* judged, nothing left to write */

	contest_look(w, d, now);
	do {
		f = spec_facts(w, d, now);
		v = spec_decide(&f);
		d->spec_state = v.state;
	} while (act_on(w, d, v.action, now, fx) && --again > 0);
	wake(w, d, &f, now);
	poll_look(w, d,
	    v.read == POLL || (v.read == MOVERS && f.motion == MOVING), now,
	    fx);
}
