/* SPDX-License-Identifier: ISC */
/*
 * admit.c: the device policy over a whole spec.
 *
 * Owns the comparison of what was with what would be.  Trusts neither
 * splice.c nor the placer: it works on the two texts alone.  What an element
 * of ours may be is elements.c's.
 */
#include "flightside/admit.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mark.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/elements.h"

enum {
	MAX_OURS = 2 * 1024 * 1024, /* of all our elements in one array */
};

/* The two members of a spec that hold elements of ours. */
static const struct part {
	const char *name;
	int (*check)(const struct admit_rules *, const char *name,
	    struct span element, struct why *);
	int pods; /* each element is one */
} parts[] = {
	{ "applications", elements_application, 1 },
	{ "config", elements_config, 0 },
};

enum {
	PARTS = sizeof(parts) / sizeof(parts[0]),
};

struct element {
	char name[MAX_NAME + 1];
	size_t index; /* in its array */
	struct span raw;
};

/* The elements of one array that are ours. */
struct ours {
	struct element *list;
	size_t n;
	size_t bytes;
	size_t passed; /* elements of the array, others' too */
};

static int
is_part(struct span key)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if (scan_string_is(key, parts[i].name))
			return 1;
	return 0;
}

/* The next member that is not ours to change; as scan_member. */
static int
next_member(struct span spec, size_t *at, struct span *key, struct span *value)
{
	int rc;

	do
		rc = scan_member(spec, at, key, value);
	while (rc == 1 && is_part(*key));
	return rc;
}

static int
is_equal(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static int
same_members(struct span old_spec, struct span new_spec, struct why *why)
{
	struct span old_key, old_value, new_key, new_value;
	size_t old_at = 0, new_at = 0;
	int more, also;

	do {
		more = next_member(old_spec, &old_at, &old_key, &old_value);
		also = next_member(new_spec, &new_at, &new_key, &new_value);
		if (more == -1 || also == -1)
			return fail(why, ERR_BUG, "spec: no object");
		if (more == also &&
		    (more == 0 ||
			(is_equal(old_key, new_key) &&
			    is_equal(old_value, new_value))))
			continue;
		return fail(why, ERR_DENIED,
		    "spec byte %zu: would change, and is of neither "
		    "applications nor config",
		    also == 1 ? (size_t)(new_key.p - new_spec.p) :
				new_spec.len - 1);
	} while (more == 1);
	return 0;
}

/* An application's name, or what is before the dot of a config entry's. */
static int
is_ours(const struct admit_rules *rules, const char *name)
{
	char app[MAX_NAME + 1];
	size_t len = strcspn(name, ".");

	memcpy(app, name, len);
	app[len] = '\0';
	return mark_is_ours(rules->cluster, app);
}

/* 1: ours, and its name; elements without a name are others'. */
static int
read_ours(const struct admit_rules *rules, struct span raw, struct element *e)
{
	e->raw = raw;
	return scan_get_string(raw, e->name, sizeof(e->name), "name", NULL) ==
	    1 &&
	    is_ours(rules, e->name);
}

static const struct element *
ours_find(const struct ours *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (strcmp(o->list[i].name, name) == 0)
			return &o->list[i];
	return NULL;
}

/* Takes ours out of an array up to the next of others: that, or 0, -1. */
static int
next_other(const struct admit_rules *rules, struct span array, size_t *at,
    struct ours *ours, struct span *other)
{
	struct element e;
	int rc;

	if (array.len == 0)
		return 0;
	while ((rc = scan_next(array, at, other)) == 1) {
		e.index = ours->passed++;
		if (!read_ours(rules, *other, &e))
			return 1;
		ours->list =
		    xreallocarray(ours->list, ours->n + 1, sizeof(*ours->list));
		ours->list[ours->n++] = e;
		ours->bytes += e.raw.len;
	}
	return rc;
}

/* Others' elements are the same, in the same order; ours are collected. */
static int
same_others(const struct admit_rules *rules, const struct part *part,
    struct span old_array, struct span new_array, struct ours ours[2],
    struct why *why)
{
	struct span old, new;
	size_t old_at = 0, new_at = 0;
	int more, also;

	do {
		more = next_other(rules, old_array, &old_at, &ours[0], &old);
		also = next_other(rules, new_array, &new_at, &ours[1], &new);
		if (more == -1 || more != also ||
		    (more == 1 && !is_equal(old, new)))
			return fail(why, ERR_DENIED,
			    "%s[%zu]: is not ours, and would change",
			    part->name, ours[1].passed - (also == 1));
	} while (more == 1);
	return 0;
}

/* What of ours is new or different must be of the allowed forms. */
static int
check_ours(const struct admit_rules *rules, const struct part *part,
    const struct ours *old, const struct ours *new, struct why *why)
{
	const struct element *e, *before;
	struct why inner;
	size_t i;

	if (new->bytes > MAX_OURS &&new->bytes > old->bytes)
		return fail(why, ERR_LIMIT, "%s: over %d bytes of ours",
		    part->name, MAX_OURS);
	if (part->pods && rules->pods > 0 &&
	    new->n > rules->pods &&new->n > old->n)
		return fail(why, ERR_LIMIT, "%s: over %zu of ours", part->name,
		    rules->pods);
	for (i = 0; i < new->n; i++) {
		e = &new->list[i];
		before = ours_find(old, e->name);
		if (ours_find(new, e->name) != e)
			(void)fail(&inner, ERR_DENIED, "is there twice");
		else if ((before != NULL && is_equal(before->raw, e->raw)) ||
		    part->check(rules, e->name, e->raw, &inner) == 0)
			continue;
		return fail(why, inner.kind, "%s[%zu] %s: %s", part->name,
		    e->index, e->name, inner.text);
	}
	return 0;
}

/* The array of a part; len 0: absent.  -1: twice, or of another type. */
static int
array_of(struct span spec, const struct part *part, struct span *array)
{
	int rc = scan_get(spec, array, part->name, NULL);

	if (rc == 0 || (rc == 1 && span_is(*array, "null"))) {
		*array = (struct span){ NULL, 0 };
		return 0;
	}
	return rc == 1 && *array->p == '[' ? 0 : -1;
}

static int
check_part(const struct admit_rules *rules, const struct part *part,
    struct span old_spec, struct span new_spec, struct why *why)
{
	struct span old_array, new_array;
	struct ours ours[2] = { { NULL, 0, 0, 0 }, { NULL, 0, 0, 0 } };
	int rc;

	if (array_of(old_spec, part, &old_array) == -1 ||
	    array_of(new_spec, part, &new_array) == -1)
		return fail(why, ERR_DENIED, "%s: no array, or there twice",
		    part->name);
	if (old_array.len > 0 && new_array.len == 0)
		return fail(why, ERR_DENIED, "%s: would vanish", part->name);
	rc = same_others(rules, part, old_array, new_array, ours, why);
	if (rc == 0)
		rc = check_ours(rules, part, &ours[0], &ours[1], why);
	if (rc == 0 && old_array.len == 0 && new_array.len > 0 &&
	    ours[1].n == 0)
		rc = fail(why, ERR_DENIED, "%s: would be there, and empty",
		    part->name);
	free(ours[0].list);
	free(ours[1].list);
	return rc;
}

int
admit(const struct admit_rules *rules, struct span old_spec,
    struct span new_spec, struct why *why)
{
	size_t i;

	if (!scan_is_valid(new_spec) || !scan_is_valid(old_spec))
		return fail(why, ERR_BUG, "spec: no JSON");
	if (same_members(old_spec, new_spec, why) == -1)
		return -1;
	for (i = 0; i < PARTS; i++)
		if (check_part(rules, &parts[i], old_spec, new_spec, why) == -1)
			return -1;
	return 0;
}
