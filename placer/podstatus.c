/* SPDX-License-Identifier: ISC */
/*
 * podstatus.c: what is said about a pod.
 *
 * Owns the facts of report.def, which says what they mean, and the pod's
 * conditions; status_json.c writes it down.  Flightctl reports an application
 * as a whole: with one container that is exact, with several (and an infra
 * container that is counted) only "all run" is.
 */
#include "placer/podstatus.h"

#include <stdbool.h>
#include <stdlib.h>

#include "placer/deadline.h"
#include "placer/report.h"
#include "placer/status_json.h"

/* Where a pod's life has brought it, and why nothing is heard there, or NULL.
 */
static const struct {
	enum report_stage stage;
	const char *unheard;
} lives[] = {
	[LOOKING] = { ON_ITS_WAY, NULL },
	[FREE] = { ON_ITS_WAY, NULL },
	[WAITING] = { NOWHERE, NULL },
	[SENDING] = { ON_ITS_WAY, NULL },
	[STARTING] = { ON_ITS_WAY, NULL },
	[RUNNING] = { IN_PLACE, NULL },
	[REPLACING] = { OLD_IMAGES, NULL },
	[FELL_BACK] = { OLD_IMAGES, NULL },
	[RETREAT] = { ON_ITS_WAY, NULL },
	[LOST] = { ON_ITS_WAY, "DeviceDisconnected" },
	[HELD] = { ON_ITS_WAY, "DeviceFrozen" },
	[DRAINING] = { ON_ITS_WAY, NULL },
	[EVICTING] = { ON_ITS_WAY, "DeviceTimeoutExceeded" },
	[DONE] = { FINISHED, NULL },
	[TIMED_OUT] = { OUT_OF_TIME, NULL },
	[LEAVING] = { ON_ITS_WAY, "DeviceDisconnected" },
};
_Static_assert(sizeof(lives) / sizeof(lives[0]) == LIFE_NSTATES,
    "each state of life has its stage");

static const enum report_word words[] = {
	[APP_UNKNOWN] = SAYS_UNKNOWN,
	[APP_PREPARING] = SAYS_PREPARING,
	[APP_STARTING] = SAYS_STARTING,
	[APP_RUNNING] = SAYS_RUNNING,
	[APP_STOPPING] = SAYS_STOPPING,
	[APP_STOPPED] = SAYS_STOPPED,
	[APP_ERROR] = SAYS_ERROR,
	[APP_COMPLETED] = SAYS_COMPLETED,
};
_Static_assert(sizeof(words) / sizeof(words[0]) == APP_STATE_COUNT,
    "each of Flightctl's words has its fact");

static const enum report_policy policies[] = {
	[RESTART_ALWAYS] = RESTARTS_ALWAYS,
	[RESTART_ON_FAILURE] = RESTARTS_ON_FAILURE,
	[RESTART_NEVER] = RESTARTS_NEVER,
};

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
 * Silence counts only where the pod should run: elsewhere there is more to say
 * than that nothing is said of it.
 */
static enum report_word
word_of(const struct podstatus_in *in, enum report_stage stage)
{
	const struct app_report *r = in->report;
	enum report_word w = r == NULL ? SAYS_NOTHING : words[r->state];

	if (w == SAYS_RUNNING && is_ready(in))
		return SAYS_READY;
	if ((w & (SAYS_NOTHING | SAYS_UNKNOWN)) && in->unreported &&
	    stage == IN_PLACE)
		return LONG_SILENCE;
	return w;
}

/*
 * What ran once has run, whatever the report has forgotten.  What the device
 * says of content that it is not known to have applied may be of another.
 */
static enum report_before
before(const struct podstatus_in *in, const struct view *v)
{
	const enum report_word early =
	    SAYS_UNKNOWN | SAYS_PREPARING | SAYS_STARTING;
	const struct app_report *r = in->report;

	if (in->pod->seen.phase == PHASE_FAILED)
		return TOLD_FAILED;
	if (in->pod->seen.phase == PHASE_SUCCEEDED)
		return TOLD_SUCCEEDED;
	if (!v->begun)
		return NOT_BEGUN;
	if (was_seen(in) || (r != NULL && r->state == APP_RUNNING))
		return HAS_RUN;
	return in->applied && r != NULL && !(words[r->state] & early) ?
	    HAS_RUN :
	    NEVER_RAN;
}

static void
view_ready(const struct podstatus_in *in, struct view *v, enum report_ready r)
{
	v->ready = r == READY_YES ||
	    (r == READY_AS_TOLD &&
		in->pod->seen.cond[COND_READY].status == TRUTH_TRUE);
	if (r != READY_UNREPORTED)
		return;
	v->reason = v->unready = "StatusNotReported";
	v->message = "the device runs its version and reports nothing of the "
		     "application";
}

static void
view_end(const struct podstatus_in *in, struct view *v)
{
	v->begun |= v->phase == PHASE_SUCCEEDED;
	v->unready = v->phase == PHASE_FAILED ? "PodFailed" : "PodCompleted";
	if (in->state != TIMED_OUT || is_terminal(in->pod->seen.phase))
		return;
	v->reason = DEADLINE_REASON;
	v->message = DEADLINE_TEXT;
}

/* One that leaves is told of only then, and looked at in between. */
static bool
is_unheard(const struct podstatus_in *in)
{
	return lives[in->state].unheard != NULL &&
	    (in->state != LEAVING || !in->connected);
}

/* Nobody hears from the device: what was last said stays, marked unknown. */
static void
view_unheard(const struct podstatus_in *in, struct view *v)
{
	v->unready = lives[in->state].unheard;
	v->unheard = v->phase == PHASE_RUNNING;
	if (in->state == HELD)
		return; /* by Flightctl, which goes on hearing from it */
	if (v->reason == NULL)
		v->reason = v->unready;
	if (v->unheard)
		v->phase = PHASE_UNKNOWN;
}

/* The number of the row that says it. */
static unsigned int
view_report(const struct podstatus_in *in, struct view *v)
{
	enum report_stage stage =
	    in->final_failed ? HOPELESS : lives[in->state].stage;
	struct report_facts f = { stage, word_of(in, stage),
		policies[in->pod->restart], before(in, v) };
	struct report_verdict verdict = report_decide(&f);

	v->phase = verdict.phase;
	v->shape = verdict.shape;
	view_ready(in, v, verdict.ready);
	if (is_terminal(v->phase))
		view_end(in, v);
	else if (is_unheard(in))
		view_unheard(in, v);
	return verdict.rule;
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

/*
 * A kubelet has made the pod's sandbox: the device fetches images or starts
 * containers.  Where nothing of that is heard, what was told stays.
 */
static bool
is_worked_on(const struct podstatus_in *in, const struct view *v)
{
	if (is_terminal(v->phase) || in->device == NULL)
		return false;
	if (v->phase == PHASE_RUNNING || v->phase == PHASE_UNKNOWN)
		return true;
	if (in->state == SENDING || in->state == RETREAT)
		return false;
	return in->works || v->init_started > 0 ||
	    in->pod->seen.cond[COND_SANDBOX].status == TRUTH_TRUE;
}

static void
view_conditions(const struct podstatus_in *in, struct view *v)
{
	v->cond[COND_SCHEDULED] = TRUTH_TRUE;
	v->cond[COND_SANDBOX] = is_worked_on(in, v) ? TRUTH_TRUE : TRUTH_FALSE;
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
	unsigned int rule;

	view_counts(in, &v);
	rule = view_report(in, &v);
	v.old_images = !in->applied || lives[in->state].stage == OLD_IMAGES;
	view_conditions(in, &v);
	status_json(in, &v, out);
	out->backs_off = v.shape == SHAPE_FAILS || v.shape == SHAPE_ENDS;
	out->rule = rule;
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

	for (i = 0; i < pod->ndebuggers; i++)
		if (pod->debuggers[i].told_ms == 0)
			return 0;
	if (pod->resized != b->resize_pending)
		return 0;
	/* After the last phase there is nothing to add. */
	if (is_terminal(b->phase))
		return 1;
	/* An apiserver that drops the field is not told for ever. */
	if (b->generation != 0 && b->generation != pod->generation)
		return 0;
	for (i = 0; i < COND_COUNT; i++)
		if (a->cond[i].status != b->cond[i].status)
			return 0;
	return a->phase == b->phase && a->restarts == b->restarts &&
	    a->init_restarts == b->init_restarts &&
	    a->init_done == b->init_done && a->reasons == b->reasons &&
	    a->images == b->images &&
	    (a->running_ms != 0) == (b->running_ms != 0) &&
	    (a->finished_ms != 0) == (b->finished_ms != 0);
}
