/* SPDX-License-Identifier: ISC */
/*
 * metrics_fleet.c: pods and devices, by fleet.
 *
 * Owns what of a fleet is a figure.  Pure.
 */
#include <inttypes.h>
#include <string.h>

#include "common/least.h"
#include "placer/former.h"
#include "placer/metrics_own.h"
#include "placer/pick.h"

#define EACH_NODE(n, m) \
	for ((n) = (m)->w->nodes; (n) < (m)->w->nodes + (m)->w->nnodes; (n)++)

void
write_pods(struct metric *m)
{
	size_t counts[LIFE_NSTATES] = { 0 }, i;
	struct wpod_tree pods = m->w->pods;
	struct wpod *p;

	RB_FOREACH(p, wpod_tree, &pods)
		counts[p->state]++;
	for (i = 0; i < LIFE_NSTATES; i++) {
		metric_sample(m, "");
		metric_label(m, "status", life_state_name((enum life_state)i));
		metric_count(m, counts[i]);
	}
}

/* -- pods without a device -- */

void
write_waiting(struct metric *m)
{
	const struct wnode *n;
	const struct wpod *p;
	size_t count;

	EACH_NODE(n, m) {
		count = 0;
		TAILQ_FOREACH(p, &n->waiting, waits)
			count++;
		metric_fleet(m, n, count);
	}
}

void
write_waiting_age(struct metric *m)
{
	const struct wnode *n;
	const struct wpod *p;
	int64_t age;

	EACH_NODE(n, m) {
		age = 0;
		TAILQ_FOREACH(p, &n->waiting, waits)
			if (p->pod != NULL)
				age = most(age,
				    m->scrape->now.wall_ms -
					(int64_t)p->pod->order_ms);
		metric_fleet_ms(m, n, age);
	}
}

void
write_withheld(struct metric *m)
{
	const struct wdevice *d;
	const struct wnode *n;
	const struct wpod *p;
	size_t count;

	EACH_NODE(n, m) {
		count = 0;
		TAILQ_FOREACH(d, &n->devices, on_node)
			TAILQ_FOREACH(p, &d->pods, on_device)
				count += p->withheld || p->blamed;
		metric_fleet(m, n, count);
	}
}

void
write_evictions(struct metric *m)
{
	const struct wnode *n;

	EACH_NODE(n, m)
		metric_fleet(m, n, n->evictions);
}

void
write_brake(struct metric *m)
{
	const struct wnode *n;

	EACH_NODE(n, m)
		metric_fleet(m, n, n->brake);
}

void
write_lease(struct metric *m)
{
	const struct wnode *n;

	EACH_NODE(n, m)
		metric_fleet_ms(m, n,
		    most(n->until_boot - m->scrape->now.boot_ms, 0));
}

/* -- writes -- */

void
write_queued(struct metric *m)
{
	const struct wdevice *d;
	const struct wnode *n;
	size_t count;

	EACH_NODE(n, m) {
		count = 0;
		TAILQ_FOREACH(d, &n->devices, on_node)
			count += d->nqueued;
		metric_fleet(m, n, count);
	}
}

static int64_t
since(const struct metric *m, int64_t boot)
{
	return boot == 0 ? 0 : m->scrape->now.boot_ms - boot;
}

void
write_queued_age(struct metric *m)
{
	const struct wdevice *d;
	const struct wnode *n;
	int64_t age;

	EACH_NODE(n, m) {
		age = 0;
		TAILQ_FOREACH(d, &n->devices, on_node)
			if (d->nqueued > 0)
				age = most(age, since(m, d->dirty_boot));
		metric_fleet_ms(m, n, age);
	}
}

void
write_render_age(struct metric *m)
{
	const struct wdevice *d;
	const struct wnode *n;
	int64_t age;

	EACH_NODE(n, m) {
		age = 0;
		TAILQ_FOREACH(d, &n->devices, on_node)
			if (!d->gone)
				age = most(age, since(m, d->unseen_boot));
		metric_fleet_ms(m, n, age);
	}
}

static void
put_spread(struct metric *m, const struct wnode *n, const struct spread *s)
{
	uint64_t sum = 0;
	unsigned int i;
	char le[16];

	for (i = 0; i <= SPREAD_BOUNDS; i++) {
		(void)snprintf(le, sizeof(le), "%d",
		    i < SPREAD_BOUNDS ? spread_bound(i) : 0);
		sum += s->took[i];
		metric_sample(m, "_bucket");
		metric_label(m, "fleet", n->fleet);
		metric_label(m, "le", i < SPREAD_BOUNDS ? le : "+Inf");
		metric_count(m, sum);
	}
	metric_sample(m, "_sum");
	metric_label(m, "fleet", n->fleet);
	metric_us(m, s->ms * 1000);
	metric_sample(m, "_count");
	metric_label(m, "fleet", n->fleet);
	metric_count(m, sum);
}

void
write_starts(struct metric *m)
{
	const struct wnode *n;

	EACH_NODE(n, m)
		put_spread(m, n, &n->started);
}

void
write_renders(struct metric *m)
{
	const struct wnode *n;

	EACH_NODE(n, m)
		put_spread(m, n, &n->seen);
}

/* -- devices by what they are -- */

enum {
	READY,
	UNKNOWN,
	DISCONNECTED,
	NOT_PLACEABLE,
	STATUSES
};

/* Silent first, whatever else it is; but what is gone is missed no more. */
static unsigned int
status_of(const struct wdevice *d)
{
	enum pick_reason why = pick_connected(d);

	if (why != PICK_DISCONNECTED || d->gone || d->given_up.on)
		why = pick_usable(d);
	switch ((int)why) {
	case PICK_FITS:
		return READY;
	case PICK_UNREAD:
		return UNKNOWN;
	case PICK_DISCONNECTED:
		return DISCONNECTED;
	default:
		return NOT_PLACEABLE;
	}
}

void
write_devices(struct metric *m)
{
	static const char *const words[STATUSES] = { "Ready", "Unknown",
		"Disconnected", "NotPlaceable" };
	const struct wdevice *d;
	const struct wnode *n;
	size_t counts[STATUSES], i;

	EACH_NODE(n, m) {
		memset(counts, 0, sizeof(counts));
		TAILQ_FOREACH(d, &n->devices, on_node)
			counts[status_of(d)]++;
		for (i = 0; i < STATUSES; i++) {
			metric_sample(m, "");
			metric_label(m, "fleet", n->fleet);
			metric_label(m, "status", words[i]);
			metric_count(m, counts[i]);
		}
	}
}

void
write_specs(struct metric *m)
{
	const struct wdevice *d;
	const struct wnode *n;
	size_t counts[SPEC_NSTATES], i;

	EACH_NODE(n, m) {
		memset(counts, 0, sizeof(counts));
		TAILQ_FOREACH(d, &n->devices, on_node)
			counts[d->spec_state]++;
		for (i = 0; i < SPEC_NSTATES; i++) {
			metric_sample(m, "");
			metric_label(m, "fleet", n->fleet);
			metric_label(m, "state",
			    spec_state_name((enum spec_state)i));
			metric_count(m, counts[i]);
		}
	}
}

struct owners {
	size_t n;
	struct {
		const char *name;
		size_t devices;
	} of[METRICS_OWNERS + 1];
};

static void
add_owner(struct owners *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n && i < METRICS_OWNERS; i++)
		if (strcmp(all->of[i].name, name) == 0)
			break;
	if (i == all->n) {
		all->of[i].name = i < METRICS_OWNERS ? name : "other";
		all->n++;
	}
	all->of[i].devices++;
}

void
write_owned(struct metric *m)
{
	const struct wdevice *d;
	const struct wnode *n;
	struct owners all;
	size_t i;

	EACH_NODE(n, m) {
		memset(&all, 0, sizeof(all));
		TAILQ_FOREACH(d, &n->devices, on_node)
			if (d->dev != NULL && !d->gone && d->dev->owner != NULL)
				add_owner(&all, d->dev->owner);
		for (i = 0; i < all.n; i++) {
			metric_sample(m, "");
			metric_label(m, "fleet", n->fleet);
			metric_label(m, "owner", all.of[i].name);
			metric_count(m, all.of[i].devices);
		}
	}
}

/* -- nodes that are configured no more -- */

void
write_former(struct metric *m)
{
	struct former_sum sum;
	size_t i;

	for (i = 0; i < m->w->nformer; i++) {
		sum = former_count(m->w, m->w->former[i]);
		if (!former_is_left(m->w->former[i], &sum))
			continue;
		metric_sample(m, "");
		metric_label(m, "node", m->w->former[i]->name);
		metric_count(m, sum.apps);
	}
}

void
write_former_nodes(struct metric *m)
{
	size_t i;

	for (i = 0; i < m->w->nformer; i++) {
		if (!m->w->former[i]->object || m->w->former[i]->served)
			continue;
		metric_sample(m, "");
		metric_label(m, "node", m->w->former[i]->name);
		metric_count(m, 1);
	}
}
