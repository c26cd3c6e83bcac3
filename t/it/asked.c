/* SPDX-License-Identifier: ISC */
/*
 * asked.c: what an audit log says that one account asked.
 *
 * Owns what a line of it means.  Never judges (rights.c).
 */
#include "t/it/asked.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/js.h"
#include "t/it/rbac.h"

#define ACCOUNT "system:serviceaccount:vk-flightctl:vk-flightctl-provider"

void
asked_begin(struct asked *a, const struct rights *granted)
{
	*a = (struct asked){ .granted = granted,
		.uses = xcalloc(granted->n, sizeof(*a->uses)),
		.foreign = json_object_new_object(),
		.refused = json_object_new_object() };
}

void
asked_clear(struct asked *a)
{
	free(a->uses);
	json_object_put(a->foreign);
	json_object_put(a->refused);
	*a = (struct asked){ 0 };
}

static void
note(struct json_object *set, const char *text)
{
	struct json_object *n = json_object_object_get(set, text);

	json_object_object_add(set, text,
	    json_object_new_int64(json_object_get_int64(n) + 1));
}

/*
 * A server that has just started knows no rights for a moment, and in our own
 * namespace there are none at first: a 403 counts once the right was granted.
 */
static void
take_answer(struct asked *a, struct json_object *event, struct use *use,
    const char *call)
{
	int is_leaving = js_find(event, "/responseStatus/details/causes",
			     "reason", "NamespaceTerminating") != NULL;

	if (strcmp(js_str(event, "/annotations/authorization.k8s.io~1decision"),
		"allow") == 0) {
		use->allowed++;
		use->known = 1;
		if (js_int(event, "/responseStatus/code") == 403 && !is_leaving)
			note(a->refused, call);
	} else if (use->known) {
		note(a->refused, call);
	} else {
		a->early++;
	}
}

/* An answer that lasts is told when it begins, and when it ends. */
static int
is_told_before(struct json_object *event)
{
	return strcmp(js_str(event, "/verb"), "watch") == 0 &&
	    strcmp(js_str(event, "/stage"), "ResponseComplete") == 0;
}

/* What is no resource and nobody is refused (system:public-info-viewer). */
static int
is_public(struct json_object *event)
{
	return js_get(event, "/objectRef") == NULL &&
	    strcmp(js_str(event, "/requestURI"), "/version") == 0;
}

static void
take_call(struct asked *a, struct json_object *event)
{
	const char *sub = js_str(event, "/objectRef/subresource");
	AUTO_FREE char *resource = xasprintf("%s%s%s",
	    js_str(event, "/objectRef/resource"), *sub != '\0' ? "/" : "", sub);
	const struct right call = {
		.group = js_str(event, "/objectRef/apiGroup"),
		.resource = resource,
		.ns = js_str(event, "/objectRef/namespace"),
		.name = js_str(event, "/objectRef/name"),
		.verb = js_str(event, "/verb"),
	};
	const struct right *by = rbac_covers(a->granted, &call);
	AUTO_FREE char *text = rbac_text(&call);

	a->calls++;
	if (is_public(event))
		return;
	if (js_get(event, "/objectRef") == NULL)
		note(a->foreign, js_str(event, "/requestURI"));
	else if (by == NULL)
		note(a->foreign, text);
	else
		take_answer(a, event, &a->uses[by - a->granted->v], text);
}

static void
take_start(struct asked *a)
{
	size_t i;

	a->lives++;
	for (i = 0; i < a->granted->n; i++)
		a->uses[i].known = 0;
}

/* A server that was killed may leave half a line. */
void
asked_line(struct asked *a, const char *line)
{
	AUTO_JSON struct json_object *event = json_tokener_parse(line);

	if (event == NULL) {
		a->cut += *line != '\n';
		return;
	}
	if (strcmp(js_str(event, "/stage"), "Start") == 0)
		take_start(a);
	else if (strcmp(js_str(event, "/user/username"), ACCOUNT) == 0 &&
	    !is_told_before(event))
		take_call(a, event);
}
