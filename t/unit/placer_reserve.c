/* SPDX-License-Identifier: ISC */
/*
 * Which device is kept for a pod that waits for room, and since when it waits.
 */
#include "placer/reserve.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "placer/pick.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define NOW INT64_C(100000000)
#define MINUTE INT64_C(60000)

static const struct now now = { .boot_ms = NOW, .wall_ms = 9 * NOW };

static struct world *
two_devices(int used_by_a, int used_by_b)
{
	struct world *w = fleet_world();
	struct pick_answer a;
	struct wpod *p;
	char cpu[16];
	int i;

	for (i = 0; i < 2; i++) {
		struct wdevice *d = fleet_add(w,
		    &(struct fleet_device){ i == 0 ? "a" : "b", 4, 8192, NULL,
			NULL, NULL });

		snprintf(cpu, sizeof(cpu), "%d",
		    i == 0 ? used_by_a : used_by_b);
		p = fleet_pod(w, i == 0 ? "on-a" : "on-b", cpu, "1Mi", NULL,
		    NULL);
		world_seat(w, p, d);
	}
	p = fleet_pod(w, "big", "4", "1Mi", NULL, NULL);
	pick_device(&w->nodes[0], p, 1, &a); /* sorts the table */
	cr_assert_null(a.device);
	return w;
}

static struct wpod *
big(struct world *w)
{
	return world_pod(w, "uid-big");
}

Test(reserve, the_device_is_kept_that_lacks_least)
{
	struct world *w = two_devices(3, 1);

	cr_expect_str_eq(pick_nearest(&w->nodes[0], big(w))->name, "b");
	fleet_free(w);
	w = two_devices(1, 3);
	cr_expect_str_eq(pick_nearest(&w->nodes[0], big(w))->name, "a");
	fleet_free(w);
	NO_LEAKS();
}

Test(reserve, a_pod_waits_since_its_condition_says_so_and_not_for_longer)
{
	struct world *w = two_devices(3, 1);
	struct wpod *p = big(w);

	p->pod->seen.cond[COND_DEVICE].status = TRUTH_FALSE;
	p->pod->seen.cond[COND_DEVICE].since_ms = now.wall_ms - 4 * MINUTE;
	reserve_look(w, p, now);
	cr_expect_eq(p->room_boot, NOW - 4 * MINUTE);
	cr_expect_null(p->reserves);
	p->room_boot = 0;
	p->pod->seen.cond[COND_DEVICE].since_ms = now.wall_ms + MINUTE;
	reserve_look(w, p, now);
	cr_expect_eq(p->room_boot, NOW, "the wall jumped back");
	p->room_boot = 0;
	p->pod->seen.cond[COND_DEVICE].since_ms = now.wall_ms - 50 * MINUTE;
	reserve_look(w, p, now);
	cr_expect_eq(p->room_boot, NOW - 5 * MINUTE);
	cr_expect_not_null(p->reserves);
	reserve_end(p);
	fleet_free(w);
	NO_LEAKS();
}

Test(reserve, one_device_of_two_is_kept_at_a_time)
{
	struct world *w = two_devices(3, 3);
	struct now later = now;
	struct wpod *p = big(w), *q;

	q = fleet_pod(w, "too", "4", "1Mi", NULL, NULL);
	reserve_look(w, p, now);
	reserve_look(w, q, now);
	later.boot_ms += 5 * MINUTE;
	reserve_look(w, p, later);
	reserve_look(w, q, later);
	cr_expect(p->reserves != NULL && q->reserves == NULL);
	w->nodes[0].retry = 0;
	reserve_end(p);
	cr_expect(w->nodes[0].retry, "others may have it now");
	reserve_look(w, q, later);
	cr_expect_not_null(q->reserves);
	reserve_end(q);
	fleet_free(w);
	NO_LEAKS();
}
