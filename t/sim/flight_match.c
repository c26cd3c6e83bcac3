/* SPDX-License-Identifier: ISC */
/*
 * flight_match.c: a selector asked about an object.
 *
 * Owns what each operator means; knows the object by its values only.
 */
#include <string.h>

#include "t/sim/flight_json.h"
#include "t/sim/flight_select.h"
#include "t/sim/flight_select_impl.h"

static int
one_of(const struct flight_requirement *r, const char *value)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->values[i], value) == 0)
			return 1;
	return 0;
}

static int
compare(const struct flight_requirement *r, const char *value)
{
	int64_t a, b;

	if (flight_time_parse(value, &a) == -1 ||
	    flight_time_parse(r->values[0], &b) == -1)
		return 0;
	return (a > b) - (a < b);
}

/* What is absent is unlike any value. */
static int
holds(const struct flight_requirement *r, const char *value)
{
	switch (r->op) {
	case EXISTS:
		return value != NULL;
	case ABSENT:
		return value == NULL;
	case EQ:
	case IN:
		return value != NULL && one_of(r, value);
	case NE:
	case NOTIN:
		return value == NULL || !one_of(r, value);
	case CONTAINS:
		return value != NULL && strstr(value, r->values[0]) != NULL;
	case LACKS:
		return value == NULL || strstr(value, r->values[0]) == NULL;
	case GT:
		return value != NULL && compare(r, value) > 0;
	case GE:
		return value != NULL && compare(r, value) >= 0;
	case LT:
		return value != NULL && compare(r, value) < 0;
	case LE:
		return value != NULL && compare(r, value) <= 0;
	}
	return 0;
}

int
flight_selects(const struct flight_selector *s,
    const char *(*get)(const char *, const void *), const void *object)
{
	const struct flight_requirement *r;
	size_t i;

	for (i = 0; i < s->n; i++) {
		r = &s->v[i];
		if (strcmp(r->key, "metadata.nameOrAlias") == 0) {
			if (!holds(r, get("metadata.name", object)) &&
			    !holds(r, get("metadata.alias", object)))
				return 0;
		} else if (!holds(r, get(r->key, object))) {
			return 0;
		}
	}
	return 1;
}
