/* SPDX-License-Identifier: ISC */
/*
 * base.c: cuts a Device into what a write needs.  Owns the checks that a
 * write is allowed at all; never looks into applications.
 */
#include "flightside/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/form.h"
#include "common/scan.h"

static int
bad(struct why *why, const struct base *b, const char *path)
{
	return fail(why, ERR_FORMAT,
	    "device %s: %s is malformed, absent or "
	    "there twice",
	    b->device[0] != '\0' ? b->device : "?", path);
}

/* A null counts as absent; opening: '{', '[' or '"', the type it must have. */
static int
part(struct span *out, struct span from, const char *name, char opening)
{
	struct span value;
	int rc = scan_get(from, &value, name, NULL);

	*out = (struct span){ NULL, 0 };
	if (rc == -1)
		return -1;
	if (rc == 0 || span_is(value, "null"))
		return 0;
	if (*value.p != opening)
		return -1;
	*out = value;
	return 1;
}

static int
read_generation(struct span metadata, struct base *b)
{
	char digits[21];
	struct span value;
	char *end;

	if (scan_get(metadata, &value, "generation", NULL) != 1 ||
	    value.len >= sizeof(digits) || *value.p == '-')
		return -1;
	memcpy(digits, value.p, value.len);
	digits[value.len] = '\0';
	errno = 0;
	b->generation = strtoull(digits, &end, 10);
	return *end == '\0' && errno == 0 ? 0 : -1;
}

static int
text(struct span from, const char *name, char *buf, size_t size, int needed)
{
	int rc = scan_get_string(from, buf, size, name, NULL);

	if (rc == 0)
		buf[0] = '\0';
	return rc == -1 || (rc == 0 && needed) ? -1 : 0;
}

static int
is_marked(struct span annotations, const char *name)
{
	char value[8];

	return scan_get_string(annotations, value, sizeof(value), name, NULL) ==
	    1 &&
	    strcmp(value, "true") == 0;
}

static int
read_metadata(struct span m, struct base *b, struct why *why)
{
	struct span notes;

	if (text(m, "name", b->device, sizeof(b->device), 1) == -1 ||
	    part(&b->name, m, "name", '"') != 1 ||
	    !form_is_subdomain(span_of(b->device)))
		return bad(why, b, "metadata.name");
	if (part(&b->version, m, "resourceVersion", '"') != 1)
		return bad(why, b, "metadata.resourceVersion");
	if (part(&b->labels, m, "labels", '{') == -1)
		return bad(why, b, "metadata.labels");
	if (text(m, "creationTimestamp", b->created, sizeof(b->created), 1) ==
	    -1)
		return bad(why, b, "metadata.creationTimestamp");
	if (text(m, "owner", b->owner, sizeof(b->owner), 0) == -1)
		return bad(why, b, "metadata.owner");
	if (read_generation(m, b) == -1)
		return bad(why, b, "metadata.generation");
	if (part(&notes, m, "annotations", '{') == -1)
		return bad(why, b, "metadata.annotations");
	if (notes.len > 0) {
		b->awaits_reconnect =
		    is_marked(notes, "device-controller/awaitingReconnect");
		b->conflict_paused =
		    is_marked(notes, "device-controller/conflictPaused");
	}
	return 0;
}

static int
read_spec(struct base *b, struct why *why)
{
	struct span any;
	int rc;

	if (part(&b->applications, b->spec, "applications", '[') == -1)
		return bad(why, b, "spec.applications");
	if (part(&b->config, b->spec, "config", '[') == -1)
		return bad(why, b, "spec.config");
	if ((rc = scan_get(b->spec, &any, "decommissioning", NULL)) == -1)
		return bad(why, b, "spec.decommissioning");
	b->decommissioning = rc == 1 && !span_is(any, "null");
	if ((rc = scan_get(b->spec, &any, "consoles", NULL)) == -1)
		return bad(why, b, "spec.consoles");
	b->consoles = rc == 1 && !span_is(any, "null") && !span_is(any, "[]");
	return 0;
}

int
base_read(struct span device, struct base *b, struct why *why)
{
	struct span metadata;

	memset(b, 0, sizeof(*b));
	if (!scan_is_valid(device))
		return fail(why, ERR_FORMAT, "device: no JSON");
	if (part(&metadata, device, "metadata", '{') != 1)
		return bad(why, b, "metadata");
	if (read_metadata(metadata, b, why) == -1)
		return -1;
	if (part(&b->spec, device, "spec", '{') != 1)
		return bad(why, b, "spec");
	if (scan_get_string(device, b->state, sizeof(b->state), "status",
		"summary", "status", NULL) != 1)
		b->state[0] = '\0';
	return read_spec(b, why);
}

int
base_check(const struct base *b, const char *created, struct why *why)
{
	if (*created != '\0' && strcmp(created, b->created) != 0)
		return fail(why, ERR_GONE, "device %s was created anew at %s",
		    b->device, b->created);
	if (b->owner[0] != '\0')
		return fail(why, ERR_DENIED, "device %s is owned by %s",
		    b->device, b->owner);
	if (b->decommissioning)
		return fail(why, ERR_DENIED,
		    "device %s is being "
		    "decommissioned",
		    b->device);
	if (b->consoles)
		return fail(why, ERR_AGAIN,
		    "device %s has an open console in "
		    "its spec",
		    b->device);
	if (b->awaits_reconnect || strcmp(b->state, "AwaitingReconnect") == 0)
		return fail(why, ERR_DENIED,
		    "device %s is frozen: "
		    "AwaitingReconnect",
		    b->device);
	if (b->conflict_paused || strcmp(b->state, "ConflictPaused") == 0)
		return fail(why, ERR_DENIED,
		    "device %s is frozen: "
		    "ConflictPaused",
		    b->device);
	return 0;
}
