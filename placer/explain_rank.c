/* SPDX-License-Identifier: ISC */
/*
 * explain_rank.c: what the numbered rules say of each device, for a pod that
 * has none.
 *
 * Owns which devices are named and which only counted.  The order and the
 * numbers are pick_ranks()', which are pick_device()'s.
 */
#include <stdio.h>
#include <stdlib.h>

#include "placer/explain_own.h"
#include "placer/pick.h"

struct ranks {
	const struct wpod *pod;
	struct pick_rank *all;
	size_t n, fit; /* of them: that hold, the first */
};

/* By which rule it stands where it does: after the one before it. */
static unsigned int
place_rule(const struct ranks *r, size_t i)
{
	if (i > 0)
		return (unsigned int)pick_order(&r->all[i - 1], &r->all[i]);
	return r->fit > 1 ? (unsigned int)pick_order(&r->all[0], &r->all[1]) :
			    0;
}

static void
say_fit(struct explain *x, const struct ranks *r, size_t i)
{
	const struct pick_rank *k = &r->all[i];
	const char *after = i > 0 ? k[-1].device->name : NULL;

	explain_row(x,
	    &(struct explain_row){ "candidate", k->device->name,
		place_rule(r, i), pick_words(k->reason), NO_CLOCK },
	    "%s%s%s5. of its controller %u, 6. tenths left %d, "
	    "7. workloads %u, 8. preferred %lld",
	    after != NULL ? "after " : "", after != NULL ? after : "",
	    after != NULL ? ": " : "", k->same, k->tenths, k->npods,
	    (long long)k->preferred);
}

/* What rules it out, with its numbers. */
static void
numbers(const struct explain *x, const struct ranks *r,
    const struct pick_rank *k, char text[MAX_TEXT])
{
	const struct fit_room *want = &r->pod->room;
	char has[AMOUNT_SIZE], asked[AMOUNT_SIZE];
	const char *what;

	if ((what = pick_amounts(k->reason, &k->room, want, has, asked)) !=
	    NULL)
		(void)snprintf(text, MAX_TEXT, "%s %s free, requested %s", has,
		    what, asked);
	else if (k->reason == PICK_NO_PODS)
		(void)snprintf(text, MAX_TEXT, "pods: %u, at most %u", k->npods,
		    k->device->total.pods);
	else if (k->reason == PICK_RESERVED)
		(void)snprintf(text, MAX_TEXT, "for %s/%s",
		    k->device->reserved_for->ns, k->device->reserved_for->name);
	else if (k->reason == PICK_OWNED)
		(void)snprintf(text, MAX_TEXT, "owned by %s",
		    k->device->dev->owner);
	else
		explain_status(k->device, x->now, text);
}

static void
say_other(struct explain *x, const struct ranks *r, const struct pick_rank *k)
{
	char text[MAX_TEXT];

	numbers(x, r, k, text);
	explain_row(x,
	    &(struct explain_row){ "candidate", k->device->name,
		pick_rule(k->reason), pick_words(k->reason), NO_CLOCK },
	    "%s", text);
}

static int
is_nearer(const struct pick_rank *a, const struct pick_rank *b)
{
	if (a->reason == PICK_NO_CPU)
		return a->room.cpu_m > b->room.cpu_m;
	if (a->reason == PICK_NO_MEMORY)
		return a->room.memory > b->room.memory;
	return 0;
}

/* All that one reason rules out: how many, and the nearest by name. */
static void
say_counted(struct explain *x, const struct ranks *r, enum pick_reason why)
{
	const struct pick_rank *k, *best = NULL;
	char text[MAX_TEXT];
	size_t n = 0;

	for (k = r->all + r->fit; k < r->all + r->n; k++) {
		if (k->reason != why)
			continue;
		n++;
		if (best == NULL || is_nearer(k, best))
			best = k;
	}
	if (best == NULL)
		return;
	numbers(x, r, best, text);
	explain_row(x,
	    &(struct explain_row){ "candidates", best->device->name,
		pick_rule(why), pick_words(why), NO_CLOCK },
	    "%zu device%s, the nearest: %s", n, n == 1 ? "" : "s", text);
}

void
explain_ranks(struct explain *x, const struct wpod *p)
{
	struct ranks r = { .pod = p };
	size_t i;

	r.all = pick_ranks(p->node, p, &r.n);
	while (r.fit < r.n && r.all[r.fit].reason == PICK_FITS)
		r.fit++;
	for (i = 0; i < r.fit && i < EXPLAIN_BEST; i++)
		say_fit(x, &r, i);
	if (i < r.fit)
		explain_row(x,
		    &(struct explain_row){ "candidates", NULL, 0,
			pick_words(PICK_FITS), NO_CLOCK },
		    "%zu more, after these", r.fit - i);
	if (r.n - r.fit <= EXPLAIN_OTHERS)
		for (i = r.fit; i < r.n; i++)
			say_other(x, &r, &r.all[i]);
	else
		for (i = PICK_FITS + 1; i < PICK_COUNT; i++)
			say_counted(x, &r, (enum pick_reason)i);
	if (r.n == 0)
		explain_row(x,
		    &(struct explain_row){ "candidates", NULL, 1, NULL,
			NO_CLOCK },
		    "node %s has no device", p->node->name);
	free(r.all);
}
