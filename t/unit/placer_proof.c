/* SPDX-License-Identifier: ISC */
/*
 * Which images are known to be good: at most two devices try one that nobody
 * applied, and the others come after them.
 */
#include "placer/proof.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define MANY 5

struct stage {
	struct world *w;
	struct wdevice *d[MANY];
	struct wpod *p[MANY];
};

static const struct now now = { 1000, 1000 };

static void
set_up(struct stage *s, const char *image)
{
	char name[8];
	int i;

	s->w = fleet_world();
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		s->d[i] = fleet_add(s->w,
		    &(struct fleet_device){ name, 64, 8192, NULL, NULL, NULL });
		*name = 'p';
		s->p[i] = fleet_pod(s->w, name, "1", "1Mi", NULL, NULL);
		s->p[i]->pod->containers[0].image_id = quadlet_image_id(image);
		world_seat(s->w, s->p[i], s->d[i]);
	}
}

static void
tear_down(struct stage *s)
{
	fleet_free(s->w);
	NO_LEAKS();
}

/* As plan.c does: what may be written is queued.  1: it was. */
static int
look(struct stage *s, int i)
{
	proof_leave(s->p[i]);
	if (proof_waits(s->w, s->p[i], now) != NULL)
		return 0;
	world_queue(s->w, s->p[i], IO_SET);
	return 1;
}

static int
look_at_all(struct stage *s)
{
	int i, n = 0;

	for (i = 0; i < MANY; i++)
		n += look(s, i);
	return n;
}

/* Sent, stored, applied. */
static void
apply(struct stage *s, int i)
{
	world_queue(s->w, s->p[i], IO_NONE);
	s->p[i]->sent = s->p[i]->applied = 1;
	s->p[i]->sent_images = s->p[i]->pod->images;
	proof_applied(s->w, s->p[i]);
}

/* Nobody is looked at but who is due from now on. */
static size_t
due(struct stage *s)
{
	size_t n = 0;

	while (world_next_pod(s->w, 1000) != NULL)
		n++;
	return n;
}

Test(proof, two_devices_try_and_the_others_follow_the_first_that_has_it)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	(void)due(&s);
	proof_look(s.w, now);
	cr_assert_eq(due(&s), 0, "nobody is looked at in vain");
	apply(&s, 1);
	cr_assert_eq(due(&s), 3);
	cr_assert_eq(look_at_all(&s), MANY);
	tear_down(&s);
}

Test(proof, who_gives_up_makes_room_for_one)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	(void)due(&s);
	world_queue(s.w, s.p[0], IO_NONE);
	proof_look(s.w, now);
	cr_assert_eq(due(&s), 3);
	cr_assert(look(&s, 2));
	cr_assert(!look(&s, 3) && !look(&s, 0));
	tear_down(&s);
}

Test(proof, pods_of_a_device_count_once)
{
	struct stage s;

	set_up(&s, "x:1");
	world_unseat(s.w, s.p[1]);
	world_seat(s.w, s.p[1], s.d[0]);
	cr_assert(look(&s, 0) && look(&s, 1) && look(&s, 2));
	cr_assert(!look(&s, 3));
	world_queue(s.w, s.p[0], IO_NONE);
	cr_assert(!look(&s, 3), "the other one tries still");
	tear_down(&s);
}

Test(proof, two_names_of_an_image_are_one_and_another_architecture_is_another)
{
	struct stage s;
	int i;

	set_up(&s, "x");
	cr_assert(look(&s, 0));
	apply(&s, 0);
	for (i = 1; i < MANY; i++)
		s.p[i]->pod->containers[0].image_id =
		    quadlet_image_id("docker.io/library/x:latest");
	cr_assert(look(&s, 1));
	s.d[2]->dev->arch[0] = 'b';
	s.d[3]->dev->arch[0] = 'b';
	s.d[4]->dev->arch[0] = 'b';
	cr_assert(look(&s, 2) && look(&s, 3));
	cr_assert(!look(&s, 4));
	tear_down(&s);
}

Test(proof, each_image_of_a_pod_counts)
{
	static const char both[] =
	    "\"initContainers\":[{\"name\":\"i\",\"image\":\"x\"}]";
	struct wpod *two;
	struct stage s;

	set_up(&s, "x");
	cr_assert_eq(look_at_all(&s), 2);
	two = fleet_pod(s.w, "two", "1", "1Mi", NULL, both);
	world_seat(s.w, two, s.d[4]);
	cr_assert_str_eq(proof_waits(s.w, two, now), "x");
	tear_down(&s);
}

Test(proof, after_a_restart_it_is_read_off_pods_and_devices)
{
	struct stage s;
	int i;

	set_up(&s, "x:1");
	for (i = 0; i < 2; i++) {
		s.p[i]->sent = s.p[i]->unread = 1;
		s.p[i]->sent_images = s.p[i]->pod->images;
	}
	cr_assert(!look(&s, 2));
	s.p[0]->unread = 0;
	s.p[0]->applied = 1;
	proof_list(s.w);
	cr_assert(look(&s, 2) && look(&s, 3) && look(&s, 4));
	tear_down(&s);
}

Test(proof, who_waits_may_go)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	world_unseat(s.w, s.p[4]);
	world_drop_pod(s.w, s.p[4]);
	world_drop_device(s.w, s.d[4]);
	apply(&s, 0);
	cr_assert(look(&s, 3));
	tear_down(&s);
}

Test(proof, what_is_known_is_bounded_and_the_oldest_goes_first)
{
	struct stage s;
	int i;

	set_up(&s, "x:1");
	apply(&s, 0);
	for (i = 0; i < PROOF_MAX - 1; i++) {
		s.p[1]->pod->containers[0].image_id = 1000 + (uint64_t)i;
		apply(&s, 1);
	}
	cr_assert(look(&s, 2) && look(&s, 3) && look(&s, 4));
	s.p[1]->pod->containers[0].image_id = 1;
	apply(&s, 1);
	for (i = 2; i < MANY; i++)
		world_queue(s.w, s.p[i], IO_NONE);
	cr_assert(look(&s, 2) && look(&s, 3));
	cr_assert(!look(&s, 4));
	tear_down(&s);
}

Test(proof, what_was_withheld_with_others_still_tries)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	world_queue(s.w, s.p[0], IO_NONE);
	s.p[0]->sent = s.p[0]->withheld = 1;
	s.p[0]->sent_images = s.p[0]->pod->images;
	cr_expect(!look(&s, 2));
	s.p[0]->withheld = 0; /* and its entry is nowhere */
	cr_expect(look(&s, 2));
	tear_down(&s);
}

Test(proof, a_device_that_is_away_proves_nothing_and_gives_its_place)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	cr_assert(!look(&s, 2));
	s.d[0]->dev->summary = DEVICE_POWERED_OFF;
	cr_expect(look(&s, 2));
	tear_down(&s);
}

Test(proof, an_update_that_did_not_arrive_proves_nothing)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	s.p[0]->sent_images = s.p[0]->pod->images + 1;
	proof_applied(s.w, s.p[0]);
	cr_expect(!look(&s, 2));
	tear_down(&s);
}

Test(proof, a_device_that_goes_gives_its_place)
{
	struct stage s;

	set_up(&s, "x:1");
	cr_assert_eq(look_at_all(&s), 2);
	cr_assert(!look(&s, 2));
	proof_drop(s.w->proofs, s.d[0]);
	cr_expect(look(&s, 2));
	tear_down(&s);
}
