/* SPDX-License-Identifier: ISC */
/*
 * flight_spec.c: a spec as the service stores it and sends it back.
 *
 * Owns the order of its members: known ones by name, unknown ones dropped;
 * applications, config entries and monitors as jsonb has them, with the
 * defaults that were filled in.  Never refuses anything (flight_check.c).
 */
#include <json-c/json.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Plain structs: members by name. */
static void
write_struct(struct out *o, struct json_object *v)
{
	struct json_object_iter it;
	struct json_object *member;
	const char **keys;
	size_t i, n = 0;

	if (!json_object_is_type(v, json_type_object)) {
		out_jsonb(o, v);
		return;
	}
	keys = xcalloc((size_t)json_object_object_length(v), sizeof(*keys));
	json_object_object_foreachC(v, it)
	{
		if (it.val != NULL)
			keys[n++] = it.key;
	}
	qsort(keys, n, sizeof(*keys), by_bytes);
	out_open(o, '{');
	for (i = 0; i < n; i++) {
		json_object_object_get_ex(v, keys[i], &member);
		out_key(o, keys[i]);
		write_struct(o, member);
	}
	out_close(o, '}');
	free(keys);
}

/* A volume of an application that does not say what becomes of it. */
static void
default_volumes(struct json_object *app)
{
	struct json_object *volumes, *v;
	size_t i, n;

	if (!json_object_object_get_ex(app, "volumes", &volumes) ||
	    !json_object_is_type(volumes, json_type_array))
		return;
	n = json_object_array_length(volumes);
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(volumes, i);
		if (json_object_is_type(v, json_type_object) &&
		    !json_object_object_get_ex(v, "reclaimPolicy", NULL))
			json_object_object_add(v, "reclaimPolicy",
			    json_object_new_string("Retain"));
	}
}

static void
write_entries(struct out *o, struct json_object *list)
{
	struct json_object *v;
	size_t i, n = json_object_array_length(list);

	out_open(o, '[');
	for (i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		default_volumes(v);
		out_jsonb(o, v);
	}
	out_close(o, ']');
}

/* Of an operating system only the image is known. */
static void
write_os(struct out *o, struct json_object *v)
{
	const char *image = flight_get(v, "image");

	out_open(o, '{');
	if (image != NULL)
		out_member(o, "image", image);
	out_close(o, '}');
}

char *
flight_spec_text(struct json_object *spec)
{
	static const char *const members[] = { "applications", "config",
		"consoles", "decommissioning", "os", "resources", "systemd",
		"updatePolicy" };
	struct json_object *v;
	struct out o = { 0 };
	size_t i;

	out_open(&o, '{');
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!json_object_object_get_ex(spec, members[i], &v) ||
		    v == NULL)
			continue;
		out_key(&o, members[i]);
		if (json_object_is_type(v, json_type_array))
			write_entries(&o, v);
		else if (strcmp(members[i], "os") == 0)
			write_os(&o, v);
		else
			write_struct(&o, v);
	}
	out_close(&o, '}');
	return out_take(&o);
}
