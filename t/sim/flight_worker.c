/* SPDX-License-Identifier: ISC */
/*
 * flight_worker.c: the queue of the service's worker.
 *
 * Owns renderedVersion, renderedSpecHash and the condition SpecValid.  Never
 * touches a spec but through a fleet's template (flight_fleets.c).
 */
#include "t/sim/flight_worker.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_edges.h"
#include "t/sim/flight_fleets.h"
#include "t/sim/flight_json.h"
#include "t/sim/flight_polls.h"
#include "t/sim/flight_status.h"
#include "t/sim/flight_store.h"

enum work {
	RENDER,
	OWN,
	FLEET
};
enum stage {
	WAITING,
	ANNOTATED,
	COMPUTED
};

struct task {
	STAILQ_ENTRY(task) entry;
	enum work work;
	char *name; /* of a device, or of a fleet */
};

struct flight_worker {
	STAILQ_HEAD(, task) tasks;
	struct flight *flight;
	struct event *timer;
	enum stage stage; /* of the first task */
	size_t n;
	int armed;
};

enum {
	STEP_US = 1000
};

static void
arm(struct flight_worker *w)
{
	int64_t ms = w->flight->conf.render_ms;
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (w->stage != WAITING)
		tv = (struct timeval){ 0, ms == 0 ? 0 : STEP_US };
	else if (ms < 0 || STAILQ_EMPTY(&w->tasks))
		return;
	w->armed = 1;
	event_add(w->timer, &tv);
}

static void
drop_task(struct flight_worker *w)
{
	struct task *t = STAILQ_FIRST(&w->tasks);

	STAILQ_REMOVE_HEAD(&w->tasks, entry);
	w->n--;
	free(t->name);
	free(t);
}

/* --- one render ---------------------------------------------------------- */

/* The simulated service has no repositories: each reference is broken. */
static char *
broken_reference(const char *spec)
{
	struct json_object *root = flight_parse(span_of(spec)), *list, *v;
	const char *name, *repository = NULL;
	char *text = NULL;
	size_t i, n;

	if (!json_object_object_get_ex(root, "config", &list)) {
		json_object_put(root);
		return NULL;
	}
	n = json_object_array_length(list);
	for (i = 0; i < n && text == NULL; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		name = flight_get(entry, "name");
		if (json_object_object_get_ex(entry, "gitRef", &v) ||
		    json_object_object_get_ex(entry, "httpRef", &v))
			repository = flight_get(v, "repository");
		if (name != NULL && repository != NULL)
			text = xasprintf(
			    "1 invalid configuration: %s. Error: "
			    "failed fetching specified Repository definition "
			    "00000000-0000-0000-0000-000000000000/%s: "
			    "Repository of name \"%s\" not found",
			    name, repository, repository);
	}
	json_object_put(root);
	return text;
}

static int
is_paused(const struct flight_device *d)
{
	return flight_pairs_get(&d->annotations,
		   "device-controller/awaitingReconnect") != NULL ||
	    flight_pairs_get(&d->annotations,
		"device-controller/conflictPaused") != NULL;
}

static void
tell_invalid(struct flight *f, const struct flight_device *d,
    const char *broken)
{
	char *text = xasprintf("Device specification is invalid: %s.", broken);

	flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
	    "DeviceSpecInvalid", 1, text, NULL);
	free(text);
}

static void
spec_is_valid(struct flight *f, struct flight_device *d, const char *broken)
{
	const char *status = broken == NULL ? "True" : "False";

	if (flight_condition_is(d, FLIGHT_SPEC_VALID, status, NULL))
		return;
	flight_condition_set(d, FLIGHT_SPEC_VALID, status,
	    broken == NULL ? "Valid" : "Invalid", broken == NULL ? "" : broken,
	    flight_us());
	if (broken == NULL)
		flight_event(f->events, FLIGHT_BY_WORKER, "Device", d->name,
		    "DeviceSpecValid", 0, "Device specification is valid.",
		    NULL);
	else
		tell_invalid(f, d, broken);
}

/* 1: a new version. */
static int
render(struct flight *f, struct flight_device *d)
{
	uint64_t reported = strtoull(d->report.version, NULL, 10);
	char hash[65], *broken;

	if (is_paused(d))
		return 0;
	broken = broken_reference(d->spec);
	if (broken != NULL) {
		spec_is_valid(f, d, broken);
		free(broken);
		d->resource_version++;
		return 0;
	}
	flight_sha256(span_of(d->spec), hash);
	if (d->rendered != 0 && strcmp(hash, d->hash) == 0)
		return 0;
	d->rendered = (d->rendered > reported ? d->rendered : reported) + 1;
	memcpy(d->hash, hash, sizeof(hash));
	free(d->rendered_spec);
	d->rendered_spec = xstrdup(d->spec);
	flight_fleet_rendered(d);
	d->resource_version++;
	return 1;
}

/* Who waits for it is told before the status is recomputed. */
static void
publish(struct flight *f, struct flight_device *d)
{
	flight_polls_wake(f, d);
	flight_edge_offer(f, d);
}

void
flight_render_now(struct flight *f, struct flight_device *d)
{
	if (!render(f, d))
		return;
	spec_is_valid(f, d, NULL);
	d->resource_version++;
	publish(f, d);
}

/* Does one step of the first task; 1: the task is done. */
static int
step(struct flight_worker *w, struct task *t, struct flight_device *d)
{
	struct flight *f = w->flight;

	switch (w->stage) {
	case WAITING:
		if (t->work == OWN) {
			flight_fleets_match(f, d);
			return 1;
		}
		d->queued--;
		if (!render(f, d)) {
			if (flight_compute(f, d, FLIGHT_BY_WORKER))
				d->resource_version++;
			return 1;
		}
		publish(f, d);
		w->stage = ANNOTATED;
		return 0;
	case ANNOTATED:
		if (flight_compute(f, d, FLIGHT_BY_WORKER))
			d->resource_version++;
		w->stage = COMPUTED;
		return 0;
	case COMPUTED:
		spec_is_valid(f, d, NULL);
		d->resource_version++;
		return 1;
	}
	return 1;
}

static int
turn(struct flight_worker *w, struct task *t)
{
	struct flight_device *d;

	if (t->work == FLEET) {
		flight_fleet_validate(w->flight, t->name);
		return 1;
	}
	d = flight_store_get(w->flight->store, t->name);
	return d == NULL || step(w, t, d);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct flight_worker *w = arg;
	struct task *t = STAILQ_FIRST(&w->tasks);

	(void)fd, (void)what;
	w->armed = 0;
	if (t == NULL)
		return;
	if (turn(w, t)) {
		w->stage = WAITING;
		drop_task(w);
	}
	arm(w);
}

/* --- the queue ----------------------------------------------------------- */

static void
put(struct flight_worker *w, enum work work, const char *name)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->work = work;
	t->name = xstrdup(name);
	STAILQ_INSERT_TAIL(&w->tasks, t, entry);
	w->n++;
	if (!w->armed)
		arm(w);
}

struct flight_worker *
flight_worker_new(struct flight *f)
{
	struct flight_worker *w = xcalloc(1, sizeof(*w));

	STAILQ_INIT(&w->tasks);
	w->flight = f;
	w->timer = event_new(f->base, -1, 0, on_turn, w);
	return w;
}

void
flight_worker_free(struct flight_worker *w)
{
	if (w == NULL)
		return;
	while (!STAILQ_EMPTY(&w->tasks))
		drop_task(w);
	event_free(w->timer);
	free(w);
}

void
flight_worker_render(struct flight *f, struct flight_device *d)
{
	d->queued++;
	put(f->worker, RENDER, d->name);
}

void
flight_worker_own(struct flight *f, struct flight_device *d)
{
	if (flight_fleets_count(f) > 0 || d->owner != NULL)
		put(f->worker, OWN, d->name);
}

void
flight_worker_fleet(struct flight *f, const char *name)
{
	put(f->worker, FLEET, name);
}

void
flight_worker_pace(struct flight *f, int64_t render_ms)
{
	struct flight_worker *w = f->worker;

	f->conf.render_ms = render_ms;
	if (w->stage == WAITING) {
		event_del(w->timer);
		w->armed = 0;
		arm(w);
	}
}

size_t
flight_worker_waiting(const struct flight *f)
{
	return f->worker->n;
}
