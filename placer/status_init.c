/* SPDX-License-Identifier: ISC */
/*
 * status_init.c: what is said about init containers.
 *
 * Owns initContainerStatuses.  A device reports how many containers of an
 * application have started, not which: init containers start in their order,
 * so the last that started is the one that counts.  When each ended is not
 * reported; the pod's start stands for it, and for a sidecar, which ends with
 * the pod, the present.
 */
#include "placer/status_json.h"

#include "common/jmake.h"

/* What the one at place i of them is doing. */
enum place {
	NOT_YET,
	NOW,
	OVER,
};

static enum place
place_of(const struct view *v, uint32_t i)
{
	if (v->begun || i + 1 < v->init_started)
		return OVER;
	return i + 1 == v->init_started ? NOW : NOT_YET;
}

/* to_ms 0: when it began */
static void
put_ended(struct json_object *state, const struct podstatus_in *in,
    const struct ended *e, int failed, int64_t to_ms)
{
	struct json_object *j = jmake_in(state, "terminated");
	int64_t ms = in->pod->seen.start_ms;

	if (ms == 0)
		ms = in->now.wall_ms;
	status_exit(j, e, failed);
	status_time(j, "startedAt", ms);
	status_time(j, "finishedAt", to_ms == 0 ? ms : to_ms);
}

static void
put_running(struct json_object *state, const struct podstatus_in *in)
{
	int64_t ms = in->pod->seen.start_ms;

	status_time(jmake_in(state, "running"), "startedAt",
	    ms != 0 ? ms : in->now.wall_ms);
}

/* A sidecar ends with its pod.  What it said then is nobody's failure. */
static int
has_stopped(const struct view *v, const struct pod_container *from,
    enum place place)
{
	return from->sidecar && place != NOT_YET &&
	    (v->phase == PHASE_SUCCEEDED || v->phase == PHASE_FAILED);
}

/* The words of a state; NULL: it is not waiting. */
static const char *
put_state(struct json_object *c, const struct podstatus_in *in,
    const struct view *v, const struct pod_container *from, enum place place)
{
	struct json_object *state = jmake_in(c, "state");
	const char *reason = NULL;

	if (has_stopped(v, from, place))
		put_ended(state, in, status_ended(in, from), 0,
		    from->told_ms != 0 ? from->told_ms : in->now.wall_ms);
	else if (v->shape == SHAPE_FAILED && place == NOW)
		put_ended(state, in, status_ended(in, from), 1, 0);
	else if (place == OVER && !from->sidecar)
		put_ended(state, in, NULL, 0, 0);
	else if (place == NOT_YET)
		reason = in->reason != NULL ? in->reason : "PodInitializing";
	else if (place == NOW && v->init_fails)
		reason = "CrashLoopBackOff";
	else
		put_running(state, in);
	if (reason != NULL)
		status_waiting(state, reason, in->message);
	if (place == NOW && v->init_fails)
		put_ended(jmake_in(c, "lastState"), in, status_ended(in, from),
		    1, 0);
	return reason;
}

static uint32_t
restarts_of(const struct podstatus_in *in, const struct view *v,
    enum place place)
{
	uint32_t n = in->pod->seen.init_restarts;

	if (place != NOW || v->begun || in->report == NULL ||
	    in->report->restarts < n)
		return n;
	return in->report->restarts;
}

static void
put_one(struct json_object *list, const struct podstatus_in *in,
    const struct view *v, const struct pod_container *from, uint32_t i,
    struct pod_seen *says)
{
	struct json_object *c = jmake_item(list);
	enum place place = place_of(v, i);
	/* All are given to the one that counts, so that their sum is right. */
	uint32_t restarts = place == NOW || (v->begun && i == 0) ?
	    restarts_of(in, v, place) :
	    0;
	int stopped = has_stopped(v, from, place);
	int started = from->sidecar && place != NOT_YET && !stopped;

	jmake_str(c, "name", from->name);
	jmake_str(c, "image", from->image);
	jmake_str(c, "imageID", "");
	jmake_bool(c, "ready", place == OVER && !stopped);
	jmake_bool(c, "started", started);
	jmake_int(c, "restartCount", restarts);
	status_resources(c, in, from);
	says->init_restarts += restarts;
	says->reasons =
	    pod_reasons_add(says->reasons, put_state(c, in, v, from, place));
	says->init_done += started || stopped ||
	    (!from->sidecar &&
		(place == OVER || (v->shape == SHAPE_FAILED && place == NOW)));
}

void
status_init(struct json_object *status, const struct podstatus_in *in,
    const struct view *v, struct pod_seen *says)
{
	const struct pod *pod = in->pod;
	struct json_object *list;
	uint32_t i;

	if (v->shape == SHAPE_UNSAID || pod->ncontainers == 0 ||
	    !pod->containers[0].init)
		return;
	list = jmake_list(status, "initContainerStatuses");
	for (i = 0; i < pod->ncontainers && pod->containers[i].init; i++)
		put_one(list, in, v, &pod->containers[i], i, says);
}
