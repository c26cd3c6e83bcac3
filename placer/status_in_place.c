/* SPDX-License-Identifier: ISC */
/*
 * status_in_place.c: what is said about that which was asked of a pod after
 * its device took it (in_place.h).
 *
 * Owns the answers.  A container to look into a pod has ended before it began,
 * so that who waits for it waits no more; a resize is Infeasible, as a kubelet
 * says it.
 */
#include "common/jmake.h"
#include "placer/in_place.h"
#include "placer/seen.h"
#include "placer/status_json.h"

enum {
	NEVER_BEGAN = 128 /* the exit code of a container that did not start */
};

static void
put_debugger(struct json_object *list, const struct podstatus_in *in,
    const struct pod_debugger *d)
{
	int64_t ms = d->told_ms != 0 ? d->told_ms : in->now.wall_ms;
	struct json_object *c = jmake_item(list), *t;

	jmake_str(c, "name", d->name);
	jmake_str(c, "image", d->image);
	jmake_str(c, "imageID", "");
	jmake_bool(c, "ready", 0);
	jmake_int(c, "restartCount", 0);
	t = jmake_in(jmake_in(c, "state"), "terminated");
	jmake_int(t, "exitCode", NEVER_BEGAN);
	jmake_str(t, "reason", IN_PLACE_DEBUGGER);
	jmake_str(t, "message", IN_PLACE_DEBUGGER_TEXT);
	status_time(t, "startedAt", ms);
	status_time(t, "finishedAt", ms);
}

void
status_debuggers(struct json_object *status, const struct podstatus_in *in)
{
	struct json_object *list;
	size_t i;

	if (in->pod->ndebuggers == 0)
		return;
	list = jmake_list(status, "ephemeralContainerStatuses");
	for (i = 0; i < in->pod->ndebuggers; i++)
		put_debugger(list, in, &in->pod->debuggers[i]);
}

void
status_resize(struct json_object *conditions, const struct podstatus_in *in)
{
	struct json_object *j;

	if (!in->pod->resized && !in->pod->seen.resize_pending)
		return;
	j = jmake_item(conditions);
	if (!in->pod->resized)
		jmake_str(j, "$patch", "delete");
	jmake_str(j, "type", SEEN_RESIZE_PENDING);
	if (!in->pod->resized)
		return;
	jmake_str(j, "status", "True");
	jmake_int(j, "observedGeneration", (int64_t)in->pod->generation);
	jmake_str(j, "reason", "Infeasible");
	jmake_str(j, "message", IN_PLACE_RESIZE_TEXT);
	status_time(j, "lastTransitionTime", in->now.wall_ms);
}

void
status_resources(struct json_object *status, const struct podstatus_in *in,
    const struct pod_container *c)
{
	struct json_object *r;

	if (in->device == NULL || c->resources == NULL ||
	    (r = jread_parse(span_of(c->resources), NULL)) == NULL)
		return;
	jmake_put(status, "resources", &r);
}
