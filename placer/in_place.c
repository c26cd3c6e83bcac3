/* SPDX-License-Identifier: ISC */
/*
 * in_place.c: undoes what was asked of a pod after its device took it.
 *
 * Owns where that is remembered: containerStatuses[].resources.
 */
#include "placer/in_place.h"

#include "common/quantity.h"

static int
are_quantities(struct json_object *list)
{
	struct json_object *v;
	struct lh_entry *e = NULL;
	const char *key;
	int64_t n;

	while (jread_next(list, &e, &key, &v))
		if (!json_object_is_type(v, json_type_string) ||
		    quantity_milli(span_of(json_object_get_string(v)), &n) ==
			-1 ||
		    n < 0)
			return 0;
	return 1;
}

static struct json_object *
told(struct json_object *statuses, const char *name)
{
	struct json_object *r =
	    jread_member(jread_find(statuses, "name", name), "resources");

	return json_object_is_type(r, json_type_object) &&
		are_quantities(jread_member(r, "limits")) &&
		are_quantities(jread_member(r, "requests")) ?
	    r :
	    NULL;
}

static int
put_back(struct json_object *containers, struct json_object *statuses)
{
	struct json_object *c, *had;
	int resized = 0;
	size_t i;

	for (i = 0; i < jread_count(containers); i++) {
		c = jread_item(containers, i);
		had = told(statuses, jread_string(jread_member(c, "name")));
		if (had == NULL ||
		    json_object_equal(had, jread_member(c, "resources")))
			continue;
		json_object_object_add(c, "resources", json_object_get(had));
		resized = 1;
	}
	return resized;
}

int
in_place_undo(struct json_object *pod)
{
	struct json_object *spec = jread_member(pod, "spec");
	struct json_object *status = jread_member(pod, "status");

	if (!json_object_is_type(spec, json_type_object))
		return 0;
	json_object_object_del(spec, "ephemeralContainers");
	return put_back(jread_member(spec, "initContainers"),
		   jread_member(status, "initContainerStatuses")) |
	    put_back(jread_member(spec, "containers"),
		jread_member(status, "containerStatuses"));
}
