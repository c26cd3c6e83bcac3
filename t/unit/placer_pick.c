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

/* -- each rule alone: the only device, with one thing changed -- */

static void
is_unreadable(struct wdevice *d)
{
	d->unreadable = 1;
}
static void
is_gone(struct wdevice *d)
{
	d->gone = 1;
}
static void
is_not_enrolled(struct wdevice *d)
{
	d->dev->enrolled = 0;
}
static void
is_owned(struct wdevice *d)
{
	static char fleet[] = "Fleet/x";

	d->dev->owner = fleet;
}
static void
is_decommissioned(struct wdevice *d)
{
	d->dev->decommissioning = 1;
}
static void
is_cordoned(struct wdevice *d)
{
	static char cordon[] = "vk.flightctl.io/cordon";

	d->dev->labels[0].key = cordon;
}
static void
is_isolating(struct wdevice *d)
{
	d->isolating = 1;
}
static void
is_contested(struct wdevice *d)
{
	d->contest_ms = 1;
}
static void
is_invalid(struct wdevice *d)
{
	d->dev->spec_valid = 0;
}
static void
is_thawing(struct wdevice *d)
{
	d->thaw = 1;
}
static void
is_full(struct wdevice *d)
{
	d->used.pods = d->total.pods;
}
static void
has_no_cpu(struct wdevice *d)
{
	d->used.cpu_m = d->total.cpu_m;
}
static void
has_no_memory(struct wdevice *d)
{
	d->used.memory = d->total.memory;
}

static const struct {
	void (*change)(struct wdevice *);
	const char *words;
} passed_over[] = {
	{ is_unreadable, "1 unreadable" },
	{ is_gone, "1 not yet read" },
	{ is_not_enrolled, "1 not enrolled" },
	{ is_owned, "1 owned by Fleet/x" },
	{ is_decommissioned, "1 being decommissioned" },
	{ is_cordoned, "1 cordoned" },
	{ is_isolating, "1 looking for a failing pod" },
	{ is_contested, "1 whose spec another writer undoes" },
	{ is_invalid, "1 whose spec another writer made invalid" },
	{ is_thawing, "1 frozen by a restore of Flightctl" },
	{ is_full, "1 no room for pods" },
	{ has_no_cpu, "1 no room for CPU" },
	{ has_no_memory, "1 no room for memory" },
};

Test(pick, a_device_is_passed_over_for_each_reason_and_it_is_said)
{
	struct pick_answer a;
	struct wdevice *d;
	struct world *w;
	struct wpod *p;
	size_t i;

	for (i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++) {
		w = fleet_world();
		d = fleet_add(w,
		    &(struct fleet_device){ "d", 2, 2048, NULL, NULL, NULL });
		p = fleet_pod(w, "p", "1", "64Mi", NULL, NULL);
		cr_assert_eq(pick(w, p, &a), d, "%s", a.text);
		passed_over[i].change(d);
		world_device_changed(d);
		cr_expect_null(pick(w, p, &a), "%s", passed_over[i].words);
		cr_expect(strstr(a.text, passed_over[i].words), "%s: %s",
		    passed_over[i].words, a.text);
		cr_expect(!a.never, "%s", passed_over[i].words);
		fleet_free(w);
	}
}

Test(pick, a_device_that_speaks_is_connected_even_with_errors)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wdevice *d = fleet_add(w,
	    &(struct fleet_device){ "d", 2, 2048, NULL, NULL, NULL });
	struct wpod *p = fleet_pod(w, "p", "1", "64Mi", NULL, NULL);
	int i;

	for (i = 0; i < DEVICE_SUMMARY_COUNT; i++) {
		d->dev->summary = (enum device_summary)i;
		world_device_changed(d);
		if (i == DEVICE_ONLINE || i == DEVICE_DEGRADED ||
		    i == DEVICE_ERROR)
			cr_expect_eq(pick(w, p, &a), d, "%d: %s", i, a.text);
		else
			cr_expect(pick(w, p, &a) == NULL &&
				strstr(a.text, "1 disconnected"),
			    "%d: %s", i, a.text);
	}
	fleet_free(w);
}

/* -- affinity -- */

#define TERM(zone)                                                      \
	"{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\"," \
	"\"values\":[\"" zone "\"]}]}"
#define AFFINITY(members) "\"affinity\":{\"nodeAffinity\":{" members "}}"
#define REQUIRED(terms)                                        \
	"\"requiredDuringSchedulingIgnoredDuringExecution\":{" \
	"\"nodeSelectorTerms\":[" terms "]}"
#define PREFERRED(terms) \
	"\"preferredDuringSchedulingIgnoredDuringExecution\":[" terms "]"
#define WEIGHT(weight, zone) \
	"{\"weight\":" weight ",\"preference\":" TERM(zone) "}"

static void
two_zones(struct world *w)
{
	fleet_add(w,
	    &(struct fleet_device){ "a", 4, 4096, "\"zone\":\"n\"", NULL,
		NULL });
	fleet_add(w,
	    &(struct fleet_device){ "b", 4, 4096, "\"zone\":\"s\"", NULL,
		NULL });
}

static const struct {
	const char *affinity;
	const char *device; /* NULL: none */
} affinities[] = {
	{ AFFINITY(REQUIRED(TERM("s"))), "b" },
	{ AFFINITY(REQUIRED(TERM("w"))), NULL },
	{ AFFINITY(REQUIRED(TERM("w") "," TERM("s"))), "b" },
	{ AFFINITY(REQUIRED("{}")), NULL },
	{ AFFINITY(PREFERRED(WEIGHT("1", "s"))), "b" },
	{ AFFINITY(PREFERRED(WEIGHT("1", "n"))), "a" },
	{ AFFINITY(PREFERRED(WEIGHT("1", "w"))), "a" },
	{ AFFINITY(PREFERRED(WEIGHT("2", "n") "," WEIGHT("3", "s"))), "b" },
	{ AFFINITY(PREFERRED(
	      WEIGHT("3", "n") "," WEIGHT("1", "s") "," WEIGHT("1", "s"))),
	    "a" },
	{ AFFINITY(REQUIRED(TERM("n")) "," PREFERRED(WEIGHT("9", "s"))), "a" },
};

Test(pick, of_required_terms_one_must_hold_and_weights_decide_of_equals)
{
	struct pick_answer a;
	struct world *w;
	struct wpod *p;
	size_t i;

	for (i = 0; i < sizeof(affinities) / sizeof(affinities[0]); i++) {
		w = fleet_world();
		two_zones(w);
		p = fleet_pod(w, "p", "1", "64Mi", NULL,
		    affinities[i].affinity);
		if (affinities[i].device == NULL)
			cr_expect_null(pick(w, p, &a), "%zu", i);
		else
			cr_expect(pick(w, p, &a) != NULL &&
				strcmp(a.device->name, affinities[i].device) ==
				    0,
			    "%zu", i);
		fleet_free(w);
	}
}

Test(pick, a_port_is_taken_with_its_protocol_and_address_and_each_counts)
{
	static char lan[] = "10.0.0.1", home[] = "127.0.0.1";
	static struct host_port has[] = { { 80, 6, NULL }, { 90, 6, lan } };
	static struct {
		struct host_port of[2];
		int taken;
	} wants[] = {
		{ { { 80, 6, NULL }, { 1, 6, NULL } }, 1 },
		{ { { 1, 6, NULL }, { 80, 6, NULL } }, 1 },
		{ { { 80, 17, NULL }, { 81, 6, NULL } }, 0 },
		{ { { 80, 6, lan }, { 1, 6, NULL } }, 1 },
		{ { { 90, 6, lan }, { 1, 6, NULL } }, 1 },
		{ { { 90, 6, NULL }, { 1, 6, NULL } }, 1 },
		{ { { 90, 6, home }, { 1, 6, NULL } }, 0 },
	};
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p, *q;
	size_t i;

	add(w, "only", 2, 2048);
	p = fleet_pod(w, "p", "1m", "1Mi", NULL, NULL);
	q = fleet_pod(w, "q", "1m", "1Mi", NULL, NULL);
	p->pod->ports = has;
	p->pod->nports = q->pod->nports = 2;
	cr_assert_not_null(pick(w, p, &a));
	world_seat(w, p, a.device);
	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		q->pod->ports = wants[i].of;
		cr_expect_eq(pick(w, q, &a) == NULL, wants[i].taken, "%zu", i);
		if (wants[i].taken)
			cr_expect(strstr(a.text, "1 host port in use") != NULL,
			    "%s", a.text);
	}
	p->pod->nports = q->pod->nports = 0;
	p->pod->ports = q->pod->ports = NULL;
	fleet_free(w);
}

/* What others have there may go: that there is no room is not for ever. */
Test(pick, the_spec_of_a_device_holds_only_so_much)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p = fleet_pod(w, "p", "1m", "1Mi", NULL, NULL);
	struct wdevice *d;

	add(w, "only", 2, 2048);
	d = world_device(w, "only");
	d->total.spec = 1000;
	p->room.spec = 1000;
	world_device_changed(d);
	cr_assert_not_null(pick(w, p, &a));
	p->room.spec = 1001;
	cr_assert_null(pick(w, p, &a));
	cr_expect(strstr(a.text, "1 no room in the spec") != NULL, "%s",
	    a.text);
	cr_expect(!a.never);
	fleet_free(w);
}

/* What is far from ever is never said to be for ever. */
Test(pick, no_device_at_all_or_none_that_was_read_is_not_for_ever)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wdevice *d;
	struct wpod *p = fleet_pod(w, "p", "99", "64Mi", NULL, NULL);

	cr_assert_null(pick(w, p, &a));
	cr_expect(!a.never);
	d = fleet_add(w,
	    &(struct fleet_device){ "d", 2, 2048, NULL, NULL, NULL });
	cr_assert_null(pick(w, p, &a));
	cr_expect(a.never);
	w->devices_listed = 0;
	cr_assert_null(pick(w, p, &a));
	cr_expect(!a.never);
	w->devices_listed = 1;
	d->dev->arch = NULL; /* it told nothing yet */
	d->dev->cpu_m = d->dev->memory = 0;
	cr_assert_null(pick(w, p, &a));
	cr_expect(!a.never);
	fleet_free(w);
}

Test(pick, the_device_with_most_room_is_named_and_only_wished_ones_count)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p;

	fleet_add(w,
	    &(struct fleet_device){ "a", 2, 2048, "\"zone\":\"n\"", NULL,
		NULL });
	fleet_add(w,
	    &(struct fleet_device){ "b", 3, 2048, "\"zone\":\"n\"", NULL,
		NULL });
	fleet_add(w,
	    &(struct fleet_device){ "c", 16, 2048, "\"zone\":\"s\"", NULL,
		NULL });
	p = fleet_pod(w, "p", "4", "64Mi", NULL,
	    "\"nodeSelector\":{\"zone\":\"n\"}");
	cr_assert_null(pick(w, p, &a));
	cr_expect(strstr(a.text, "Device b has 3 CPU, requested 4 CPU"), "%s",
	    a.text);
	cr_expect(a.never, "the one that could hold it is not wished for");
	fleet_free(w);
}

Test(pick, a_pod_on_a_device_that_left_weighs_on_no_other)
{
	struct pick_answer a;
	struct world *w = fleet_world();
	struct wpod *p, *q;

	(void)snprintf(w->nodes[0].fleet, sizeof(w->nodes[0].fleet), "f");
	add(w, "a", 8, 8192);
	add(w, "b", 4, 4096);
	add(w, "c", 4, 4096);
	p = fleet_pod(w, "p", "100m", "64Mi", "set", NULL);
	cr_assert_not_null(pick(w, p, &a));
	cr_assert_str_eq(a.device->name, "a");
	world_seat(w, p, a.device);
	(void)snprintf(w->nodes[0].fleet, sizeof(w->nodes[0].fleet), "g");
	add(w, "a", 8, 8192); /* of f, which is no fleet of ours now */
	q = fleet_pod(w, "q", "100m", "64Mi", "set", NULL);
	cr_assert_not_null(pick(w, q, &a));
	cr_expect_str_eq(a.device->name, "b");
	fleet_free(w);
}
