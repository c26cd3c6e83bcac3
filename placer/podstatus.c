/* SPDX-License-Identifier: ISC */
/*
 * podstatus.c: what is said about a pod.
 *
 * Owns the mapping from the life of a pod and its device's report to phase,
 * conditions and container states; status_json.c writes it down.  Flightctl
 * reports an application as a whole: with one container that is exact, with
 * several (and an infra container that is counted) only "all run" is.  Never
 * leaves a terminal phase.
 */
#include "placer/podstatus.h"

#include <stdbool.h>
#include <stdlib.h>

#include "placer/deadline.h"
#include "placer/status_json.h"

static bool
is_terminal(enum pod_phase phase)
{
	return phase == PHASE_SUCCEEDED || phase == PHASE_FAILED;
}

/* Whether it was ever reported to run. */
static bool
was_seen(const struct podstatus_in *in)
{
	const struct pod_seen *seen = &in->pod->seen;

	return in->running_ms != 0 || seen->running_ms != 0 ||
	    seen->phase == PHASE_RUNNING || seen->phase == PHASE_UNKNOWN;
}

/* What a device says of an application before it has started. */
static bool
is_early(const struct app_report *r)
{
	return r->state == APP_UNKNOWN || r->state == APP_PREPARING ||
	    r->state == APP_STARTING;
}

/*
 * Whether it ever ran here: a report that is missing, or that says nothing
 * yet, takes none of that back.
 */
static bool
has_run(const struct podstatus_in *in, const struct view *v)
{
	const struct app_report *r = in->report;

	if (!v->begun)
		return false;
	if (was_seen(in) || (r != NULL && r->state == APP_RUNNING))
		return true;
	return in->applied && (r == NULL || !is_early(r));
}

static void
view_pending(struct view *v)
{
	v->phase = PHASE_PENDING;
	v->shape = SHAPE_CREATING;
}

/* A pod's containers, by how they are counted in a report. */
struct counts {
	uint32_t inits; /* sidecars too */
	uint32_t lasting;
	uint32_t all;
};

static struct counts
count(const struct pod *pod)
{
	struct counts n = { 0 };
	size_t i;

	for (i = 0; i < pod->ncontainers; i++) {
		n.all++;
		n.inits += pod->containers[i].init;
		n.lasting +=
		    !pod->containers[i].init || pod->containers[i].sidecar;
	}
	return n;
}

/* Of the first n init containers, those that go on. */
static uint32_t
sidecars_of(const struct pod *pod, uint32_t n)
{
	uint32_t i, sidecars = 0;

	for (i = 0; i < n; i++)
		sidecars += pod->containers[i].sidecar;
	return sidecars;
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/*
 * With several containers there is one that keeps the pod, and it is counted;
 * so are, among those that have started, init containers that have ended.
 */
static uint32_t
started_of(const struct app_report *r)
{
	return r == NULL || r->of == 0 ? 0 : r->of - 1u;
}

int
podstatus_has_begun(const struct pod *pod, const struct app_report *r)
{
	uint32_t inits = count(pod).inits;

	return inits == 0 || started_of(r) > inits ||
	    pod->seen.cond[COND_INITIALIZED].status == TRUTH_TRUE;
}

static void
view_counts(const struct podstatus_in *in, struct view *v)
{
	const struct app_report *r = in->report;
	struct counts n = count(in->pod);
	uint32_t of = started_of(r);
	uint32_t done = in->pod->seen.init_done;

	v->begun |= podstatus_has_begun(in->pod, r) != 0;
	/* What was told has started, though the report forgot it. */
	v->init_started = larger(of, done > 0 ? done + 1 : 0);
	if (v->init_started > n.inits)
		v->init_started = n.inits;
	if (v->begun || r == NULL || v->init_started == 0)
		return;
	v->init_fails = r->restarts > 0 &&
	    r->ready < 2 + sidecars_of(in->pod, v->init_started - 1);
}

static bool
is_ready(const struct podstatus_in *in)
{
	const struct app_report *r = in->report;
	struct counts n = count(in->pod);

	if (n.all == 1)
		return r->of > 0 && r->ready == r->of;
	return r->of > n.all && r->ready > n.lasting;
}

/*
 * For up to a status interval after the agent's own restart nothing, or
 * Unknown, is reported of what runs on: it is as ready as it was last.
 */
static void
view_silence(const struct podstatus_in *in, struct view *v)
{
	if (!in->unreported) {
		v->ready = in->state == RUNNING && in->applied &&
		    in->pod->seen.cond[COND_READY].status == TRUTH_TRUE;
		return;
	}
	v->reason = v->unready = "StatusNotReported";
	v->message = "the device runs its version and reports nothing of the "
		     "application";
}

/*
 * States flicker, and Unknown means that the agent has seen nothing yet, or
 * has forgotten it: what ran once is taken for running until it is said to
 * have failed, or to have ended although it never should.
 */
static void
view_report(const struct podstatus_in *in, struct view *v)
{
	const struct app_report *r = in->report;

	if (!v->begun) {
		view_pending(v);
		return;
	}
	v->phase = PHASE_RUNNING;
	v->shape = SHAPE_RUNS;
	if (r == NULL) {
		view_silence(in, v);
		return;
	}
	switch (r->state) {
	case APP_RUNNING:
		v->ready = is_ready(in);
		return;
	case APP_ERROR:
		if (in->pod->restart != RESTART_NEVER)
			v->shape = SHAPE_FAILS;
		return;
	case APP_COMPLETED:
		if (in->pod->restart == RESTART_ALWAYS)
			v->shape = SHAPE_ENDS;
		return;
	case APP_UNKNOWN:
		if (was_seen(in))
			view_silence(in, v);
		else
			view_pending(v);
		return;
	case APP_PREPARING:
	case APP_STARTING:
		if (!was_seen(in))
			view_pending(v);
		return;
	case APP_STOPPING:
	case APP_STOPPED:
	case APP_STATE_COUNT:
		return;
	}
}

/* Sent, but this content is not known to be applied. */
static void
view_underway(const struct podstatus_in *in, struct view *v)
{
	if (in->report != NULL && has_run(in, v)) {
		view_report(in, v);
		return;
	}
	view_pending(v);
	if (has_run(in, v))
		v->phase = PHASE_RUNNING;
}

/* Every container has ended for good; the report may have forgotten how. */
static void
view_end(const struct podstatus_in *in, struct view *v)
{
	bool failed;

	if (is_terminal(in->pod->seen.phase))
		failed = in->pod->seen.phase == PHASE_FAILED;
	else if (in->report != NULL && in->report->state == APP_COMPLETED)
		failed = false;
	else
		failed = in->pod->restart == RESTART_NEVER;
	v->begun |= !failed;
	v->phase = failed ? PHASE_FAILED : PHASE_SUCCEEDED;
	v->shape = failed ? SHAPE_FAILED : SHAPE_COMPLETED;
	v->unready = failed ? "PodFailed" : "PodCompleted";
}

/* It was taken off its device, or never came to one. */
static void
view_deadline(const struct podstatus_in *in, struct view *v)
{
	v->shape = has_run(in, v) ? SHAPE_FAILED : SHAPE_CREATING;
	v->phase = PHASE_FAILED;
	v->reason = DEADLINE_REASON;
	v->message = DEADLINE_TEXT;
	v->unready = "PodFailed";
}

/* Nobody hears from the device: what was last said stays, marked unknown. */
static void
view_lost(const struct podstatus_in *in, struct view *v, const char *reason)
{
	view_underway(in, v);
	if (v->reason == NULL)
		v->reason = reason;
	v->unready = reason;
	v->unheard = has_run(in, v);
	if (v->unheard)
		v->phase = PHASE_UNKNOWN;
}

static void
view_state(const struct podstatus_in *in, struct view *v)
{
	switch (in->state) {
	case WAITING:
		view_pending(v);
		return;
	case LOOKING:
	case FREE:
	case LEAVING:
	case SENDING:
	case STARTING:
	case DRAINING:
	case RETREAT:
		view_underway(in, v);
		return;
	case RUNNING:
	case REPLACING:
	case FELL_BACK:
		view_report(in, v);
		return;
	case LOST:
		view_lost(in, v, "DeviceDisconnected");
		return;
	case EVICTING:
		view_lost(in, v, "DeviceTimeoutExceeded");
		return;
	case HELD:
		view_underway(in, v);
		v->unready = "DeviceFrozen";
		v->unheard = has_run(in, v);
		return;
	case DONE:
		view_end(in, v);
		return;
	case TIMED_OUT:
		view_deadline(in, v);
		return;
	case LIFE_NSTATES:
		view_pending(v);
		return;
	}
}

static void
view_device(const struct podstatus_in *in, struct view *v)
{
	if (in->device == NULL) {
		v->cond[COND_DEVICE] = TRUTH_FALSE;
		v->device = "NoDevice";
	} else if (in->state == HELD) {
		/* Its clock does not run: this is no disconnect. */
		v->cond[COND_DEVICE] = TRUTH_TRUE;
		v->device = "DeviceFrozen";
	} else if (in->connected) {
		v->cond[COND_DEVICE] = TRUTH_TRUE;
		v->device =
		    in->owner != NULL ? "DeviceOwned" : "DeviceConnected";
	} else {
		v->cond[COND_DEVICE] = TRUTH_UNKNOWN;
		v->device = "DeviceDisconnected";
	}
}

static void
view_conditions(const struct podstatus_in *in, struct view *v)
{
	v->cond[COND_SCHEDULED] = TRUTH_TRUE;
	v->cond[COND_SANDBOX] =
	    v->phase == PHASE_RUNNING || v->phase == PHASE_UNKNOWN ?
	    TRUTH_TRUE :
	    TRUTH_FALSE;
	v->cond[COND_INITIALIZED] = v->begun ? TRUTH_TRUE : TRUTH_FALSE;
	v->cond[COND_READY] = v->unheard ? TRUTH_UNKNOWN :
	    v->ready			 ? TRUTH_TRUE :
					   TRUTH_FALSE;
	v->cond[COND_CONTAINERS_READY] = v->cond[COND_READY];
	view_device(in, v);
}

void
podstatus_make(const struct podstatus_in *in, struct podstatus *out)
{
	struct view v = { .reason = in->reason,
		.message = in->message,
		.unready = "ContainersNotReady" };

	view_counts(in, &v);
	if (in->final_failed && !is_terminal(in->pod->seen.phase)) {
		v.phase = PHASE_FAILED;
		v.shape = SHAPE_UNSAID;
		v.unready = "PodFailed";
	} else if (is_terminal(in->pod->seen.phase)) {
		view_end(in, &v);
	} else {
		view_state(in, &v);
	}
	view_conditions(in, &v);
	status_json(in, &v, out);
}

void
podstatus_clear(struct podstatus *s)
{
	free(s->json);
	*s = (struct podstatus){ 0 };
}

int
podstatus_is_told(const struct podstatus *s, const struct pod *pod)
{
	const struct pod_seen *a = &s->says, *b = &pod->seen;
	size_t i;

	/* After the last phase there is nothing to add. */
	if (is_terminal(b->phase))
		return 1;
	for (i = 0; i < COND_COUNT; i++)
		if (a->cond[i].status != b->cond[i].status)
			return 0;
	return a->phase == b->phase && a->restarts == b->restarts &&
	    a->init_restarts == b->init_restarts &&
	    a->init_done == b->init_done && a->reasons == b->reasons &&
	    (a->running_ms != 0) == (b->running_ms != 0) &&
	    (a->finished_ms != 0) == (b->finished_ms != 0);
}
