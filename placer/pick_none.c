/* SPDX-License-Identifier: ISC */
/*
 * pick_none.c: why no device takes a pod, in words for people.
 *
 * Owns the words and the verdict "never".  What rules a device out is
 * pick.c's.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "placer/pick_own.h"

/* The first device of the table that the room of which rules it out. */
static const struct wdevice *
nearest(const struct pick_table *t, const struct wpod *p,
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

/* "1", "0.5": thousandths of a CPU as people write them. */
static void
cpu_words(char *buf, size_t size, int64_t cpu_m)
{
	size_t n;

	n = (size_t)snprintf(buf, size, "%" PRId64 ".%03d", cpu_m / 1000,
	    (int)(cpu_m % 1000));
	while (n > 0 && n < size && buf[n - 1] == '0')
		buf[--n] = '\0';
	if (n > 0 && n < size && buf[n - 1] == '.')
		buf[n - 1] = '\0';
}

static void
memory_words(char *buf, size_t size, int64_t bytes)
{
	if (bytes % (1 << 20) == 0)
		(void)snprintf(buf, size, "%" PRId64 "Mi", bytes >> 20);
	else if (bytes % (1 << 10) == 0)
		(void)snprintf(buf, size, "%" PRId64 "Ki", bytes >> 10);
	else
		(void)snprintf(buf, size, "%" PRId64, bytes);
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

/* The words of T010 and T031. */
static size_t
say_nearest(const struct pick_table *t, const struct wpod *p,
    const size_t *counts, char *text)
{
	const struct wdevice *d;
	struct fit_room room;
	char has[32], want[32];

	if (counts[PICK_NO_CPU] > 0 &&
	    (d = nearest(t, p, PICK_NO_CPU)) != NULL) {
		room = fit_free(&d->total, &d->used);
		cpu_words(has, sizeof(has), room.cpu_m);
		cpu_words(want, sizeof(want), p->room.cpu_m);
		return say(text, 0,
		    "Insufficient resources: Device %s has %s "
		    "CPU, requested %s CPU",
		    d->name, has, want);
	}
	if (counts[PICK_NO_MEMORY] > 0 &&
	    (d = nearest(t, p, PICK_NO_MEMORY)) != NULL) {
		room = fit_free(&d->total, &d->used);
		memory_words(has, sizeof(has), room.memory);
		memory_words(want, sizeof(want), p->room.memory);
		return say(text, 0,
		    "Insufficient resources: Device %s has %s "
		    "memory, requested %s memory",
		    d->name, has, want);
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
	at = say_nearest(t, p, counts, a->text);
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
