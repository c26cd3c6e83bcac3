/* SPDX-License-Identifier: ISC */
/*
 * flight_pairs.c: labels and annotations.
 *
 * Owns their order; knows no rule about keys or values (flight_check.c).
 */
#include <json-c/json.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_json.h"

static size_t
place(const struct flight_pairs *p, const char *key, int *found)
{
	size_t lo = 0, hi = p->n, mid;
	int c;

	*found = 0;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		c = strcmp(key, p->v[mid].key);
		if (c == 0) {
			*found = 1;
			return mid;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void
flight_pairs_set(struct flight_pairs *p, const char *key, const char *value)
{
	char *copy = xstrdup(value);
	int found;
	size_t i = place(p, key, &found);

	if (found) {
		free(p->v[i].value);
		p->v[i].value = copy;
		return;
	}
	p->v = xreallocarray(p->v, p->n + 1, sizeof(*p->v));
	memmove(p->v + i + 1, p->v + i, (p->n - i) * sizeof(*p->v));
	p->v[i].key = xstrdup(key);
	p->v[i].value = copy;
	p->n++;
}

void
flight_pairs_drop(struct flight_pairs *p, const char *key)
{
	int found;
	size_t i = place(p, key, &found);

	if (!found)
		return;
	free(p->v[i].key);
	free(p->v[i].value);
	p->n--;
	memmove(p->v + i, p->v + i + 1, (p->n - i) * sizeof(*p->v));
}

const char *
flight_pairs_get(const struct flight_pairs *p, const char *key)
{
	int found;
	size_t i = place(p, key, &found);

	return found ? p->v[i].value : NULL;
}

void
flight_pairs_clear(struct flight_pairs *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->v[i].key);
		free(p->v[i].value);
	}
	free(p->v);
	*p = (struct flight_pairs){ 0 };
}

void
flight_pairs_read(struct flight_pairs *p, struct json_object *o)
{
	struct json_object_iter it;
	flight_pairs_clear(p);
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreachC(o, it)
	{
		flight_pairs_set(p, it.key,
		    json_object_is_type(it.val, json_type_string) ?
			json_object_get_string(it.val) :
			"");
	}
}

int
flight_pairs_parse(struct flight_pairs *p, const char *text)
{
	const char *at = text, *eq;
	char *key, *value;
	size_t n;

	while (*at != '\0') {
		n = strcspn(at, ",");
		eq = memchr(at, '=', n);
		if (eq == NULL || eq == at)
			return -1;
		key = xstrndup(at, (size_t)(eq - at));
		value = xstrndup(eq + 1, n - (size_t)(eq + 1 - at));
		flight_pairs_set(p, key, value);
		free(key);
		free(value);
		at += n + (at[n] == ',');
	}
	return 0;
}

int
flight_pairs_equal(const struct flight_pairs *a, const struct flight_pairs *b)
{
	size_t i;

	if (a->n != b->n)
		return 0;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i].key, b->v[i].key) != 0 ||
		    strcmp(a->v[i].value, b->v[i].value) != 0)
			return 0;
	return 1;
}

void
flight_pairs_write(struct out *o, const struct flight_pairs *p)
{
	size_t i;

	out_open(o, '{');
	for (i = 0; i < p->n; i++)
		out_member(o, p->v[i].key, p->v[i].value);
	out_close(o, '}');
}
