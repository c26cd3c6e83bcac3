/* SPDX-License-Identifier: ISC */
/*
 * tell.c: what people and the API are told about a pod.
 *
 * Owns when a status is worth sending and the words for why a pod waits.
 * Never decides about the pod.
 */
#include "placer/tell.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/limits.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "placer/facts.h"
#include "placer/in_place.h"
#include "placer/said.h"

enum {
	PULLS_MS = 60 * 1000,	  /* so long a pull is nothing to speak of */
	WORKS_MS = 10 * 1000,	  /* nor is that a device is at work */
	SILENT_MS = 3 * 60 * 1000 /* nor is a missing report */
};

/* 1: it is another text than the last. */
static int
waits_anew(struct wpod *p, const char *reason, const char *text)
{
	AUTO_FREE char *message = utf8_message(text, MAX_TEXT);

	p->why_reason = reason;
	if (p->why_waits != NULL && strcmp(p->why_waits, message) == 0)
		return 0;
	free(p->why_waits);
	p->why_waits = steal(&message);
	return 1;
}

/* Why it waits, told once for each new text. */
void
tell_waits(struct effects *fx, struct wpod *p, const char *reason,
    const char *text)
{
	if (waits_anew(p, reason, text))
		effects_event(fx, p, 1, reason, p->why_waits);
}

/*
 * As a kubelet tells it: a container without its variables has a reason, one
 * without its volumes is being created, and Events say what keeps it.
 */
void
tell_lacks(struct effects *fx, struct wpod *p, const char *text)
{
	AUTO_FREE char *event = NULL;
	const char *volume = p->unmounted;

	if (!waits_anew(p, volume != NULL ? NULL : "CreateContainerConfigError",
		text))
		return;
	event = volume == NULL ?
	    xasprintf("Error: %s", text) :
	    xasprintf("MountVolume.SetUp failed for volume \"%s\" : %s", volume,
		text);
	effects_event(fx, p, 1, volume == NULL ? "Failed" : "FailedMount",
	    event);
}

void
tell_holds(struct wpod *p, const char *text)
{
	free(p->why_waits);
	p->why_waits = xstrdup(text);
}

void
tell_holds_no_more(struct wpod *p)
{
	if (p->why_reason == NULL)
		tell_waits_no_more(p);
}

void
tell_waits_no_more(struct wpod *p)
{
	free(p->why_waits);
	p->why_waits = NULL;
	p->why_reason = NULL;
	p->hopeless = p->refusals = p->denied = 0;
}

static void
give(struct wpod *p, struct podstatus *status, struct effects *fx)
{
	struct effect *e;

	e = effects_add(fx, EFFECT_STATUS);
	e->pod = p;
	e->number = status->digest;
	e->text = status->json;
	status->json = NULL;
	p->telling = e->number; /* a second look in this turn tells no more */
	if (status->backs_off)
		effects_event(fx, p, 1, "BackOff",
		    "Back-off restarting failed container");
}

/* What failed before is more to know than that it is tried again. */
static void
add_why(const struct wpod *p, struct podstatus_in *in)
{
	int failed = p->why_reason == NULL && p->fault != NULL;

	in->reason = failed ? p->fault_reason : p->why_reason;
	in->message = failed ? p->fault : p->why_waits;
}

/*
 * Its image is what the device waits for, and has been for long.  *message is
 * then the caller's.
 */
static void
add_pull(const struct wpod *p, struct podstatus_in *in, char **message,
    struct now now)
{
	const struct wdevice *d = p->device;
	const char *words;

	if (p->state != STARTING || d->dev == NULL || d->fetch_boot == 0 ||
	    now.boot_ms - d->fetch_boot < PULLS_MS ||
	    device_entry(d->dev, p->app) == NULL)
		return;
	words = said_words(d->dev);
	if (!said_names(words, p))
		return;
	*message = utf8_message(words, MAX_TEXT);
	in->reason = said_reason(words);
	in->message = *message;
}

static int
is_unreported(struct world *w, struct wpod *p, struct now now)
{
	if (p->silent_boot == 0 || now.boot_ms >= p->silent_boot + SILENT_MS)
		return p->silent_boot != 0;
	world_look_at(w, p, p->silent_boot + SILENT_MS);
	return 0;
}

/*
 * A device that is quick about it is told of with what comes of it: that saves
 * a status for each pod.
 */
static int
is_worked_on(struct world *w, struct wpod *p, struct now now)
{
	const struct device *dev = p->device->dev;

	if (p->state != STARTING || !dev->rendered || dev->settled ||
	    device_entry(dev, p->app) == NULL) {
		p->works_boot = 0;
		return 0;
	}
	if (p->works_boot == 0)
		p->works_boot = now.boot_ms;
	if (now.boot_ms >= p->works_boot + WORKS_MS)
		return 1;
	world_look_at(w, p, p->works_boot + WORKS_MS);
	return 0;
}

void
tell_killing(struct wpod *p, struct effects *fx)
{
	if (p->pod == NULL || p->kill_told || p->retreating)
		return;
	p->kill_told = 1;
	effects_story(fx, p, "Killing", "stopping on device");
}

/* What was asked of it in place, each once. */
static void
tell_in_place(struct wpod *p, struct effects *fx)
{
	const struct pod *pod = p->pod;
	size_t i;

	if (pod->resized && !pod->seen.resize_pending && !p->resize_told)
		effects_event(fx, p, 1, IN_PLACE_RESIZE, IN_PLACE_RESIZE_TEXT);
	p->resize_told = pod->resized;
	for (i = p->debuggers_told; i < pod->ndebuggers; i++)
		if (pod->debuggers[i].told_ms == 0)
			effects_event(fx, p, 1, IN_PLACE_DEBUGGER,
			    IN_PLACE_DEBUGGER_TEXT);
	p->debuggers_told = (uint8_t)pod->ndebuggers;
}

/* A new one whose objects come at once is told of with what comes of them. */
static int
is_being_prepared(const struct wpod *p)
{
	return p->told == 0 && p->device == NULL && p->why_waits == NULL &&
	    p->needs != NULL && p->needs->waits > 0;
}

void
tell_status(struct world *w, struct wpod *p, struct now now, struct effects *fx)
{
	struct podstatus_in in = {
		.pod = p->pod,
		.app = p->app,
		.state = p->state,
		.final_failed = (p->hopeless && p->pod->controller == NULL) ||
		    (p->pod->terminating && p->state == DONE && !p->ended),
		.report_final = p->ended,
		.running_ms = p->running_ms,
		.now = now,
	};
	AUTO_FREE char *pull = NULL;
	struct podstatus out;

	add_why(p, &in);
	if (p->telling != 0 || !w->kube_up || is_being_prepared(p))
		return; /* its answer looks again */
	tell_in_place(p, fx);
	if (p->device != NULL) {
		in.device = p->device->name;
		in.applied = p->applied;
		in.unreported = is_unreported(w, p, now);
		in.connected = facts_device(p->device, now) == HERE;
		if (p->device->dev != NULL) {
			in.owner = p->device->dev->owner;
			in.report = device_report(p->device->dev, p->app);
			in.works = is_worked_on(w, p, now);
			in.exits = &p->device->dev->exits;
		}
		add_pull(p, &in, &pull, now);
	}
	podstatus_make(&in, &out);
	if (out.digest == p->told && now.boot_ms < p->told_boot)
		world_look_at(w, p, p->told_boot);
	else if (out.digest == p->unshown && now.boot_ms < p->tell_boot)
		world_look_at(w, p, p->tell_boot);
	else if ((p->told != 0 && out.digest != p->told) ||
	    !podstatus_is_told(&out, p->pod))
		give(p, &out, fx);
	podstatus_clear(&out);
}
