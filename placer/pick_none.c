/* SPDX-License-Identifier: ISC */
/*
 * pick_none.c: why no device takes a pod, in words for people.
 *
 * Owns the words and the verdict "never".  What rules a device out is
 * pick.c's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "placer/pick_own.h"

/* The first device of the table that the room of which rules it out. */
static const struct wdevice *
fullest_of(const struct pick_table *t, const struct wpod *p,
    enum pick_reason reason)
{
	const struct wdevice *best = NULL;
	int64_t has, most = -1;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (pick_excludes(t, i, p) != reason)
			continue;
		has = reason == PICK_NO_CPU ? t->measures[i].room.cpu_m :
					      t->measures[i].room.memory;
		if (has > most) {
			most = has;
			best = t->devices[i];
		}
	}
	return best;
}

static size_t say(char *text, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static size_t
say(char *text, size_t at, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is */
	n = vsnprintf(text + at, MAX_TEXT - at, fmt, ap);
	va_end(ap);
	if (n < 0)
		return at;
	return at + (size_t)n < MAX_TEXT ? at + (size_t)n : MAX_TEXT - 1;
}

const char *
pick_amounts(enum pick_reason why, const struct fit_room *room,
    const struct fit_room *want, char has[AMOUNT_SIZE], char asked[AMOUNT_SIZE])
{
	if (why == PICK_NO_CPU) {
		amount_cpu(has, room->cpu_m);
		amount_cpu(asked, want->cpu_m);
		return "CPU";
	}
	if (why == PICK_NO_MEMORY) {
		amount_memory(has, room->memory);
		amount_memory(asked, want->memory);
		return "memory";
	}
	return NULL;
}

/* The words of T010 and T031. */
static size_t
say_fullest_of(const struct pick_table *t, const struct wpod *p,
    const size_t *counts, char *text)
{
	static const enum pick_reason lacks[] = { PICK_NO_CPU, PICK_NO_MEMORY };
	char has[AMOUNT_SIZE], asked[AMOUNT_SIZE];
	const struct wdevice *d;
	struct fit_room room;
	const char *what;
	size_t i;

	for (i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		if (counts[lacks[i]] == 0 ||
		    (d = fullest_of(t, p, lacks[i])) == NULL)
			continue;
		room = fit_free(&d->total, &d->used);
		what = pick_amounts(lacks[i], &room, &p->room, has, asked);
		return say(text, 0,
		    "Insufficient resources: Device %s has %s %s, "
		    "requested %s %s",
		    d->name, has, what, asked, what);
	}
	return say(text, 0, "No device can take the pod");
}

/*
 * By full capacity; what a device has not yet told may be enough, and what
 * others have in its spec may go.
 */
static int
could_hold(const struct wdevice *d, const struct fit_room *want)
{
	const struct device *dev = d->dev;
	struct fit_room total = d->total;

	if (dev != NULL && dev->arch == NULL && dev->cpu_m == 0 &&
	    dev->memory == 0)
		return 1;
	total.spec = want->spec;
	return fit_check(&total, want) == FIT_OK;
}

struct wdevice *
pick_nearest(const struct wnode *node, const struct wpod *p)
{
	const struct pick_table *t = node->table;
	struct wdevice *best = NULL;
	int64_t lacks, fewest = INT64_MAX;
	enum pick_reason why;
	size_t i;

	for (i = 0; i < t->n; i++) {
		why = pick_excludes(t, i, p);
		if ((why != PICK_NO_CPU && why != PICK_NO_MEMORY &&
			why != PICK_NO_PODS && why != PICK_NO_SPEC) ||
		    !could_hold(t->devices[i], &p->room))
			continue;
		lacks = fit_lack(&t->devices[i]->total, &t->measures[i].room,
		    &p->room);
		if (lacks >= fewest)
			continue;
		fewest = lacks;
		best = t->devices[i];
	}
	return best;
}

static int
has_owner(const struct pick_table *t, size_t slot, const char *owner,
    const struct wpod *p)
{
	return t->rows[slot].reason == PICK_OWNED &&
	    (owner == NULL ||
		strcmp(t->devices[slot]->dev->owner, owner) == 0) &&
	    pick_excludes(t, slot, p) == PICK_OWNED;
}

/* ": 2 owned by Fleet/x, 1 owned by Fleet/y" */
static size_t
say_owned(const struct pick_table *t, const struct wpod *p, char *text,
    size_t at, const char **sep)
{
	const char *owner;
	size_t i, k, n;

	for (i = 0; i < t->n; i++) {
		if (!has_owner(t, i, NULL, p))
			continue;
		owner = t->devices[i]->dev->owner;
		for (k = 0; k < i && !has_owner(t, k, owner, p); k++)
			continue;
		if (k < i)
			continue; /* was counted */
		for (n = 0; k < t->n; k++)
			n += has_owner(t, k, owner, p) != 0;
		at = say(text, at, "%s%zu owned by %s", *sep, n, owner);
		*sep = ", ";
	}
	return at;
}

void
pick_none(const struct pick_table *t, const struct wpod *p,
    struct pick_answer *a)
{
	size_t counts[PICK_COUNT] = { 0 }, i, at, could = 0;
	const char *sep = ": ";
	enum pick_reason why;

	for (i = 0; i < t->n; i++) {
		why = pick_excludes(t, i, p);
		counts[why]++;
		if (why != PICK_WISHES && could_hold(t->devices[i], &p->room))
			could++;
	}
	/* Labels change; that none is wished for is not for ever. */
	a->never = a->never && t->n > counts[PICK_WISHES] && could == 0;
	at = say_fullest_of(t, p, counts, a->text);
	at = say(a->text, at, " (%zu device%s", t->n, t->n == 1 ? "" : "s");
	for (i = 1; i < PICK_COUNT; i++) {
		if (counts[i] == 0)
			continue;
		if (i == PICK_OWNED) {
			at = say_owned(t, p, a->text, at, &sep);
			continue;
		}
		at = say(a->text, at, "%s%zu %s", sep, counts[i],
		    pick_words((enum pick_reason)i));
		sep = ", ";
	}
	say(a->text, at, ")");
}
