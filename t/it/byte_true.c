/* SPDX-License-Identifier: ISC */
/*
 * byte_true.c: are our writes true to every byte that is not ours?
 *
 * Owns its own idea of what is ours: elements of spec.applications and
 * spec.config whose name begins with k8s-.
 */
#include "t/it/byte_true.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/scan.h"
#include "t/it/it.h"
#include "t/it/tap.h"

#define DEVICES "/api/v1/devices"
#define OURS "k8s-"

enum {
	NAME = 300,
	SHOWN = 3,
};

struct look {
	struct byte_true sum;
	struct json_object *reads; /* NAME@VERSION: what is not ours */
};

static int
is_ours(struct span element)
{
	char name[NAME];

	return scan_get_string(element, name, sizeof(name), "name", NULL) ==
	    1 &&
	    strncmp(name, OURS, sizeof(OURS) - 1) == 0;
}

/* An array without our elements; nothing at all when none is left. */
static void
add_array(struct bytes *out, struct span key, struct span array)
{
	struct span element;
	size_t at = 0, n = 0;

	while (scan_next(array, &at, &element) == 1) {
		if (is_ours(element))
			continue;
		if (n++ == 0)
			bytes_add(out, key);
		bytes_add_text(out, n == 1 ? ":[" : ",");
		bytes_add(out, element);
	}
	if (n > 0)
		bytes_add_text(out, "]\n");
}

/* Labels and spec, a line for each member that is not ours alone. */
static void
add_theirs(struct bytes *out, struct span device)
{
	struct span labels = { "{}", 2 }, spec, key, value;
	size_t at = 0;

	(void)scan_get(device, &labels, "metadata", "labels", NULL);
	bytes_add(out, labels);
	if (scan_get(device, &spec, "spec", NULL) != 1)
		return;
	while (scan_member(spec, &at, &key, &value) == 1) {
		if ((span_is(key, "\"applications\"") ||
			span_is(key, "\"config\"")) &&
		    *value.p == '[') {
			add_array(out, key, value);
			continue;
		}
		bytes_add(out, key);
		bytes_add_text(out, ":");
		bytes_add(out, value);
		bytes_add_text(out, "\n");
	}
}

/* "NAME@VERSION"; 0: no Device. */
static int
version_of(struct span device, char *buf, size_t size)
{
	char name[NAME], version[64];

	if (scan_get_string(device, name, sizeof(name), "metadata", "name",
		NULL) != 1 ||
	    scan_get_string(device, version, sizeof(version), "metadata",
		"resourceVersion", NULL) != 1)
		return 0;
	(void)snprintf(buf, size, "%s@%s", name, version);
	return 1;
}

static void
keep(struct look *l, struct span device)
{
	char key[NAME + 64];
	AUTO_BYTES struct bytes theirs = { 0 };

	if (!version_of(device, key, sizeof(key)))
		return;
	add_theirs(&theirs, device);
	json_object_object_add(l->reads, key,
	    json_object_new_string_len(theirs.p, (int)theirs.len));
}

static void
keep_read(struct look *l, struct span answer)
{
	struct span items, item;
	size_t at = 0;

	if (scan_get(answer, &items, "items", NULL) != 1) {
		keep(l, answer);
		return;
	}
	while (scan_next(items, &at, &item) == 1)
		keep(l, item);
}

/* The first member that is none of those named, or NULL. */
static const char *
stranger(struct span object, const char *const names[])
{
	static char found[NAME];
	struct span key, value;
	size_t at = 0, i;

	while (scan_member(object, &at, &key, &value) == 1) {
		for (i = 0; names[i] != NULL; i++)
			if (scan_string_is(key, names[i]))
				break;
		if (names[i] != NULL)
			continue;
		(void)snprintf(found, sizeof(found), "%.*s", (int)key.len,
		    key.p);
		return found;
	}
	return NULL;
}

static const char *
fault_of(struct look *l, struct span body)
{
	static const char *const members[] = { "apiVersion", "kind", "metadata",
		"spec", NULL };
	static const char *const metadata[] = { "name", "resourceVersion",
		"labels", NULL };
	AUTO_BYTES struct bytes theirs = { 0 };
	struct json_object *read;
	struct span meta;
	const char *fault = NULL;
	char key[NAME + 64];

	if (!scan_is_valid(body))
		return "no JSON";
	if ((fault = stranger(body, members)) != NULL ||
	    scan_get(body, &meta, "metadata", NULL) != 1 ||
	    (fault = stranger(meta, metadata)) != NULL)
		return fault == NULL ? "no metadata" : fault;
	if (!version_of(body, key, sizeof(key)))
		return "no resourceVersion";
	if (!json_object_object_get_ex(l->reads, key, &read))
		return "that resourceVersion was never read";
	add_theirs(&theirs, body);
	if (strlen(json_object_get_string(read)) != theirs.len ||
	    memcmp(json_object_get_string(read), theirs.p, theirs.len) != 0)
		fault = "what is not ours has other bytes";
	return fault;
}

static void
look_at(const struct tap_exchange *x, void *arg)
{
	struct look *l = arg;
	const char *fault;

	if (strncmp(x->path, DEVICES, sizeof(DEVICES) - 1) != 0)
		return;
	if (strcmp(x->method, "GET") == 0 && x->status == 200)
		keep_read(l, (struct span){ x->answer, x->answer_len });
	if (strcmp(x->method, "PUT") != 0)
		return;
	l->sum.writes++;
	l->sum.accepted += x->status == 200;
	l->sum.overtaken += x->status == 409;
	fault = fault_of(l, (struct span){ x->request, x->request_len });
	if (fault != NULL && l->sum.wrong++ < SHOWN)
		it_say("%s %s: %s: %.*s", x->method, x->path, fault,
		    (int)x->request_len, x->request);
}

struct byte_true
byte_true_look(void)
{
	struct look l = { .reads = json_object_new_object() };

	tap_read(look_at, &l);
	json_object_put(l.reads);
	return l.sum;
}
