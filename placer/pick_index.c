/* SPDX-License-Identifier: ISC */
/*
 * pick_index.c: which parts of the table a walk may leave out.
 *
 * Owns the sums: what the best row of sixteen could be, of sixteen such, and so
 * on.  A sum is never worse than any row below it, so that leaving it out
 * changes no choice.
 */
#include <stdlib.h>

#include "common/xmem.h"
#include "placer/pick_own.h"

static const struct pick_sum nothing = { .npods = UINT32_MAX };

static void
better_of(struct pick_sum *s, const struct fit_scale *scale, uint32_t npods)
{
	if (s->npods == UINT32_MAX)
		s->scale = *scale;
	if (scale->free > s->scale.free)
		s->scale.free = scale->free;
	if (scale->cpu < s->scale.cpu)
		s->scale.cpu = scale->cpu;
	if (scale->memory < s->scale.memory)
		s->scale.memory = scale->memory;
	if (npods < s->npods)
		s->npods = npods;
}

static struct pick_sum
sum_of_rows(const struct pick_table *t, size_t at)
{
	size_t i = at * PICK_FAN, end = pick_end(at, t->n);
	struct pick_sum s = nothing;

	for (; i < end; i++)
		if (t->rows[i].reason == PICK_FITS ||
		    t->rows[i].reason == PICK_RESERVED)
			better_of(&s, &t->measures[i].scale, t->rows[i].npods);
	return s;
}

static struct pick_sum
sum_of_sums(const struct pick_level *below, size_t at)
{
	size_t i = at * PICK_FAN, end = pick_end(at, below->n);
	struct pick_sum s = nothing;

	for (; i < end; i++)
		if (below->sums[i].npods != UINT32_MAX)
			better_of(&s, &below->sums[i].scale,
			    below->sums[i].npods);
	return s;
}

static void
sum_up(struct pick_table *t, size_t level, size_t at)
{
	t->levels[level].sums[at] = level == 0 ?
	    sum_of_rows(t, at) :
	    sum_of_sums(&t->levels[level - 1], at);
}

void
pick_index_free(struct pick_table *t)
{
	size_t k;

	for (k = 0; k < t->nlevels; k++)
		free(t->levels[k].sums);
	t->nlevels = 0;
}

void
pick_index_new(struct pick_table *t)
{
	struct pick_level *l;
	size_t n = t->n, i;

	pick_index_free(t);
	do {
		n = (n + PICK_FAN - 1) / PICK_FAN;
		l = &t->levels[t->nlevels++];
		l->n = n;
		l->sums = xcalloc(n + 1, sizeof(*l->sums));
		for (i = 0; i < n; i++)
			sum_up(t, t->nlevels - 1, i);
	} while (n > 1);
}

void
pick_index_update(struct pick_table *t, size_t slot)
{
	size_t k;

	for (k = 0; k < t->nlevels; k++)
		sum_up(t, k, slot /= PICK_FAN);
}
