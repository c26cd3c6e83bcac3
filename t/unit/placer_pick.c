/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placer/pick.h"
#include "t/unit/fleet.h"

enum {
	DEVICES = 40,
	PODS = 300
};

static struct wdevice *
pick(struct world *w, struct wpod *p, struct pick_answer *a)
{
	pick_device(&w->nodes[0], p, w->devices_listed, a);
	return a->device;
}

static void
add(struct world *w, const char *name, int cores, int mib)
{
	fleet_add(w,
	    &(struct fleet_device){ name, cores, mib, NULL, NULL, NULL });
}

/* -- the rules again, slow and plain: every pair of devices compared --------
 */

static size_t
same(const struct wdevice *d, const struct wpod *p)
{
	const struct wpod *q;
	size_t n = 0;

	TAILQ_FOREACH(q, &d->pods, on_device)
		n += p->group != NULL && q->group == p->group;
	return n;
}

static int
could(const struct wdevice *d, const struct wpod *p)
{
	return d->dev->summary == DEVICE_ONLINE && d->dev->owner == NULL &&
	    d->total.cpu_m - d->used.cpu_m >= p->room.cpu_m &&
	    d->total.memory - d->used.memory >= p->room.memory &&
	    d->total.pods - d->used.pods >= 1;
}

static int
left(const struct wdevice *d, const struct wpod *p)
{
	int64_t cpu = d->total.cpu_m - d->used.cpu_m - p->room.cpu_m;
	int64_t memory = d->total.memory - d->used.memory - p->room.memory;

	return (int)((cpu * 1000 / d->total.cpu_m +
			 memory * 1000 / d->total.memory) /
	    200);
}

static int
comes_before(const struct wdevice *a, const struct wdevice *b,
    const struct wpod *p)
{
	if (same(a, p) != same(b, p))
		return same(a, p) < same(b, p);
	if (left(a, p) != left(b, p))
		return left(a, p) > left(b, p);
	if (a->npods != b->npods)
		return a->npods < b->npods;
	return strcmp(a->name, b->name) < 0;
}

static struct wdevice *
slow(struct world *w, const struct wpod *p)
{
	struct wdevice *d, *best = NULL;

	RB_FOREACH(d, wdevice_tree, &w->devices)
		if (could(d, p) && (best == NULL || comes_before(d, best, p)))
			best = d;
	return best;
}

static struct world *
any_world(unsigned int *seed)
{
	struct world *w = fleet_world();
	char name[32];
	int i;

	for (i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "d%02d", i);
		fleet_add(w,
		    &(struct fleet_device){ name, 1 + rand_r(seed) % 8,
			512 << rand_r(seed) % 4, NULL,
			rand_r(seed) % 10 == 0 ? "Fleet/x" : NULL,
			rand_r(seed) % 10 == 0 ? "Unknown" : NULL });
	}
	return w;
}

static struct wpod *
any_pod(struct world *w, unsigned int *seed, int i)
{
	char name[32], cpu[32], memory[32], group[32];

	snprintf(name, sizeof(name), "p%d", i);
	snprintf(cpu, sizeof(cpu), "%dm", rand_r(seed) % 600);
	snprintf(memory, sizeof(memory), "%dMi", rand_r(seed) % 300);
	snprintf(group, sizeof(group), "g%d", rand_r(seed) % 5);
	return fleet_pod(w, name, cpu, memory, rand_r(seed) % 2 ? group : NULL,
	    NULL);
}

Test(pick, the_table_chooses_as_the_plain_rules_do)
{
	struct pick_answer a;
	struct world *w;
	struct wpod *p;
	unsigned int seed;
	int i;

	for (seed = 1; seed <= 10; seed++) {
		unsigned int s = seed;

		w = any_world(&s);
		for (i = 0; i < PODS; i++) {
			p = any_pod(w, &s, i);
			cr_assert_eq(pick(w, p, &a), slow(w, p));
			if (a.device != NULL)
				world_seat(w, p, a.device);
			else
				cr_assert_neq(a.text[0], '\0');
		}
		fleet_free(w);
	}
}

Test(pick, a_device_is_never_overcommitted)
{
	struct pick_answer a;
	struct wdevice *d;
	struct world *w;
	unsigned int s = 7;
	struct wpod *p;
	int i;

	w = any_world(&s);
	for (i = 0; i < 4 * PODS; i++) {
		p = any_pod(w, &s, i);
		if (pick(w, p, &a) != NULL)
			world_seat(w, p, a.device);
	}
	RB_FOREACH(d, wdevice_tree, &w->devices) {
		cr_assert(d->used.cpu_m <= d->total.cpu_m);
		cr_assert(d->used.memory <= d->total.memory);
		cr_assert(d->used.pods <= d->total.pods);
	}
	fleet_free(w);
}

Test(pick, pods_of_one_controller_spread)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p[3];
	char name[8];
	int i;

	add(w, "big", 64, 65536);
	add(w, "small-1", 2, 2048);
	add(w, "small-2", 2, 2048);
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		p[i] = fleet_pod(w, name, "100m", "64Mi", "set", NULL);
		cr_assert_not_null(pick(w, p[i], &a));
		world_seat(w, p[i], a.device);
	}
	cr_assert_str_eq(p[0]->device->name, "big");
	cr_assert_str_eq(p[1]->device->name, "small-1");
	cr_assert_str_eq(p[2]->device->name, "small-2");
	fleet_free(w);
}

Test(pick, too_large_for_all_is_said_with_both_figures)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p;

	add(w, "edge-1", 2, 2048);
	fleet_add(w,
	    &(struct fleet_device){ "edge-2", 4, 4096, NULL, NULL, "Unknown" });
	p = fleet_pod(w, "p", "8", "64Mi", NULL, NULL);
	cr_assert_null(pick(w, p, &a));
	cr_assert(a.never);
	cr_assert_str_eq(a.text,
	    "Insufficient resources: Device edge-1 has 2 "
	    "CPU, requested 8 CPU (2 devices: 1 disconnected, 1 no room for "
	    "CPU)");
	p = fleet_pod(w, "q", "3", "64Mi", NULL, NULL);
	cr_assert_null(pick(w, p, &a));
	cr_assert_not(a.never, "edge-2 could hold it once it is back");
	fleet_free(w);
}

Test(pick, a_device_that_told_nothing_yet_is_not_never)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p;

	add(w, "new", 0, 0);
	w->nodes[0].devices.tqh_first->dev->arch = NULL;
	p = fleet_pod(w, "p", "3", "64Mi", NULL, NULL);
	cr_assert_null(pick(w, p, &a));
	cr_assert_not(a.never);
	fleet_free(w);
}

Test(pick, selectors_and_names_are_followed)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p;

	fleet_add(w,
	    &(struct fleet_device){ "a", 2, 2048, "\"zone\":\"n\"", NULL,
		NULL });
	fleet_add(w,
	    &(struct fleet_device){ "b", 8, 8192, "\"zone\":\"s\"", NULL,
		NULL });
	p = fleet_pod(w, "p", "1", "64Mi", NULL,
	    "\"nodeSelector\":{\"zone\":\"n\"}");
	cr_assert_not_null(pick(w, p, &a), "%s", a.text);
	cr_assert_str_eq(a.device->name, "a");
	p = fleet_pod(w, "q", "1", "64Mi", NULL,
	    "\"nodeSelector\":{\"zone\":\"west\"}");
	cr_assert_null(pick(w, p, &a));
	cr_assert(strstr(a.text, "2 not what the pod's selectors ask for"),
	    "%s", a.text);
	fleet_free(w);
}

Test(pick, a_host_port_is_given_once_a_device)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p, *q;
	struct host_port eighty = { 80, 6 };

	add(w, "only", 2, 2048);
	p = fleet_pod(w, "p", "1m", "1Mi", NULL, NULL);
	q = fleet_pod(w, "q", "1m", "1Mi", NULL, NULL);
	p->pod->ports = q->pod->ports = &eighty;
	p->pod->nports = q->pod->nports = 1;
	cr_assert_not_null(pick(w, p, &a));
	world_seat(w, p, a.device);
	cr_assert_null(pick(w, q, &a));
	cr_assert(strstr(a.text, "1 host port in use"), "%s", a.text);
	p->pod->nports = q->pod->nports = 0;
	p->pod->ports = q->pod->ports = NULL;
	fleet_free(w);
}

/* -- the explanation ------------------------------------------------------- */

static struct world *
zoned_world(unsigned int *seed)
{
	static const char *const summaries[] = { NULL, NULL, NULL, "Unknown" };
	struct world *w = fleet_world();
	char name[32], labels[64];
	struct wdevice *d;
	int i;

	for (i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "d%02d", i);
		snprintf(labels, sizeof(labels), "\"zone\":\"z%d\"%s",
		    rand_r(seed) % 4,
		    rand_r(seed) % 8 ? "" : ",\"vk.flightctl.io/cordon\":\"\"");
		d = fleet_add(w,
		    &(struct fleet_device){ name, 1 + rand_r(seed) % 4,
			256 << rand_r(seed) % 4, labels,
			rand_r(seed) % 10 == 0 ? "Fleet/x" : NULL,
			summaries[rand_r(seed) % 4] });
		d->isolating = rand_r(seed) % 20 == 0;
		world_device_changed(d);
	}
	return w;
}

static struct wpod *
wishing_pod(struct world *w, unsigned int *seed, int i, struct host_port *port)
{
	char name[32], cpu[32], memory[32], group[32], spec[256];
	struct wpod *p;

	snprintf(name, sizeof(name), "p%d", i);
	snprintf(cpu, sizeof(cpu), "%dm", rand_r(seed) % 900);
	snprintf(memory, sizeof(memory), "%dMi", rand_r(seed) % 300);
	snprintf(group, sizeof(group), "g%d", rand_r(seed) % 5);
	snprintf(spec, sizeof(spec),
	    "\"affinity\":{\"nodeAffinity\":{"
	    "\"preferredDuringSchedulingIgnoredDuringExecution\":[{"
	    "\"weight\":%d,\"preference\":{\"matchExpressions\":[{\"key\":"
	    "\"zone\",\"operator\":\"In\",\"values\":[\"z%d\"]}]}}]}}%s",
	    1 + rand_r(seed) % 100, rand_r(seed) % 4,
	    rand_r(seed) % 3 ? "" : ",\"nodeSelector\":{\"zone\":\"z1\"}");
	p = fleet_pod(w, name, cpu, memory, rand_r(seed) % 2 ? group : NULL,
	    rand_r(seed) % 2 ? spec : NULL);
	if (rand_r(seed) % 8 == 0) {
		*port = (struct host_port){ 80, 6 };
		p->pod->ports = port;
		p->pod->nports = 1;
	}
	return p;
}

/* Rules 1 to 4 alone rule out; the others order, each by its number. */
static void
ranks_agree(struct world *w, struct wpod *p)
{
	struct pick_rank *r;
	struct pick_answer a;
	size_t n, i;
	int rule;

	r = pick_ranks(&w->nodes[0], p, &n);
	pick(w, p, &a);
	cr_assert_eq(n, DEVICES);
	cr_assert_eq(a.device, r[0].reason == PICK_FITS ? r[0].device : NULL);
	for (i = 0; i < n; i++) {
		rule = (int)pick_rule(r[i].reason);
		cr_assert_eq(rule == 0, r[i].reason == PICK_FITS);
		cr_assert(rule <= 4);
		if (i > 0 && r[i].reason == PICK_FITS)
			cr_assert(pick_order(&r[i - 1], &r[i]) >= 5);
		if (r[i].reason != PICK_FITS) /* nor is any after it */
			cr_assert(i + 1 == n || r[i + 1].reason != PICK_FITS);
	}
	free(r);
}

/* Were the device chosen, all that rules 1 to 4 ask would be true of it. */
static void
is_no_excluded_one(struct world *w, struct wpod *p, const struct wdevice *d)
{
	struct pick_rank *r;
	size_t n, i;

	r = pick_ranks(&w->nodes[0], p, &n);
	for (i = 0; i < n; i++)
		if (r[i].reason != PICK_FITS)
			cr_assert_neq(r[i].device, d);
	free(r);
}

Test(pick, what_explains_a_choice_is_what_chooses)
{
	static struct host_port ports[PODS];
	struct pick_answer a;
	struct world *w;
	struct wpod *p[PODS];
	unsigned int seed;
	int i;

	for (seed = 1; seed <= 20; seed++) {
		unsigned int s = seed;

		w = zoned_world(&s);
		for (i = 0; i < PODS; i++) {
			p[i] = wishing_pod(w, &s, i, &ports[i]);
			ranks_agree(w, p[i]);
			if (pick(w, p[i], &a) == NULL)
				continue;
			is_no_excluded_one(w, p[i], a.device);
			world_seat(w, p[i], a.device);
		}
		for (i = 0; i < PODS; i++)
			if (p[i]->pod->ports == &ports[i])
				p[i]->pod->nports = 0, p[i]->pod->ports = NULL;
		fleet_free(w);
	}
}
