/* SPDX-License-Identifier: ISC */
/*
 * pick_table.c: the devices of a node, as a choice reads them.
 *
 * Owns the slots, in the order of the names, one short row each: what keeps
 * the common case (no wishes, ten thousand devices) to few cache lines.
 */
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/pick_own.h"

struct pick_table *
pick_table_new(void)
{
	struct pick_table *t;

	t = xcalloc(1, sizeof(*t));
	t->stale = 1;
	return t;
}

void
pick_table_free(struct pick_table *t)
{
	if (t == NULL)
		return;
	pick_index_free(t);
	free(t->rows);
	free(t->measures);
	free(t->devices);
	free(t);
}

void
pick_table_stale(struct pick_table *t)
{
	t->stale = 1;
}

void
pick_table_update(struct pick_table *t, const struct wdevice *d)
{
	struct pick_measure *m;
	struct pick_row *r;

	if (t == NULL || t->stale || d->slot >= t->n)
		return;
	r = &t->rows[d->slot];
	m = &t->measures[d->slot];
	m->room = fit_free(&d->total, &d->used);
	m->scale = fit_scale(&d->total, &m->room);
	r->free = m->scale.free;
	r->npods = (uint32_t)d->npods;
	r->reason = (uint32_t)pick_usable(d);
	if (r->reason == PICK_FITS && d->reserved_for != NULL)
		r->reason = PICK_RESERVED;
	pick_index_update(t, d->slot);
}

static int
by_name(const void *a, const void *b)
{
	const struct wdevice *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

struct pick_table *
pick_sorted(struct wnode *node)
{
	struct pick_table *t = node->table;
	struct wdevice *d;
	size_t i = 0;

	if (!t->stale)
		return t;
	pick_index_free(t);
	t->n = node->ndevices;
	t->rows = xreallocarray(t->rows, t->n, sizeof(*t->rows));
	t->measures = xreallocarray(t->measures, t->n, sizeof(*t->measures));
	t->devices = xreallocarray(t->devices, t->n, sizeof(struct wdevice *));
	TAILQ_FOREACH(d, &node->devices, on_node)
		t->devices[i++] = d;
	qsort(t->devices, t->n, sizeof(struct wdevice *), by_name);
	memset(t->rows, 0, t->n * sizeof(*t->rows));
	t->stale = 0;
	for (i = 0; i < t->n; i++) {
		t->devices[i]->slot = (uint32_t)i;
		pick_table_update(t, t->devices[i]);
	}
	pick_index_new(t);
	return t;
}
