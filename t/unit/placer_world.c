/* SPDX-License-Identifier: ISC */
/*
 * What must hold of the world whatever happens to it: the room of a device is
 * the sum of what sits on it, those that wait are in the order of their age,
 * and what is due comes once and in time.
 */
#include "placer/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings.h"
#include "placer/figures.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

enum {
	DEVICES = 5,
	PODS = 40,
	STEPS = 4000
};

static void
check_device(const struct wdevice *d)
{
	struct fit_room sum = { 0, 0, 0, 0 };
	size_t n = 0, queued = 0, urgent = 0;
	const struct wpod *p;

	TAILQ_FOREACH(p, &d->pods, on_device) {
		cr_assert_eq(p->device, d);
		fit_add(&sum, &p->room);
		n++;
		queued += p->queued != IO_NONE;
		urgent += p->queued == IO_CUT;
	}
	cr_assert_eq(d->npods, n);
	cr_assert_eq(d->used.cpu_m, sum.cpu_m);
	cr_assert_eq(d->used.memory, sum.memory);
	cr_assert_eq(d->used.pods, sum.pods);
	cr_assert_eq(d->nqueued, queued);
	cr_assert_eq(d->nurgent, urgent);
}

static void
check_waiting(struct world *w)
{
	struct wpod *p, *last = NULL;
	size_t n = 0, should = 0;

	TAILQ_FOREACH(p, &w->nodes[0].waiting, waits) {
		cr_assert(p->waiting);
		cr_assert(
		    last == NULL || last->pod->order_ms <= p->pod->order_ms);
		last = p;
		n++;
	}
	RB_FOREACH(p, wpod_tree, &w->pods)
		should += p->pod != NULL && p->device == NULL;
	cr_assert_eq(n, should);
}

static void
step(struct world *w, struct wdevice *const *devices, int i, unsigned int *seed)
{
	struct wpod *p = NULL;
	char name[32], cpu[32];
	int which = rand_r(seed) % PODS, at = 0;

	RB_FOREACH(p, wpod_tree, &w->pods)
		if (at++ == which)
			break;
	if (p == NULL) {
		snprintf(name, sizeof(name), "p%d", i);
		snprintf(cpu, sizeof(cpu), "%dm", rand_r(seed) % 900);
		p = fleet_pod(w, name, cpu, "10Mi",
		    rand_r(seed) % 2 ? "r" : NULL, NULL);
		p->pod->order_ms = (uint64_t)(rand_r(seed) % 100);
		world_seat(w, p, devices[0]);
		world_unseat(w, p); /* takes its place by the new age */
	} else if (p->device == NULL) {
		world_seat(w, p, devices[rand_r(seed) % DEVICES]);
	} else if (rand_r(seed) % 3 > 0) {
		world_queue(w, p, (enum wish_io)(rand_r(seed) % 3));
	} else {
		world_unseat(w, p);
		if (rand_r(seed) % 2)
			world_drop_pod(w, p);
	}
}

Test(world, rooms_and_queues_are_the_sums_of_their_pods)
{
	struct wdevice *devices[DEVICES];
	struct world *w = fleet_world();
	unsigned int seed = 7;
	char name[32];
	int i, k;

	for (i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		devices[i] = fleet_add(w,
		    &(struct fleet_device){ name, 4, 1024, NULL, NULL, NULL });
	}
	for (i = 0; i < STEPS; i++) {
		step(w, devices, i, &seed);
		for (k = 0; k < DEVICES; k++)
			check_device(devices[k]);
		check_waiting(w);
	}
	fleet_free(w);
	NO_LEAKS();
}

Test(world, what_is_due_comes_once_at_the_earliest_time_asked_for)
{
	struct world *w = fleet_world();
	struct wpod *p = fleet_pod(w, "a", "1", "1Mi", NULL, NULL);
	struct wpod *q = fleet_pod(w, "b", "1", "1Mi", NULL, NULL);

	while (world_next_pod(w, 10) != NULL)
		continue;
	cr_assert_eq(world_next_due(w), INT64_MAX);
	world_look_at(w, p, 500);
	world_look_at(w, p, 300);
	world_look_at(w, p, 400);
	world_look_at(w, q, 350);
	cr_assert_eq(world_next_due(w), 300);
	cr_assert_null(world_next_pod(w, 299));
	cr_assert_eq(world_next_pod(w, 1000), p);
	cr_assert_eq(world_next_pod(w, 1000), q);
	cr_assert_null(world_next_pod(w, 1000));
	fleet_free(w);
	NO_LEAKS();
}

Test(world, a_namesake_is_one_that_has_a_seat)
{
	struct world *w = fleet_world();
	struct wdevice *d = fleet_add(w,
	    &(struct fleet_device){ "d", 4, 1024, NULL, NULL, NULL });
	struct wpod *old = world_add_pod(w, "uid-0", "default", "a");
	struct wpod *other = world_add_pod(w, "uid-1", "other", "a");
	struct wpod *p = fleet_pod(w, "a", "1", "1Mi", NULL, NULL);

	cr_assert_null(world_namesake(w, p));
	world_seat(w, other, d);
	cr_assert_null(world_namesake(w, p));
	world_seat(w, old, d);
	cr_assert_eq(world_namesake(w, p), old);
	cr_assert_null(world_namesake(w, old));
	fleet_free(w);
	NO_LEAKS();
}

/* Of the keys of the setting, what the scheduler can match for all devices. */
Test(world, labels_that_all_devices_of_a_node_share)
{
	struct world *w = fleet_world();
	struct settings mine = *w->set;
	struct body_node_figures f;
	struct wdevice *d;

	mine.text[SET_NODE_DEVICE_KEYS] = (char[]){ "site,rack,gpu" };
	w->set = &mine;
	fleet_add(w,
	    &(struct fleet_device){ "a", 1, 64,
		"\"site\":\"lab\",\"rack\":\"7\",\"gpu\":\"\",\"x\":\"y\"",
		NULL, NULL });
	figures_fill(w, &w->nodes[0], &f);
	cr_expect_str_eq(f.labels, "site=lab\nrack=7\ngpu=\n");
	d = fleet_add(w,
	    &(struct fleet_device){ "b", 1, 64,
		"\"site\":\"lab\",\"rack\":\"8\"", NULL, NULL });
	figures_fill(w, &w->nodes[0], &f);
	cr_expect_str_eq(f.labels, "site=lab\n");
	d->gone = 1;
	figures_fill(w, &w->nodes[0], &f);
	cr_expect_str_eq(f.labels, "site=lab\nrack=7\ngpu=\n");
	fleet_free(w);
}

static void
expect_arch(struct world *w, const char *arch, const char *when)
{
	struct body_node_figures f;

	figures_fill(w, &w->nodes[0], &f);
	cr_expect_str_eq(f.arch, arch, "%s", when);
}

/* Nobody is asked who takes no pods; who has not told yet objects to none. */
Test(world, architecture_that_all_devices_of_a_node_share)
{
	struct world *w = fleet_world();
	struct wdevice *d;

	expect_arch(w, "", "no device");
	fleet_add(w, &(struct fleet_device){ "a", 1, 64, NULL, NULL, NULL });
	d = fleet_add(w,
	    &(struct fleet_device){ "b", 1, 64, NULL, NULL, NULL });
	expect_arch(w, "amd64", "both have it");
	d->dev->arch = NULL;
	expect_arch(w, "amd64", "one has not told");
	d->dev->arch = (char[]){ "arm64" };
	expect_arch(w, "", "they differ");
	d->gone = 1;
	expect_arch(w, "amd64", "who differs is gone");
	d->gone = 0;
	d->dev->enrolled = 0;
	expect_arch(w, "amd64", "who differs is not enrolled");
	fleet_free(w);
}

/* As the API sends it the next time, with such an entry or none. */
static void
read_again(struct world *w, struct wdevice *d, struct app_entry *e, int64_t len)
{
	struct device *dev =
	    fleet_read(&(struct fleet_device){ "a", 1, 64, NULL, NULL, NULL });

	dev->entries = e;
	dev->nentries = e != NULL;
	dev->bytes = len;
	world_set_device(w, d, dev, 2);
}

/*
 * A pod counts with its entry until the device has it, then with what it has
 * there; all else in the document is others'.
 */
Test(world, room_in_the_spec)
{
	struct app_entry e = { .name = (char[]){ "app" },
		.uid = (char[]){ "uid-p" },
		.ns = (char[]){ "default" },
		.pod = (char[]){ "p" },
		.bytes = 900 };
	struct world *w = fleet_world();
	struct wdevice *d = fleet_add(w,
	    &(struct fleet_device){ "a", 1, 64, NULL, NULL, NULL });
	struct wpod *p = fleet_pod(w, "p", "1m", "1Mi", NULL, NULL);
	struct fit_room room = p->room;

	cr_expect_eq(d->total.spec, MAX_DEVICE - d->dev->bytes);
	cr_expect_eq(d->used.spec, 0);
	room.spec = 1000;
	world_set_room(p, room);
	strcpy(p->app, "app");
	world_seat(w, p, d);
	cr_expect_eq(d->used.spec, 1000);
	read_again(w, d, &e, 5000);
	cr_expect_eq(d->total.spec, MAX_DEVICE - 5000 + 900);
	cr_expect_eq(d->used.spec, 900);
	w->nodes[0].retry = 0;
	read_again(w, d, NULL, MAX_DEVICE + 1);
	cr_expect_eq(d->total.spec, 0, "others may have more than that");
	cr_expect_eq(w->nodes[0].retry, 0);
	world_unseat(w, p);
	cr_expect_eq(d->used.spec, 0);
	w->nodes[0].retry = 0;
	read_again(w, d, NULL, 5000);
	cr_expect_eq(w->nodes[0].retry, 1, "there is room again");
	fleet_free(w);
}
