/* SPDX-License-Identifier: ISC */
/*
 * status_json.c: one PodStatus as a strategic merge patch.
 *
 * Owns its form: a reason that no longer holds is a null (the patch merges
 * conditions by type), containerStatuses are always whole, times stay where
 * what they time stays.  Exit codes that the device does not report are 0 for
 * what completed, 1 with a message for what failed.  Never an address.
 */
#include "placer/status_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/jmake.h"
#include "common/jread.h"
#include "common/stamp.h"
#include "common/xmem.h"

#define FAILED_TEXT "exit code not reported by the device"

static void
put_text(struct json_object *j, const char *key, const char *text)
{
	if (text == NULL || *text == '\0')
		jmake_null(j, key);
	else
		jmake_str(j, key, text);
}

void
status_time(struct json_object *j, const char *key, int64_t ms)
{
	char text[STAMP_SIZE];

	stamp_format(ms, text);
	jmake_str(j, key, text);
}

/* Why a condition is not True, or that all has ended. */
static const char *
reason_of(const struct view *v, enum pod_condition c)
{
	switch (c) {
	case COND_DEVICE:
		return v->device;
	case COND_READY:
	case COND_CONTAINERS_READY:
		return v->cond[c] == TRUTH_TRUE ? NULL : v->unready;
	case COND_INITIALIZED:
		if (v->cond[c] != TRUTH_TRUE)
			return "ContainersNotInitialized";
		return v->phase == PHASE_SUCCEEDED ? "PodCompleted" : NULL;
	case COND_SCHEDULED:
	case COND_SANDBOX:
	case COND_COUNT:
		return NULL;
	}
	return NULL;
}

/* Init containers start in their order, so that the i-th has not ended. */
static bool
is_incomplete(const struct view *v, const struct pod_container *c, size_t i)
{
	return c->init && !v->begun && i + 1 >= v->init_started;
}

static bool
is_unready(const struct view *v, const struct pod_container *c, size_t i)
{
	return c->init ? c->sidecar && is_incomplete(v, c, i) : !v->ready;
}

/* As a kubelet: "containers with unready status: [a b]". */
static char *
message_of_those(const struct pod *pod, const struct view *v, const char *how,
    bool (*those)(const struct view *, const struct pod_container *, size_t))
{
	size_t size = sizeof("containers with  status: []") + strlen(how), i;
	const char *blank = "";
	char *message, *at;

	for (i = 0; i < pod->ncontainers; i++)
		size += strlen(pod->containers[i].name) + 1;
	message = xmalloc(size);
	at = stpcpy(message, "containers with ");
	at = stpcpy(stpcpy(at, how), " status: [");
	for (i = 0; i < pod->ncontainers; i++) {
		if (!those(v, &pod->containers[i], i))
			continue;
		at = stpcpy(stpcpy(at, blank), pod->containers[i].name);
		blank = " ";
	}
	(void)stpcpy(at, "]");
	return message;
}

/* Why a condition is not True.  The caller frees it; NULL: none. */
static char *
message_of(const struct podstatus_in *in, const struct view *v,
    enum pod_condition c)
{
	const char *reason = reason_of(v, c);

	if (c == COND_DEVICE)
		return in->device == NULL ?
		    NULL :
		    xasprintf("device %s%s%s", in->device,
			in->owner != NULL ? ", owned by " : "",
			in->owner != NULL ? in->owner : "");
	if (v->cond[c] == TRUTH_TRUE || c == COND_SANDBOX)
		return NULL;
	if (c == COND_INITIALIZED && v->shape != SHAPE_UNSAID)
		return message_of_those(in->pod, v, "incomplete",
		    is_incomplete);
	if (reason != NULL && strcmp(reason, "ContainersNotReady") == 0)
		return message_of_those(in->pod, v, "unready", is_unready);
	return v->message == NULL ? NULL : xstrdup(v->message);
}

static void
put_conditions(struct json_object *status, const struct podstatus_in *in,
    const struct view *v)
{
	struct json_object *list = jmake_list(status, "conditions"), *j;
	const struct pod_seen *seen = &in->pod->seen;
	size_t i;

	for (i = 0; i < COND_COUNT; i++) {
		AUTO_FREE char *message =
		    message_of(in, v, (enum pod_condition)i);

		j = jmake_item(list);
		jmake_str(j, "type", pod_condition_type((enum pod_condition)i));
		jmake_str(j, "status", pod_truth_name(v->cond[i]));
		jmake_int(j, "observedGeneration",
		    (int64_t)in->pod->generation);
		put_text(j, "reason", reason_of(v, (enum pod_condition)i));
		put_text(j, "message", message);
		jmake_null(j, "lastProbeTime");
		status_time(j, "lastTransitionTime",
		    seen->cond[i].status == v->cond[i] &&
			    seen->cond[i].since_ms > 0 ?
			seen->cond[i].since_ms :
			in->now.wall_ms);
	}
	status_resize(list, in);
}

static int64_t
started_ms(const struct podstatus_in *in, uint32_t restarts)
{
	const struct pod_seen *seen = &in->pod->seen;

	if (restarts > seen->restarts)
		return in->now.wall_ms;
	if (seen->started_ms != 0)
		return seen->started_ms;
	return in->running_ms != 0 ? in->running_ms : in->now.wall_ms;
}

/* One that was said to wait after a run runs again from now on. */
static int64_t
runs_since_ms(const struct podstatus_in *in, const struct pod_container *from,
    uint32_t restarts)
{
	return from->last.to_ms != 0 && from->ran_ms == 0 ?
	    in->now.wall_ms :
	    started_ms(in, restarts);
}

const struct ended *
status_ended(const struct podstatus_in *in, const struct pod_container *c)
{
	const struct ended *e = NULL;

	if (in->state == TIMED_OUT)
		return NULL;
	if (in->exits != NULL)
		e = exits_find(in->exits, in->app, c->name);
	return e == NULL && c->told.known ? &c->told : e;
}

void
status_exit(struct json_object *t, const struct ended *e, int failed)
{
	int code = e != NULL ? e->code : failed;

	jmake_int(t, "exitCode", code);
	jmake_str(t, "reason",
	    e != NULL && e->oom ? "OOMKilled" :
		code != 0	? "Error" :
				  "Completed");
}

static struct json_object *
put_terminated(struct json_object *j, const struct ended *e, int failed)
{
	struct json_object *t = jmake_in(j, "terminated");

	status_exit(t, e, failed);
	jmake_str(t, "message", failed && e == NULL ? FAILED_TEXT : NULL);
	return t;
}

static void
put_end(struct json_object *j, const struct podstatus_in *in,
    const struct pod_container *from, const struct ended *e, int failed)
{
	struct json_object *t = put_terminated(j, e, failed);

	status_time(t, "startedAt", started_ms(in, 0));
	status_time(t, "finishedAt",
	    from->told_ms != 0 ? from->told_ms : in->now.wall_ms);
}

/*
 * It does not start again, while others of its pod run: the report tells of all
 * of them together, its own end does not.
 */
static int
is_over(const struct podstatus_in *in, const struct view *v,
    const struct ended *e)
{
	return v->shape == SHAPE_RUNS && e != NULL &&
	    in->pod->ncontainers > 1 &&
	    (in->pod->restart == RESTART_NEVER ||
		(in->pod->restart == RESTART_ON_FAILURE && e->code == 0));
}

static const char *
waiting_reason(const struct podstatus_in *in, const struct view *v)
{
	if (v->shape == SHAPE_FAILS || v->shape == SHAPE_ENDS)
		return "CrashLoopBackOff";
	if (in->reason == NULL && v->init_started > 0 && !v->begun)
		return "PodInitializing";
	return in->reason != NULL ? in->reason : "ContainerCreating";
}

void
status_waiting(struct json_object *state, const char *reason,
    const char *message)
{
	struct json_object *j = jmake_in(state, "waiting");

	jmake_str(j, "reason", reason);
	jmake_str(j, "message", message);
}

/* Its run before this state ended after what the API says of the last one. */
static int
has_ended_anew(const struct podstatus_in *in, const struct view *v,
    const struct pod_container *from, uint32_t restarts)
{
	return from->last.to_ms == 0 || restarts > in->pod->seen.restarts ||
	    (v->shape != SHAPE_RUNS && from->ran_ms != 0);
}

/*
 * When a run began and ended is not reported: it ended by the time that we
 * first say so, and began when it was said to run, or, of one that nobody saw,
 * after the end of the one before.
 */
static void
put_last_times(struct json_object *t, const struct podstatus_in *in,
    const struct view *v, const struct pod_container *from, uint32_t restarts)
{
	int64_t from_ms = from->last.from_ms, to_ms = from->last.to_ms;

	if (has_ended_anew(in, v, from, restarts)) {
		from_ms = from->ran_ms != 0 ? from->ran_ms :
		    to_ms != 0		    ? to_ms :
					      in->running_ms;
		to_ms = in->now.wall_ms;
	}
	status_time(t, "startedAt",
	    from_ms != 0 && from_ms < to_ms ? from_ms : to_ms);
	status_time(t, "finishedAt", to_ms);
}

/*
 * Of one that runs again, or will.  What was told before holds until it ends
 * anew.
 */
static void
put_last(struct json_object *c, const struct podstatus_in *in,
    const struct view *v, const struct pod_container *from, uint32_t restarts)
{
	const struct ended *e = status_ended(in, from);
	struct json_object *j = jmake_in(c, "lastState"), *t;

	if (v->shape == SHAPE_FAILS)
		t = put_terminated(j, e == &from->told ? NULL : e, 1);
	else if (v->shape == SHAPE_ENDS)
		t = put_terminated(j, NULL, 0);
	else if (v->shape == SHAPE_RUNS && e != NULL &&
	    in->pod->restart != RESTART_NEVER && !is_over(in, v, e))
		t = put_terminated(j, e, 0);
	else
		return;
	put_last_times(t, in, v, from, restarts);
}

static void
put_state(struct json_object *c, const struct podstatus_in *in,
    const struct view *v, const struct pod_container *from, uint32_t restarts)
{
	struct json_object *state = jmake_in(c, "state"), *j;
	const struct ended *e = status_ended(in, from);

	switch (v->shape) {
	case SHAPE_RUNS:
		if (is_over(in, v, e)) {
			put_end(state, in, from, e, e->code != 0);
			break;
		}
		j = jmake_in(state, "running");
		status_time(j, "startedAt", runs_since_ms(in, from, restarts));
		break;
	case SHAPE_COMPLETED:
		put_end(state, in, from, NULL, 0);
		break;
	case SHAPE_FAILED:
		put_end(state, in, from, e, 1);
		break;
	case SHAPE_CREATING:
	case SHAPE_FAILS:
	case SHAPE_ENDS:
	case SHAPE_UNSAID:
		status_waiting(state, waiting_reason(in, v), in->message);
		break;
	}
	put_last(c, in, v, from, restarts);
}

/* Until the device has applied another image, the one that was told runs. */
static const char *
running_image(const struct view *v, const struct pod_container *from)
{
	return v->shape == SHAPE_RUNS && v->old_images &&
		from->told_image != NULL ?
	    from->told_image :
	    from->image;
}

/*
 * Restarts are reported for the application as a whole: the first container
 * is given all of them, so that their sum is right.
 */
static void
put_container(struct json_object *list, const struct podstatus_in *in,
    const struct view *v, const struct pod_container *from, uint32_t restarts,
    struct pod_seen *says)
{
	struct json_object *c = jmake_item(list);
	int over = is_over(in, v, status_ended(in, from));
	const char *image = running_image(v, from);

	jmake_str(c, "name", from->name);
	jmake_str(c, "image", image);
	jmake_str(c, "imageID", "");
	jmake_bool(c, "ready", v->ready && !over);
	jmake_bool(c, "started", v->shape == SHAPE_RUNS && !over);
	jmake_int(c, "restartCount", restarts);
	status_resources(c, in, from);
	put_state(c, in, v, from, restarts);
	says->restarts += restarts;
	says->images = pod_reasons_add(says->images, image);
	if (over || v->shape == SHAPE_COMPLETED || v->shape == SHAPE_FAILED)
		says->finished_ms = in->now.wall_ms;
	else if (v->shape == SHAPE_RUNS)
		says->running_ms = in->now.wall_ms;
	else
		says->reasons =
		    pod_reasons_add(says->reasons, waiting_reason(in, v));
}

static uint32_t
restarts_of(const struct podstatus_in *in)
{
	uint32_t n = in->report != NULL ? in->report->restarts : 0;
	const struct pod_seen *seen = &in->pod->seen;

	/* Those before it had begun were an init container's. */
	n = n > seen->init_restarts ? n - seen->init_restarts : 0;
	/* The agent counts anew after an update; Kubernetes never does. */
	return n > seen->restarts ? n : seen->restarts;
}

static void
put_containers(struct json_object *status, const struct podstatus_in *in,
    const struct view *v, struct pod_seen *says)
{
	struct json_object *list = jmake_list(status, "containerStatuses");
	const struct pod *pod = in->pod;
	uint32_t restarts = v->begun ? restarts_of(in) : in->pod->seen.restarts;
	size_t i;

	for (i = 0; i < pod->ncontainers && v->shape != SHAPE_UNSAID; i++) {
		if (pod->containers[i].init)
			continue;
		put_container(list, in, v, &pod->containers[i], restarts, says);
		restarts = 0;
	}
}

static uint64_t
mix(uint64_t h, const char *s)
{
	do {
		h = (h ^ (uint8_t)*s) * 0x100000001b3ULL;
	} while (*s++ != '\0');
	return h;
}

static int
is_time(const char *key)
{
	static const char *const times[] = { "startTime", "startedAt",
		"finishedAt", "lastTransitionTime" };
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (strcmp(key, times[i]) == 0)
			return 1;
	return 0;
}

/* Of everything but times.  The tree is ours and some six levels deep. */
static uint64_t
digest(struct json_object *j, uint64_t h)
{
	struct json_object *v;
	struct lh_entry *e = NULL;
	const char *key;
	size_t i;

	while (jread_next(j, &e, &key, &v))
		if (!is_time(key))
			h = digest(v, mix(h, key));
	for (i = 0; i < jread_count(j); i++)
		h = digest(jread_item(j, i), mix(h, "["));
	if (!json_object_is_type(j, json_type_object) &&
	    !json_object_is_type(j, json_type_array))
		h = mix(h, j == NULL ? "" : json_object_get_string(j));
	return h;
}

void
status_json(const struct podstatus_in *in, const struct view *v,
    struct podstatus *out)
{
	AUTO_JSON struct json_object *status = jmake_object();
	const struct pod_seen *seen = &in->pod->seen;
	size_t i;

	*out = (struct podstatus){ .phase = v->phase,
		.ready = v->cond[COND_READY] };
	out->says.phase = v->phase;
	out->says.reasons =
	    pod_reasons_add(pod_reasons_add(0, v->reason), v->device);
	for (i = 0; i < COND_COUNT; i++)
		out->says.cond[i].status = v->cond[i];
	jmake_int(status, "observedGeneration", (int64_t)in->pod->generation);
	jmake_str(status, "phase", pod_phase_name(v->phase));
	put_text(status, "reason", v->reason);
	put_text(status, "message", v->message);
	status_time(status, "startTime",
	    seen->start_ms != 0 ? seen->start_ms : in->now.wall_ms);
	put_conditions(status, in, v);
	status_init(status, in, v, &out->says);
	put_containers(status, in, v, &out->says);
	status_debuggers(status, in);
	out->digest = digest(status, 0xcbf29ce484222325ULL);
	out->json = jmake_text(&status);
}
