/* SPDX-License-Identifier: ISC */
/*
 * taken.c: devices that are taken from us while pods are there.
 *
 * Owns who is told of it, and what MOVE means: a pod that ran there is
 * evicted, so that its controller makes another; one that never ran goes
 * elsewhere itself.  The brake on evictions is lost.c's.
 */
#include "placer/taken.h"

#include <stdio.h>

#include "placer/change.h"
#include "placer/facts.h"
#include "placer/lost.h"
#include "placer/tell.h"

static void
note_owner(struct world *w, struct wdevice *d, struct effects *fx)
{
	int owned = !d->gone && d->dev->owner != NULL;
	char text[MAX_TEXT];

	if (owned == d->owned)
		return;
	d->owned = owned != 0;
	if (!owned)
		return;
	effects_device_event(fx, d, 1, change_refusal(d, text), text);
	world_look_namesakes_on(w, d);
}

static struct wnode *
node_left(const struct wdevice *d)
{
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device)
		if (facts_left(p))
			return p->node;
	return NULL;
}

static void
note_left(struct wdevice *d, struct now now)
{
	struct wnode *left = node_left(d);

	if (left == d->left)
		return;
	if (d->left != NULL)
		d->left->brake_stale = 1;
	if (left != NULL)
		left->brake_stale = 1;
	d->left = left;
	d->left_boot = left != NULL ? now.boot_ms : 0;
}

static const char *
frozen_words(enum device_summary summary)
{
	if (summary == DEVICE_AWAITING_RECONNECT)
		return "Flightctl was restored from a backup and awaits the "
		       "device's agent: nothing is written until then";
	if (summary == DEVICE_CONFLICT_PAUSED)
		return "Flightctl was restored from a backup and the device "
		       "has a newer spec: nothing is written until it is "
		       "resumed there";
	return NULL;
}

static void
note_frozen(struct world *w, struct wdevice *d, struct effects *fx)
{
	const char *words = d->gone ? NULL : frozen_words(d->dev->summary);
	char text[MAX_TEXT];

	if (words == NULL) {
		d->frozen = 0;
		return;
	}
	if (d->frozen == d->dev->summary)
		return;
	d->frozen = (uint8_t)d->dev->summary;
	(void)snprintf(text, sizeof(text), "Device %s: %s", d->name, words);
	effects_device_event(fx, d, 1, "DeviceFrozen", text);
	world_look_namesakes_on(w, d);
}

void
taken_look(struct world *w, struct wdevice *d, struct now now,
    struct effects *fx)
{
	if (d->dev == NULL)
		return;
	note_owner(w, d, fx);
	note_left(d, now);
	note_frozen(w, d, fx);
}

/* Why it goes, a literal, with words for people. */
static const char *
move_reason(const struct wpod *p, char text[MAX_TEXT])
{
	const struct wdevice *d = p->device;

	if (!facts_left(p) && d->drained.on) {
		(void)snprintf(text, MAX_TEXT, "Device %s is drained", d->name);
		return "DeviceDrained";
	}
	if (!facts_left(p) && world_is_drained(d)) {
		(void)snprintf(text, MAX_TEXT, "Node %s is retired",
		    d->node->name);
		return "NodeRetired";
	}
	if (!facts_left(p)) {
		(void)snprintf(text, MAX_TEXT,
		    "Device %s is owned by %s, which took the application out",
		    d->name, d->dev->owner);
		return "DeviceOwned";
	}
	if (d->dev->decommissioning) {
		(void)snprintf(text, MAX_TEXT,
		    "Device %s is being decommissioned", d->name);
		return "DeviceDecommissioning";
	}
	(void)snprintf(text, MAX_TEXT, "Device %s is in fleet %s no more",
	    d->name, p->node->fleet);
	return "DeviceLeftFleet";
}

/*
 * Out of the spec, which a Fleet's rollout replaces, it is being stopped, and
 * a decommissioning cannot be undone.  Who only left runs on: a wrong label
 * may be put right, and of many the brake is to see all.
 */
static int
may_delete(struct world *w, struct wpod *p, struct now now)
{
	int64_t at = p->device->left_boot + TAKEN_LEFT_MS;

	if (p->device->dev->decommissioning || !facts_left(p) ||
	    device_entry(p->device->dev, p->app) == NULL)
		return 1;
	if (now.boot_ms < at)
		world_look_at(w, p, at);
	return now.boot_ms >= at && !p->node->brake; /* its end looks again */
}

int
taken_move(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	char text[MAX_TEXT];
	const char *reason;

	if (p->flying != IO_NONE)
		return 0; /* its answer looks again */
	reason = move_reason(p, text);
	if (facts_has_run(p)) {
		if (may_delete(w, p, now))
			lost_delete(w, p, now, fx, reason, text);
		return 0;
	}
	tell_waits(fx, p, reason, text);
	p->retreating = 1;
	effects_pod(fx, EFFECT_SEAT, p);
	effects_record(fx, p, "Retreat", text);
	return 1;
}

void
taken_thaw(struct world *w, struct wdevice *d)
{
	if (d->thaw == 0 || d->dev == NULL ||
	    frozen_words(d->dev->summary) != NULL || --d->thaw > 0)
		return;
	world_device_changed(d);
	if (d->node != NULL)
		d->node->retry = 1;
	world_look_pods_of(w, d);
	world_look_device(w, d);
}
