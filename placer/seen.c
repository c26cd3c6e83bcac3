/* SPDX-License-Identifier: ISC */
/*
 * seen.c: reads a Pod's status.
 *
 * Owns the words of phases, conditions and their truth.  Never fails: any
 * client with the right may have written any nonsense there, and our next
 * status replaces it.
 */
#include "placer/seen.h"

#include <string.h>

#include "common/stamp.h"

static const char *const phases[] = {
	[PHASE_NONE] = "",
	[PHASE_PENDING] = "Pending",
	[PHASE_RUNNING] = "Running",
	[PHASE_SUCCEEDED] = "Succeeded",
	[PHASE_FAILED] = "Failed",
	[PHASE_UNKNOWN] = "Unknown",
};

static const char *const truths[] = {
	[TRUTH_ABSENT] = "",
	[TRUTH_TRUE] = "True",
	[TRUTH_FALSE] = "False",
	[TRUTH_UNKNOWN] = "Unknown",
};

static const char *const conditions[] = {
#define X(name, type) [COND_##name] = type,
	POD_CONDITIONS(X)
#undef X
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
pod_phase_name(enum pod_phase phase)
{
	return phases[phase];
}

const char *
pod_condition_type(enum pod_condition cond)
{
	return conditions[cond];
}

const char *
pod_truth_name(enum truth t)
{
	return truths[t];
}

uint64_t
pod_reasons_add(uint64_t h, const char *reason)
{
	if (reason == NULL || *reason == '\0')
		return h;
	do {
		h = (h ^ (uint8_t)*reason) * 0x100000001b3ULL + 1;
	} while (*reason++ != '\0');
	return h;
}

static int64_t
time_of(struct json_object *j, const char *key)
{
	const char *s = jread_string(jread_member(j, key));
	int64_t ms = s == NULL ? 0 : stamp_parse(s);

	return ms < 0 ? 0 : ms;
}

static void
read_condition(struct json_object *j, struct pod_seen *seen)
{
	const char *type = jread_string(jread_member(j, "type"));
	size_t i = jread_word(conditions, COND_COUNT, type, COND_COUNT);

	seen->resize_pending |=
	    type != NULL && strcmp(type, SEEN_RESIZE_PENDING) == 0;
	if (i == COND_COUNT)
		return;
	seen->cond[i].status = (enum truth)jread_word(truths, COUNT(truths),
	    jread_string(jread_member(j, "status")), TRUTH_ABSENT);
	seen->cond[i].since_ms = time_of(j, "lastTransitionTime");
	if (i == COND_DEVICE)
		seen->reasons = pod_reasons_add(seen->reasons,
		    jread_string(jread_member(j, "reason")));
}

static void
earliest(int64_t *of, int64_t ms)
{
	if (ms != 0 && (*of == 0 || ms < *of))
		*of = ms;
}

static uint32_t
restarts_of(struct json_object *j)
{
	struct json_object *count = jread_member(j, "restartCount");

	if (!json_object_is_type(count, json_type_int) ||
	    json_object_get_int(count) <= 0)
		return 0;
	return (uint32_t)json_object_get_int(count);
}

static void
read_reason(struct json_object *state, struct pod_seen *seen)
{
	seen->reasons = pod_reasons_add(seen->reasons,
	    jread_string(
		jread_member(jread_member(state, "waiting"), "reason")));
}

static void
read_init(struct json_object *j, struct pod_seen *seen)
{
	struct json_object *state = jread_member(j, "state");

	seen->init_restarts += restarts_of(j);
	seen->init_done += jread_member(state, "terminated") != NULL ||
	    json_object_get_boolean(jread_member(j, "started"));
	read_reason(state, seen);
}

static void
read_container(struct json_object *j, struct pod_seen *seen)
{
	struct json_object *state = jread_member(j, "state");
	int64_t ms;

	ms = time_of(jread_member(state, "running"), "startedAt");
	earliest(&seen->running_ms, ms);
	earliest(&seen->started_ms, ms);
	ms = time_of(jread_member(state, "terminated"), "startedAt");
	earliest(&seen->started_ms, ms);
	ms = time_of(jread_member(state, "terminated"), "finishedAt");
	if (ms > seen->finished_ms)
		seen->finished_ms = ms;
	seen->restarts += restarts_of(j);
	seen->images = pod_reasons_add(seen->images,
	    jread_string(jread_member(j, "image")));
	read_reason(state, seen);
}

static uint64_t
generation_of(struct json_object *status)
{
	struct json_object *n = jread_member(status, "observedGeneration");

	if (!json_object_is_type(n, json_type_int) ||
	    json_object_get_int64(n) <= 0)
		return 0;
	return (uint64_t)json_object_get_int64(n);
}

void
seen_read(struct json_object *status, struct pod_seen *seen)
{
	struct json_object *list;
	size_t i;

	memset(seen, 0, sizeof(*seen));
	seen->phase = (enum pod_phase)jread_word(phases, COUNT(phases),
	    jread_string(jread_member(status, "phase")), PHASE_NONE);
	seen->generation = generation_of(status);
	seen->start_ms = time_of(status, "startTime");
	seen->reasons =
	    pod_reasons_add(0, jread_string(jread_member(status, "reason")));
	list = jread_member(status, "conditions");
	for (i = 0; i < jread_count(list); i++)
		read_condition(jread_item(list, i), seen);
	list = jread_member(status, "initContainerStatuses");
	for (i = 0; i < jread_count(list); i++)
		read_init(jread_item(list, i), seen);
	list = jread_member(status, "containerStatuses");
	for (i = 0; i < jread_count(list); i++)
		read_container(jread_item(list, i), seen);
}

/* What has a message was not reported (status_json.c). */
static void
read_end(struct json_object *j, struct pod_container *c)
{
	struct json_object *state = jread_member(j, "state");
	struct json_object *t = jread_member(state, "terminated");
	struct json_object *last =
	    jread_member(jread_member(j, "lastState"), "terminated");
	struct json_object *code;
	const char *reason;

	c->ran_ms = time_of(jread_member(state, "running"), "startedAt");
	c->last.from_ms = time_of(last, "startedAt");
	c->last.to_ms = time_of(last, "finishedAt");
	if (t != NULL)
		c->told_ms = time_of(t, "finishedAt");
	else
		t = last;
	code = jread_member(t, "exitCode");
	reason = jread_string(jread_member(t, "reason"));
	if (!json_object_is_type(code, json_type_int) ||
	    json_object_get_int(code) < 0 ||
	    json_object_get_int(code) > UINT8_MAX ||
	    jread_member(t, "message") != NULL)
		return;
	c->told.known = 1;
	c->told.code = (uint8_t)json_object_get_int(code);
	c->told.oom = reason != NULL && strcmp(reason, "OOMKilled") == 0;
}

static struct json_object *
status_of(struct json_object *status, const struct pod_container *c)
{
	return jread_find(jread_member(status,
			      c->init ? "initContainerStatuses" :
					"containerStatuses"),
	    "name", c->name);
}

const char *
seen_image(struct json_object *status, const struct pod_container *c)
{
	const char *image =
	    jread_string(jread_member(status_of(status, c), "image"));

	return image != NULL && *image != '\0' ? image : NULL;
}

/* Of another image nothing is taken. */
void
seen_ends(struct json_object *status, struct pod_container *c, size_t n)
{
	struct json_object *j;
	const char *image;

	for (; n > 0; n--, c++) {
		j = status_of(status, c);
		image = jread_string(jread_member(j, "image"));
		if (image != NULL && strcmp(image, c->image) == 0)
			read_end(j, c);
	}
}

int64_t
seen_debugger(struct json_object *status, const char *name)
{
	struct json_object *j =
	    jread_find(jread_member(status, "ephemeralContainerStatuses"),
		"name", name);

	return time_of(jread_member(jread_member(j, "state"), "terminated"),
	    "finishedAt");
}
