/* SPDX-License-Identifier: ISC */
/* What explains a choice is what chooses, over worlds drawn at random. */
#include "placer/pick.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/unit/fleet.h"

enum {
	DEVICES = 40,
	MANY = 700, /* the index over them is three levels high */
	PODS = 300
};

static struct world *
zoned_world(unsigned int *seed, int devices)
{
	static const char *const summaries[] = { NULL, NULL, NULL, "Unknown" };
	struct world *w = fleet_world();
	char name[32], labels[64];
	struct wdevice *d;
	int i;

	for (i = 0; i < devices; i++) {
		snprintf(name, sizeof(name), "d%03d", i);
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
		*port = (struct host_port){ 80, 6, NULL };
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
	pick_device(&w->nodes[0], p, w->devices_listed, &a);
	cr_assert_eq(n, w->nodes[0].ndevices);
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

		w = zoned_world(&s, DEVICES);
		for (i = 0; i < PODS; i++) {
			p[i] = wishing_pod(w, &s, i, &ports[i]);
			ranks_agree(w, p[i]);
			pick_device(&w->nodes[0], p[i], w->devices_listed, &a);
			if (a.device == NULL)
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

/* Devices fill, empty and are ruled out between any two choices. */
Test(pick, what_the_index_leaves_out_would_not_be_chosen)
{
	struct pick_answer a;
	struct host_port port;
	struct wdevice *d = NULL;
	struct world *w;
	struct wpod *p[PODS];
	unsigned int s = 1;
	int i, other;

	w = zoned_world(&s, MANY);
	for (i = 0; i < PODS; i++) {
		p[i] = wishing_pod(w, &s, i, &port);
		p[i]->pod->nports = 0, p[i]->pod->ports = NULL;
		ranks_agree(w, p[i]);
		pick_device(&w->nodes[0], p[i], w->devices_listed, &a);
		if (a.device != NULL)
			world_seat(w, p[i], a.device);
		other = rand_r(&s) % (i + 1);
		if (rand_r(&s) % 3 == 0 && p[other]->device != NULL)
			world_unseat(w, p[other]);
		d = d != NULL ? RB_NEXT(wdevice_tree, &w->devices, d) :
				RB_MIN(wdevice_tree, &w->devices);
		if (d != NULL) {
			d->isolating = !d->isolating;
			world_device_changed(d);
		}
	}
	fleet_free(w);
}

Test(pick, what_is_kept_for_a_pod_is_found_where_nothing_else_is)
{
	struct world *w = fleet_world();
	struct wdevice *d = fleet_add(w,
	    &(struct fleet_device){ "d", 4, 1024, NULL, NULL, NULL });
	struct wpod *p = fleet_pod(w, "p", "1", "64Mi", NULL, NULL);
	struct wpod *q = fleet_pod(w, "q", "1", "64Mi", NULL, NULL);
	struct pick_answer a;

	d->reserved_for = p;
	world_device_changed(d);
	pick_device(&w->nodes[0], q, 1, &a);
	cr_expect_null(a.device);
	pick_device(&w->nodes[0], p, 1, &a);
	cr_expect_eq(a.device, d);
	d->reserved_for = NULL;
	fleet_free(w);
}
