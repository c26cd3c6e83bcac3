/* SPDX-License-Identifier: ISC */
/*
 * pick.c: chooses the device of a pod.
 *
 * Owns the order of the rules; the numbers are those of placement(7) and of
 * t/unit/placer_pick.c.
 */
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/pick_own.h"

enum {
	TENTH = 200 /* of the sum of two fractions in thousandths */
};

static const struct {
	unsigned int rule;
	const char *words;
} reasons[PICK_COUNT] = { { 0, "fit" },
#define X(name, rule, words) { rule, words },
	PICK_REASONS(X)
#undef X
};

const char *
pick_words(enum pick_reason r)
{
	return reasons[r].words;
}

unsigned int
pick_rule(enum pick_reason r)
{
	return reasons[r].rule;
}

/* 2. Placeable. */
enum pick_reason
pick_placeable(const struct wdevice *d)
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
	if (d->drained.on)
		return PICK_DRAINED;
	if (d->node != NULL && d->node->retired.on)
		return PICK_RETIRED;
	if (d->given_up.on)
		return PICK_GIVEN_UP;
	if (d->isolating)
		return PICK_ISOLATING;
	if (d->contest_ms != 0)
		return PICK_CONTESTED;
	if (!dev->spec_valid)
		return PICK_SPEC_INVALID;
	if (d->thaw > 0)
		return PICK_FROZEN;
	return PICK_FITS;
}

/* 3. Connected. */
enum pick_reason
pick_connected(const struct wdevice *d)
{
	if (d->dev == NULL)
		return PICK_UNREAD;
	switch (d->dev->summary) {
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

enum pick_reason
pick_usable(const struct wdevice *d)
{
	enum pick_reason why = pick_placeable(d);

	return why != PICK_FITS ? why : pick_connected(d);
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

static struct bearer
bearer(const struct wdevice *d)
{
	const struct wnode *n = d->node;

	return (struct bearer){ { { n->labels, n->nlabels },
				    { d->dev->labels, d->dev->nlabels } },
		n->name };
}

/*
 * 1. Candidates: of the node's fleet, and what the pod wishes.  The scheduler
 * has matched the node's own labels; what the node lacks is asked of the
 * device.
 */
static int
is_wished(const struct wdevice *d, const struct wish *w)
{
	struct bearer node, device;
	size_t i;

	if (w == NULL)
		return 1;
	if (d->dev == NULL)
		return 0;
	if (w->device_name != NULL && strcmp(w->device_name, d->name) != 0)
		return 0;
	node = bearer(d);
	device =
	    (struct bearer){ { { d->dev->labels, d->dev->nlabels } }, d->name };
	if (!term_holds(&w->device, &device) ||
	    !term_holds(&w->selector, &node))
		return 0;
	for (i = 0; i < w->nrequired; i++)
		if (term_holds(&w->required[i], &node))
			return 1;
	return w->nrequired == 0;
}

static int
is_one_port(const struct host_port *a, const struct host_port *b)
{
	return a->port == b->port && a->protocol == b->protocol &&
	    (a->ip == NULL || b->ip == NULL || strcmp(a->ip, b->ip) == 0);
}

static int
port_is_taken(const struct wdevice *d, const struct host_port *want)
{
	const struct wpod *p;
	size_t i;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		for (i = 0; p->pod != NULL && i < p->pod->nports; i++)
			if (is_one_port(&p->pod->ports[i], want))
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
room_reason(const struct pick_measure *m, const struct fit_room *want)
{
	switch (fit_check(&m->room, want)) {
	case FIT_OK:
		return PICK_FITS;
	case FIT_CPU:
		return PICK_NO_CPU;
	case FIT_MEMORY:
		return PICK_NO_MEMORY;
	case FIT_SPEC:
		return PICK_NO_SPEC;
	case FIT_PODS:
	case FIT_COUNT:
		break;
	}
	return PICK_NO_PODS;
}

enum pick_reason
pick_excludes(const struct pick_table *t, size_t slot, const struct wpod *p)
{
	const struct wdevice *d = t->devices[slot];
	enum pick_reason why;

	if (!is_wished(d, p->pod->wish))
		return PICK_WISHES;
	if ((why = reason(t, slot, p)) != PICK_FITS)
		return why;
	why = room_reason(&t->measures[slot], &p->room);
	if (why == PICK_FITS && !ports_are_free(d, p->pod))
		why = PICK_NO_PORT;
	return why;
}

static int64_t
preferences(const struct wdevice *d, const struct wish *w)
{
	struct bearer node;
	int64_t sum = 0;
	size_t i;

	if (w == NULL || w->npreferred == 0)
		return 0;
	node = bearer(d);
	for (i = 0; i < w->npreferred; i++)
		if (term_holds(&w->preferred[i], &node))
			sum += w->preferred[i].weight;
	return sum;
}

/* The one place where a device's numbers for a pod come from. */
static struct pick_rank
rank(const struct pick_table *t, size_t slot, const struct wpod *p)
{
	struct pick_rank r = {
		.device = t->devices[slot],
		.reason = pick_excludes(t, slot, p),
		.same = t->rows[slot].same,
		.npods = t->rows[slot].npods,
		.room = t->measures[slot].room,
	};

	if (r.reason != PICK_FITS)
		return r;
	r.tenths = fit_tenths(&r.device->total, &r.room, &p->room);
	r.preferred = preferences(r.device, p->pod->wish);
	return r;
}

/* By rule n: first comes before second. */
static int
by_rule(int n, int first)
{
	return first ? n : -n;
}

int
pick_order(const struct pick_rank *a, const struct pick_rank *b)
{
	/* 5. Fewest pods of the same controller. */
	if (a->same != b->same)
		return by_rule(5, a->same < b->same);
	/* 6. Most room left after placing, in tenths. */
	if (a->tenths != b->tenths)
		return by_rule(6, a->tenths > b->tenths);
	/* 7. Fewest workloads. */
	if (a->npods != b->npods)
		return by_rule(7, a->npods < b->npods);
	/* 8. Preferred affinity terms met. */
	if (a->preferred != b->preferred)
		return by_rule(8, a->preferred > b->preferred);
	/* 9. The name. */
	return by_rule(9, strcmp(a->device->name, b->device->name) < 0);
}

/*
 * Can what has that scale and so many pods still win?  What ties in all but the
 * name comes later in the walk, so it has lost.
 */
static int
may_outrank(const struct fit_scale *scale, uint32_t npods, const struct wpod *p,
    const struct pick_rank *best)
{
	int bound, floor = TENTH * best->tenths; /* see fit_bound() */

	bound = fit_bound(scale, &p->room);
	if (bound >= floor + TENTH)
		return 1;
	if (bound < floor)
		return 0;
	if (npods != best->npods)
		return npods < best->npods;
	return p->pod->wish != NULL && p->pod->wish->npreferred > 0;
}

static int
may_win(const struct pick_table *t, size_t slot, const struct wpod *p,
    const struct pick_rank *best)
{
	const struct pick_row *r = &t->rows[slot];

	if (best->device == NULL)
		return 1;
	if (r->same != best->same)
		return r->same < best->same;
	if (r->free + FIT_SLACK < TENTH * best->tenths)
		return 0; /* not even for a pod of no size */
	return may_outrank(&t->measures[slot].scale, r->npods, p, best);
}

/* Sums know nothing of rule 5: below one may be what it prefers to the best. */
static int
may_have_it(const struct pick_sum *s, const struct wpod *p,
    const struct pick_rank *best)
{
	if (s->npods == UINT32_MAX)
		return 0;
	return best->device == NULL || best->same > 0 ||
	    may_outrank(&s->scale, s->npods, p, best);
}

static void
look_at_rows(const struct pick_table *t, size_t at, const struct wpod *p,
    struct pick_rank *best)
{
	size_t i, end = pick_end(at, t->n);
	struct pick_rank x;

	for (i = at * PICK_FAN; i < end; i++) {
		if (reason(t, i, p) != PICK_FITS || !may_win(t, i, p, best))
			continue;
		x = rank(t, i, p);
		if (x.reason == PICK_FITS &&
		    (best->device == NULL || pick_order(&x, best) > 0))
			*best = x;
	}
}

/* In the order of the names, whatever is left out. */
static void
look_below(const struct pick_table *t, size_t level, size_t at,
    const struct wpod *p, struct pick_rank *best)
{
	const struct pick_level *below;
	size_t i, end;

	if (!may_have_it(&t->levels[level].sums[at], p, best))
		return;
	if (level == 0) {
		look_at_rows(t, at, p, best);
		return;
	}
	below = &t->levels[level - 1];
	end = pick_end(at, below->n);
	for (i = at * PICK_FAN; i < end; i++)
		look_below(t, level - 1, i, p, best);
}

static struct wdevice *
choose(const struct pick_table *t, const struct wpod *p)
{
	struct pick_rank best = { .device = NULL };

	if (t->n > 0)
		look_below(t, t->nlevels - 1, 0, p, &best);
	return best.device;
}

/* 5. Counted for the walk and put back to zero after it. */
static void
count_same(const struct pick_table *t, const struct wnode *node,
    const struct wpod *p, int back_to_zero)
{
	const struct wpod *q;
	struct pick_row *r;

	if (p->group == NULL)
		return;
	TAILQ_FOREACH(q, &p->group->pods, in_group) {
		if (q->device == NULL || q->device->node != node)
			continue;
		r = &t->rows[q->device->slot];
		r->same = back_to_zero ? 0 : r->same + 1;
	}
}

void
pick_device(struct wnode *node, const struct wpod *p, int list_complete,
    struct pick_answer *a)
{
	struct pick_table *t = pick_sorted(node);

	*a = (struct pick_answer){ .never = list_complete };
	count_same(t, node, p, 0);
	a->device = choose(t, p);
	count_same(t, node, p, 1);
	if (a->device == NULL)
		pick_none(t, p, a);
	else
		a->never = 0;
}

static int
by_rank(const void *x, const void *y)
{
	const struct pick_rank *a = x, *b = y;

	if (a->reason != PICK_FITS && b->reason != PICK_FITS)
		return strcmp(a->device->name, b->device->name);
	if (a->reason != PICK_FITS || b->reason != PICK_FITS)
		return a->reason == PICK_FITS ? -1 : 1;
	return -pick_order(a, b);
}

struct pick_rank *
pick_ranks(struct wnode *node, const struct wpod *p, size_t *n)
{
	struct pick_table *t = pick_sorted(node);
	struct pick_rank *ranks;
	size_t i;

	*n = t->n;
	ranks = xcalloc(t->n + 1, sizeof(*ranks));
	count_same(t, node, p, 0);
	for (i = 0; i < t->n; i++)
		ranks[i] = rank(t, i, p);
	count_same(t, node, p, 1);
	qsort(ranks, t->n, sizeof(*ranks), by_rank);
	return ranks;
}
