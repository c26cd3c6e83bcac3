/* SPDX-License-Identifier: ISC */
/*
 * golden_flight_diff.c: a recorded body against a live one.
 *
 * Owns the list of members whose values are each service's own: moments,
 * versions of rows, identifiers, certificates.  All other values are compared.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/golden_flight.h"

struct diff {
	flight_found *fn;
	void *arg;
	int shape_only;
};

/* Their types are compared, not their values. */
static const char *const own[] = { "creationTimestamp", "lastTransitionTime",
	"resourceVersion", "approvedAt", "lastSeen", "certificate", "csr",
	"request", "event-controller/requestID", "sub",
	"certificate-authority-data", "server", "enrollment-ui-endpoint" };

static int
is_own(const char *where)
{
	const char *last = strrchr(where, '/');
	size_t i;

	if (strstr(where, "/event-controller/requestID") != NULL)
		return 1;
	for (i = 0; last != NULL && i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(last + 1, own[i]) == 0)
			return 1;
	return 0;
}

/* Counts by word: their members depend on what else is there. */
static int
is_count(const char *where)
{
	static const char *const counts[] = { "applicationStatus",
		"summaryStatus", "updateStatus" };
	const char *last = strrchr(where, '/');
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (last != NULL && strcmp(last + 1, counts[i]) == 0)
			return 1;
	return 0;
}

static void compare(const struct diff *, const char *where,
    struct json_object *recorded, struct json_object *live);

static void
compare_objects(const struct diff *d, const char *where,
    struct json_object *recorded, struct json_object *live)
{
	struct json_object_iter it;
	struct json_object *v;

	json_object_object_foreachC(recorded, it)
	{
		AUTO_FREE char *at = xasprintf("%s/%s", where, it.key);

		if (json_object_object_get_ex(live, it.key, &v))
			compare(d, at, it.val, v);
		else
			d->fn(at, "missing", it.val, NULL, d->arg);
	}
	json_object_object_foreachC(live, it)
	{
		AUTO_FREE char *at = xasprintf("%s/%s", where, it.key);

		if (!json_object_object_get_ex(recorded, it.key, NULL))
			d->fn(at, "extra", NULL, it.val, d->arg);
	}
}

static void
compare_arrays(const struct diff *d, const char *where,
    struct json_object *recorded, struct json_object *live)
{
	size_t n = json_object_array_length(recorded);
	size_t m = json_object_array_length(live), i;

	if (n != m && !d->shape_only)
		d->fn(where, "length", recorded, live, d->arg);
	if (d->shape_only && n > 1)
		n = 1;
	for (i = 0; i < n && i < m; i++) {
		AUTO_FREE char *at = xasprintf("%s/%zu", where, i);

		compare(d, at, json_object_array_get_idx(recorded, i),
		    json_object_array_get_idx(live, i));
	}
}

static int
is_uuid(struct json_object *v)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *s = json_object_get_string(v);
	size_t i;

	if (!json_object_is_type(v, json_type_string) ||
	    strlen(s) != strlen(form))
		return 0;
	for (i = 0; form[i] != '\0'; i++)
		if ((form[i] == '-') != (s[i] == '-') ||
		    strchr("-0123456789abcdef", s[i]) == NULL)
			return 0;
	return 1;
}

static void
compare(const struct diff *d, const char *where, struct json_object *recorded,
    struct json_object *live)
{
	enum json_type type = json_object_get_type(recorded);

	if (type != json_object_get_type(live))
		d->fn(where, "type", recorded, live, d->arg);
	else if (d->shape_only && is_count(where))
		return;
	else if (type == json_type_object)
		compare_objects(d, where, recorded, live);
	else if (type == json_type_array)
		compare_arrays(d, where, recorded, live);
	else if (!d->shape_only && !is_own(where) &&
	    !(is_uuid(recorded) && is_uuid(live)) &&
	    !json_object_equal(recorded, live))
		d->fn(where, "value", recorded, live, d->arg);
}

void
flight_diff(struct json_object *recorded, struct json_object *live,
    int shape_only, flight_found *fn, void *arg)
{
	const struct diff d = { fn, arg, shape_only };

	compare(&d, "", recorded, live);
}
