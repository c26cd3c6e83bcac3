/* SPDX-License-Identifier: ISC */
/*
 * pick.c: chooses the device of a pod.
 *
 * Owns the order of the rules; the numbers are those of placement(7) and of
 * t/unit/placer_pick.c.  A table with one short row a device keeps the common
 * case (no wishes, ten thousand devices) a walk over few cache lines.
 */
#include "placer/pick.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"

/* What the walk reads of each device: as little as decides most of them. */
struct row {
	int32_t free; /* fit_scale()'s */
	uint32_t npods;
	uint32_t same;	 /* rule 5, filled and emptied by each choice */
	uint32_t reason; /* pick_usable() */
};

/* What it reads of those that may win. */
struct measure {
	struct fit_room room;
	struct fit_scale scale; /* rule 6 without a division */
};

struct pick_table {
	struct row *rows;
	struct measure *measures; /* of the same slots */
	struct wdevice **devices;
	size_t n;
	int stale;
};

/* A device that holds so far. */
struct leader {
	size_t slot;
	uint32_t same;
	int tenths;
	int floor; /* 200 * tenths, see fit_bound() */
	uint32_t npods;
	int64_t preferred;
};

static const char *const words[PICK_COUNT] = { "fit",
#define X(name, text) text,
	PICK_REASONS(X)
#undef X
};

const char *
pick_words(enum pick_reason r)
{
	return words[r];
}

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

/* 2. Placeable. 3. Connected. */
enum pick_reason
pick_usable(const struct wdevice *d)
{
	const struct device *dev = d->dev;

	if (d->unreadable)
		return PICK_UNREADABLE;
	if (dev == NULL || d->gone)
		return PICK_UNREAD;
	if (!dev->enrolled)
		return PICK_NOT_ENROLLED;
	if (dev->owner != NULL)
		return PICK_OWNED;
	if (dev->decommissioning)
		return PICK_DECOMMISSIONING;
	if (device_label(dev, "vk.flightctl.io/cordon") != NULL)
		return PICK_CORDONED;
	if (d->isolating)
		return PICK_ISOLATING;
	if (d->contest_ms != 0)
		return PICK_CONTESTED;
	if (!dev->spec_valid)
		return PICK_SPEC_INVALID;
	if (d->thaw > 0)
		return PICK_FROZEN;
	switch (dev->summary) {
	case DEVICE_ONLINE:
	case DEVICE_DEGRADED:
	case DEVICE_ERROR:
		return PICK_FITS;
	case DEVICE_REBOOTING:
	case DEVICE_POWERED_OFF:
	case DEVICE_UNKNOWN:
	case DEVICE_AWAITING_RECONNECT:
	case DEVICE_CONFLICT_PAUSED:
	case DEVICE_SUMMARY_COUNT:
		break;
	}
	return PICK_DISCONNECTED;
}

void
pick_table_update(struct pick_table *t, const struct wdevice *d)
{
	struct measure *m;
	struct row *r;

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
}

static int
by_name(const void *a, const void *b)
{
	const struct wdevice *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
sort(struct pick_table *t, struct wnode *node)
{
	struct wdevice *d;
	size_t i = 0;

	if (!t->stale)
		return;
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
}

/* What is kept for a pod is as good as any other to it. */
static enum pick_reason
reason(const struct pick_table *t, size_t slot, const struct wpod *p)
{
	enum pick_reason r = (enum pick_reason)t->rows[slot].reason;

	return r == PICK_RESERVED && t->devices[slot]->reserved_for == p ?
	    PICK_FITS :
	    r;
}

/* 1. Candidates: of the node's fleet, and what the pod wishes. */
static int
is_wished(const struct wdevice *d, const struct wish *w)
{
	size_t i;

	if (w == NULL)
		return 1;
	if (d->dev == NULL)
		return 0;
	if (w->device_name != NULL && strcmp(w->device_name, d->name) != 0)
		return 0;
	if (!term_holds(&w->device, d->dev->labels, d->dev->nlabels, d->name) ||
	    !term_holds(&w->selector, d->dev->labels, d->dev->nlabels, d->name))
		return 0;
	for (i = 0; i < w->nrequired; i++)
		if (term_holds(&w->required[i], d->dev->labels, d->dev->nlabels,
			d->name))
			return 1;
	return w->nrequired == 0;
}

static int
port_is_taken(const struct wdevice *d, const struct host_port *want)
{
	const struct wpod *p;
	size_t i;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		for (i = 0; p->pod != NULL && i < p->pod->nports; i++)
			if (p->pod->ports[i].port == want->port &&
			    p->pod->ports[i].protocol == want->protocol)
				return 1;
	}
	return 0;
}

/* 4. Room, host ports included: the ports; the rest is in the measure. */
static int
ports_are_free(const struct wdevice *d, const struct pod *pod)
{
	size_t i;

	for (i = 0; i < pod->nports; i++)
		if (port_is_taken(d, &pod->ports[i]))
			return 0;
	return 1;
}

static enum pick_reason
room_reason(const struct measure *m, const struct fit_room *want)
{
	switch (fit_check(&m->room, want)) {
	case FIT_OK:
		return PICK_FITS;
	case FIT_CPU:
		return PICK_NO_CPU;
	case FIT_MEMORY:
		return PICK_NO_MEMORY;
	case FIT_PODS:
	case FIT_COUNT:
		break;
	}
	return PICK_NO_PODS;
}

static int64_t
preferences(const struct wdevice *d, const struct wish *w)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; w != NULL && i < w->npreferred; i++)
		if (term_holds(&w->preferred[i], d->dev->labels,
			d->dev->nlabels, d->name))
			sum += w->preferred[i].weight;
	return sum;
}

/* Does a come before b?  Rules 5 to 8; 9, the name, is the walk's order. */
static int
is_better(const struct leader *a, const struct leader *b)
{
	/* 5. Fewest pods of the same controller. */
	if (a->same != b->same)
		return a->same < b->same;
	/* 6. Most room left after placing, in tenths. */
	if (a->tenths != b->tenths)
		return a->tenths > b->tenths;
	/* 7. Fewest workloads. */
	if (a->npods != b->npods)
		return a->npods < b->npods;
	/* 8. Preferred affinity terms met. */
	return a->preferred > b->preferred;
}

/*
 * Can the row still win?  What ties in all but the name comes later in the
 * walk, so it has lost.
 */
static int
may_win(const struct pick_table *t, size_t slot, const struct wpod *p,
    const struct leader *best)
{
	const struct row *r = &t->rows[slot];
	int bound;

	if (r->same != best->same)
		return r->same < best->same;
	if (r->free + FIT_SLACK < best->floor)
		return 0; /* not even for a pod of no size */
	bound = fit_bound(&t->measures[slot].scale, &p->room);
	if (bound >= best->floor + 200)
		return 1;
	if (bound < best->floor)
		return 0;
	if (r->npods != best->npods)
		return r->npods < best->npods;
	return p->pod->wish != NULL;
}

static struct wdevice *
choose(const struct pick_table *t, const struct wpod *p)
{
	struct leader best = { .same = UINT32_MAX }, x;
	const struct row *r;
	size_t i;
	int found = 0;

	for (i = 0; i < t->n; i++) {
		r = &t->rows[i];
		if (reason(t, i, p) != PICK_FITS ||
		    (found && !may_win(t, i, p, &best)) ||
		    fit_check(&t->measures[i].room, &p->room) != FIT_OK ||
		    !is_wished(t->devices[i], p->pod->wish) ||
		    !ports_are_free(t->devices[i], p->pod))
			continue;
		x = (struct leader){ .slot = i,
			.same = r->same,
			.npods = r->npods };
		x.tenths = fit_tenths(&t->devices[i]->total,
		    &t->measures[i].room, &p->room);
		x.floor = 200 * x.tenths;
		x.preferred = preferences(t->devices[i], p->pod->wish);
		if (!found || is_better(&x, &best))
			best = x;
		found = 1;
	}
	return found ? t->devices[best.slot] : NULL;
}

/* 5. Counted for the walk and put back to zero after it. */
static void
count_same(const struct pick_table *t, const struct wnode *node,
    const struct wpod *p, int back_to_zero)
{
	const struct wpod *q;
	struct row *r;

	if (p->group == NULL)
		return;
	TAILQ_FOREACH(q, &p->group->pods, in_group) {
		if (q->device == NULL || q->device->node != node)
			continue;
		r = &t->rows[q->device->slot];
		r->same = back_to_zero ? 0 : r->same + 1;
	}
}

/* The first device of the table that the room of which rules it out. */
static const struct wdevice *
fullest_of(const struct pick_table *t, const struct wpod *p,
    enum pick_reason why)
{
	const struct wdevice *best = NULL;
	int64_t has, most = -1;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (reason(t, i, p) != PICK_FITS ||
		    !is_wished(t->devices[i], p->pod->wish) ||
		    room_reason(&t->measures[i], &p->room) != why)
			continue;
		has = why == PICK_NO_CPU ? t->measures[i].room.cpu_m :
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
say_fullest_of(const struct pick_table *t, const struct wpod *p,
    const size_t *counts, char *text)
{
	const struct wdevice *d;
	struct fit_room room;
	char has[32], want[32];

	if (counts[PICK_NO_CPU] > 0 &&
	    (d = fullest_of(t, p, PICK_NO_CPU)) != NULL) {
		room = fit_free(&d->total, &d->used);
		cpu_words(has, sizeof(has), room.cpu_m);
		cpu_words(want, sizeof(want), p->room.cpu_m);
		return say(text, 0,
		    "Insufficient resources: Device %s has %s "
		    "CPU, requested %s CPU",
		    d->name, has, want);
	}
	if (counts[PICK_NO_MEMORY] > 0 &&
	    (d = fullest_of(t, p, PICK_NO_MEMORY)) != NULL) {
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

/* By full capacity; what a device has not yet told may be enough. */
static int
could_hold(const struct wdevice *d, const struct fit_room *want)
{
	const struct device *dev = d->dev;

	if (dev != NULL && dev->arch == NULL && dev->cpu_m == 0 &&
	    dev->memory == 0)
		return 1;
	return fit_check(&d->total, want) == FIT_OK;
}

struct wdevice *
pick_nearest(struct wnode *node, const struct wpod *p)
{
	struct pick_table *t = node->table;
	struct wdevice *d, *best = NULL;
	int64_t lacks, fewest = INT64_MAX;
	size_t i;

	sort(t, node);
	for (i = 0; i < t->n; i++) {
		d = t->devices[i];
		if (t->rows[i].reason != PICK_FITS ||
		    !is_wished(d, p->pod->wish) || !could_hold(d, &p->room))
			continue;
		lacks = fit_lack(&d->total, &t->measures[i].room, &p->room);
		if (lacks == 0 || lacks >= fewest)
			continue; /* 0: it is not room that is missing */
		fewest = lacks;
		best = d;
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
	    is_wished(t->devices[slot], p->pod->wish);
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

static void
explain(const struct pick_table *t, const struct wpod *p, struct pick_answer *a)
{
	size_t counts[PICK_COUNT] = { 0 }, i, at, could = 0;
	uint32_t why;
	const char *sep = ": ";

	for (i = 0; i < t->n; i++) {
		why = reason(t, i, p);
		if (!is_wished(t->devices[i], p->pod->wish))
			why = PICK_WISHES;
		if (why == PICK_FITS)
			why = (uint32_t)room_reason(&t->measures[i], &p->room);
		if (why == PICK_FITS)
			why = PICK_NO_PORT;
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
		at = say(a->text, at, "%s%zu %s", sep, counts[i], words[i]);
		sep = ", ";
	}
	say(a->text, at, ")");
}

void
pick_device(struct wnode *node, const struct wpod *p, int list_complete,
    struct pick_answer *a)
{
	struct pick_table *t = node->table;

	sort(t, node);
	*a = (struct pick_answer){ .never = list_complete };
	count_same(t, node, p, 0);
	a->device = choose(t, p);
	count_same(t, node, p, 1);
	if (a->device == NULL)
		explain(t, p, a);
	else
		a->never = 0;
}
