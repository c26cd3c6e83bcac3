/* SPDX-License-Identifier: ISC */
/*
 * flight_store.c: the devices, sorted by name.
 *
 * Owns the array; knows nothing of what a device is but its name.
 */
#include "t/sim/flight_store.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight_device.h"

struct flight_store {
	struct flight_device **v;
	size_t n, size;
};

struct flight_store *
flight_store_new(void)
{
	return xcalloc(1, sizeof(struct flight_store));
}

void
flight_store_free(struct flight_store *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		flight_device_free(s->v[i]);
	free(s->v);
	free(s);
}

size_t
flight_store_from(const struct flight_store *s, const char *name)
{
	size_t lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (strcmp(s->v[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct flight_device *
flight_store_get(const struct flight_store *s, const char *name)
{
	size_t i = flight_store_from(s, name);

	return i < s->n && strcmp(s->v[i]->name, name) == 0 ? s->v[i] : NULL;
}

void
flight_store_add(struct flight_store *s, struct flight_device *d)
{
	size_t i = flight_store_from(s, d->name);

	if (s->n == s->size) {
		s->size = s->size == 0 ? 64 : 2 * s->size;
		s->v = xreallocarray(s->v, s->size,
		    sizeof(struct flight_device *));
	}
	memmove(s->v + i + 1, s->v + i,
	    (s->n - i) * sizeof(struct flight_device *));
	s->v[i] = d;
	s->n++;
}

struct flight_device *
flight_store_take(struct flight_store *s, const char *name)
{
	size_t i = flight_store_from(s, name);
	struct flight_device *d;

	if (i == s->n || strcmp(s->v[i]->name, name) != 0)
		return NULL;
	d = s->v[i];
	s->n--;
	memmove(s->v + i, s->v + i + 1,
	    (s->n - i) * sizeof(struct flight_device *));
	return d;
}

size_t
flight_store_count(const struct flight_store *s)
{
	return s->n;
}

struct flight_device *
flight_store_at(const struct flight_store *s, size_t i)
{
	return s->v[i];
}
