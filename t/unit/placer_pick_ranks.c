/* SPDX-License-Identifier: ISC */
/* What explains a choice is what chooses, over worlds drawn at random. */
#include "placer/pick.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/unit/fleet.h"

enum {
	DEVICES = 40,
	PODS = 300
};

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
