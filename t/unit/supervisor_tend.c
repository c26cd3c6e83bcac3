/* SPDX-License-Identifier: ISC */
/* When workers are started, asked, killed, linked and stopped. */
#include "supervisor/tend.h"

#include <criterion/criterion.h>
#include <string.h>

#include "supervisor/link.h"
#include "supervisor/relog.h"

static uint64_t seed = 5;

static uint64_t
rnd(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static enum tend_do
turn(struct tend *t, int64_t now)
{
	int64_t wake = -1;
	enum tend_do d = tend_turn(t, now, &wake);

	if (d == TEND_WAIT)
		cr_assert(wake > now, "would spin");
	return d;
}

static int64_t
wake(struct tend *t, int64_t now)
{
	int64_t at = -1;

	cr_assert(tend_turn(t, now, &at) == TEND_WAIT);
	return at;
}

Test(supervisor_tend, starts_at_once)
{
	struct tend t;

	tend_init(&t, 1000);
	cr_assert(turn(&t, 1000) == TEND_START);
	cr_assert(turn(&t, 1000) == TEND_WAIT);
}

Test(supervisor_tend, back_off_doubles_to_its_bound)
{
	int64_t now = 0, delay, before = 0;
	struct tend t;
	int i;

	tend_init(&t, now);
	for (i = 0; i < 20; i++) {
		cr_assert(turn(&t, now) == TEND_START);
		delay = tend_ended(&t, now);
		cr_assert(delay ==
		    (before == 0 ? TEND_DELAY_MIN_MS :
			    before * 2 < TEND_DELAY_MAX_MS ?
				   before * 2 :
				   TEND_DELAY_MAX_MS));
		cr_assert(wake(&t, now + delay - 1) == now + delay);
		now += delay;
		before = delay;
	}
	cr_assert(before == TEND_DELAY_MAX_MS);
}

Test(supervisor_tend, long_life_forgives)
{
	struct tend t;
	int i;

	tend_init(&t, 0);
	for (i = 0; i < 5; i++) {
		cr_assert(turn(&t, i * 60000) == TEND_START);
		(void)tend_ended(&t, i * 60000 + 5);
	}
	cr_assert(turn(&t, 400000) == TEND_START);
	cr_assert(
	    tend_ended(&t, 400000 + TEND_HEALTHY_MS) == TEND_DELAY_MIN_MS);
}

/* Ready and answering: asked every so often, never killed. */
Test(supervisor_tend, answering_worker_lives)
{
	int64_t now = 0;
	struct tend t;
	int i;

	tend_init(&t, now);
	cr_assert(turn(&t, now) == TEND_START);
	tend_ready(&t, now);
	for (i = 0; i < 100; i++) {
		now = wake(&t, now);
		cr_assert(turn(&t, now) == TEND_PING);
		now += (int64_t)rnd(TEND_SILENT_MS);
		cr_assert(turn(&t, now) == TEND_WAIT);
		tend_pong(&t, now);
	}
}

Test(supervisor_tend, silent_worker_is_aborted_then_killed)
{
	struct tend t;
	int64_t now;

	tend_init(&t, 0);
	cr_assert(turn(&t, 0) == TEND_START);
	tend_ready(&t, 0);
	now = wake(&t, 0);
	cr_assert(turn(&t, now) == TEND_PING);
	now = wake(&t, now);
	cr_assert(now == TEND_PING_MS + TEND_SILENT_MS);
	cr_assert(turn(&t, now) == TEND_ABORT);
	tend_pong(&t, now); /* too late */
	now = wake(&t, now);
	cr_assert(turn(&t, now) == TEND_KILL);
	cr_assert(wake(&t, now) == INT64_MAX);
	cr_assert(tend_ended(&t, now) == TEND_DELAY_MIN_MS);
}

Test(supervisor_tend, worker_that_never_gets_ready_is_aborted)
{
	struct tend t;

	tend_init(&t, 0);
	cr_assert(turn(&t, 0) == TEND_START);
	cr_assert(wake(&t, 1) == TEND_SILENT_MS);
	cr_assert(turn(&t, TEND_SILENT_MS) == TEND_ABORT);
}

/* A placer that makes its database on a slow disk. */
Test(supervisor_tend, worker_that_says_so_may_start_slowly)
{
	int64_t now = 0;
	struct tend t;
	int i;

	tend_init(&t, now);
	cr_assert(turn(&t, now) == TEND_START);
	for (i = 0; i < 10; i++) {
		now += TEND_SILENT_MS - 1;
		cr_assert(turn(&t, now) == TEND_WAIT);
		tend_pong(&t, now);
		cr_assert(t.state == TEND_STARTING);
	}
	cr_assert(turn(&t, now + TEND_SILENT_MS) == TEND_ABORT);
}

Test(supervisor_tend, worker_without_link_is_killed_if_it_stays)
{
	struct tend t;

	tend_init(&t, 0);
	cr_assert(turn(&t, 0) == TEND_START);
	tend_ready(&t, 0);
	tend_closed(&t, 50);
	cr_assert(wake(&t, 50) == 50 + TEND_CLOSED_MS);
	cr_assert(turn(&t, 50 + TEND_CLOSED_MS) == TEND_KILL);
}

/* Whatever happens in whatever order: one process at most, no spinning. */
Test(supervisor_tend, any_order_of_events)
{
	int64_t now = 0;
	int alive = 0, i, starts = 0;
	struct tend t;

	tend_init(&t, now);
	for (i = 0; i < 200000; i++) {
		now += (int64_t)rnd(5000);
		switch (rnd(6)) {
		case 0:
			if (alive)
				tend_ready(&t, now);
			break;
		case 1:
			tend_pong(&t, now);
			break;
		case 2:
			if (alive)
				tend_closed(&t, now);
			break;
		case 3:
			if (alive)
				(void)tend_ended(&t, now);
			alive = 0;
			break;
		default:
			if (turn(&t, now) == TEND_START) {
				cr_assert(!alive);
				alive = 1;
				starts++;
			}
		}
	}
	cr_assert(starts > 100);
}

static enum tend_stop_do
stop_turn(struct tend_stop *s, const uint8_t *alive, int64_t now,
    enum proc *who)
{
	int64_t at = -1;
	enum tend_stop_do d = tend_stop_turn(s, alive, now, &at, who);

	if (d == STOP_WAIT)
		cr_assert(at > now, "would spin");
	return d;
}

Test(supervisor_tend, placer_stops_first_each_after_the_other)
{
	uint8_t alive[PROC_COUNT] = { 0, 1, 1, 1 };
	static const enum proc order[] = { PROC_PLACER, PROC_FLIGHTSIDE,
		PROC_KUBESIDE };
	struct tend_stop s;
	enum proc who;
	int i;

	tend_stop_init(&s, 0);
	for (i = 0; i < 3; i++) {
		cr_assert(stop_turn(&s, alive, 10 * i, &who) == STOP_TELL);
		cr_assert(who == order[i]);
		cr_assert(stop_turn(&s, alive, 10 * i, &who) == STOP_WAIT);
		alive[who] = 0;
	}
	cr_assert(stop_turn(&s, alive, 40, &who) == STOP_DONE);
}

/* Whoever lives or hangs: all are told in time, killed at 4.5 s, once. */
Test(supervisor_tend, stop_ends_in_time)
{
	uint8_t alive[PROC_COUNT], told[PROC_COUNT];
	int64_t now, at = 0;
	enum tend_stop_do d;
	struct tend_stop s;
	enum proc who;
	int mask, killed;

	for (mask = 1; mask < 8; mask++) {
		memset(told, 0, sizeof(told));
		alive[0] = 0;
		for (who = 1; who < PROC_COUNT; who++)
			alive[who] = (mask >> (who - 1) & 1) != 0;
		tend_stop_init(&s, 1000);
		for (now = 1000, killed = 0; !killed; now = at) {
			while ((d = tend_stop_turn(&s, alive, now, &at,
				    &who)) == STOP_TELL) {
				cr_assert(alive[who] && !told[who]);
				told[who] = 1;
			}
			killed = d == STOP_KILL;
			cr_assert(now <= 1000 + TEND_STOP_KILL_MS);
		}
		for (who = 1; who < PROC_COUNT; who++)
			cr_assert(told[who] == alive[who]);
		now = 1000 + TEND_STOP_KILL_MS;
		cr_assert(stop_turn(&s, alive, now, &who) == STOP_WAIT);
	}
}

Test(supervisor_tend, links_are_made_when_both_are_ready)
{
	uint8_t ready[PROC_COUNT] = { 0 };
	struct links l;
	int64_t at;
	enum proc a, b;

	link_init(&l);
	link_started(&l, PROC_KUBESIDE);
	ready[PROC_KUBESIDE] = 1;
	cr_assert(link_next(&l, ready, 0, &at, &a, &b) == 0);
	cr_assert(at == INT64_MAX);
	link_started(&l, PROC_PLACER);
	ready[PROC_PLACER] = 1;
	cr_assert(link_next(&l, ready, 0, &at, &a, &b) == 1);
	cr_assert(a == PROC_KUBESIDE && b == PROC_PLACER);
	cr_assert(link_next(&l, ready, 0, &at, &a, &b) == 0);
	link_started(&l, PROC_FLIGHTSIDE);
	ready[PROC_FLIGHTSIDE] = 1;
	cr_assert(link_next(&l, ready, 1, &at, &a, &b) == 1);
	cr_assert(a == PROC_FLIGHTSIDE);
	cr_assert(link_next(&l, ready, 1, &at, &a, &b) == 0);
}

Test(supervisor_tend, broken_links_are_made_anew_but_not_in_a_hurry)
{
	uint8_t ready[PROC_COUNT] = { 0, 1, 1, 1 };
	struct links l;
	int64_t at;
	enum proc a, b;

	link_init(&l);
	cr_assert(link_over(&l, PROC_KUBESIDE, PROC_FLIGHTSIDE, 0) == -1);
	cr_assert(link_over(&l, PROC_PLACER, PROC_PLACER, 0) == -1);
	cr_assert(link_over(&l, PROC_PLACER, PROC_SUPERVISOR, 0) == -1);
	cr_assert(link_over(&l, PROC_PLACER, PROC_KUBESIDE, 0) == 0);
	cr_assert(link_over(&l, PROC_KUBESIDE, PROC_PLACER, 0) == 0);
	cr_assert(link_next(&l, ready, 100, &at, &a, &b) == 1);
	cr_assert(link_made(&l, a, 100) == 1);
	cr_assert(link_next(&l, ready, 100, &at, &a, &b) == 0);
	cr_assert(link_over(&l, PROC_KUBESIDE, PROC_PLACER, 1) == 0);
	cr_assert(link_next(&l, ready, 101, &at, &a, &b) == 0);
	cr_assert(at == 100 + LINK_PACE_MS);
	cr_assert(link_next(&l, ready, at, &at, &a, &b) == 1);
}

/* Of each link that ends both ends say so; one new link is enough. */
Test(supervisor_tend, link_that_ended_is_made_anew_once)
{
	uint8_t ready[PROC_COUNT] = { 0, 1, 1, 1 };
	struct links l;
	int64_t at;
	enum proc a, b;

	link_init(&l);
	link_started(&l, PROC_KUBESIDE);
	cr_assert(link_next(&l, ready, 0, &at, &a, &b) == 1);
	cr_assert(link_made(&l, a, 0) == 1);
	cr_assert(link_over(&l, PROC_PLACER, PROC_KUBESIDE, 1) == 0);
	cr_assert(link_next(&l, ready, 9000, &at, &a, &b) == 1);
	cr_assert(link_made(&l, a, 9000) == 2);
	cr_assert(link_over(&l, PROC_KUBESIDE, PROC_PLACER, 1) == 0);
	cr_assert(link_next(&l, ready, 18000, &at, &a, &b) == 0);
	cr_assert(at == INT64_MAX);
	/* One that nobody made yet. */
	cr_assert(link_over(&l, PROC_KUBESIDE, PROC_PLACER, 3) == -1);
	cr_assert(link_over(&l, PROC_KUBESIDE, PROC_PLACER, 2) == 0);
	cr_assert(link_next(&l, ready, 18000, &at, &a, &b) == 1);
}

/* As of two builds, each of which refuses the other. */
Test(supervisor_tend, links_that_do_not_last_come_at_a_growing_distance)
{
	uint8_t ready[PROC_COUNT] = { 0, 1, 1, 1 };
	int64_t at = 0, now, want = LINK_PACE_MS;
	struct links l;
	enum proc a, b;
	int i;

	link_init(&l);
	for (i = 0; i < 10; i++) {
		now = at;
		(void)link_over(&l, PROC_KUBESIDE, PROC_PLACER,
		    l.pair[PROC_KUBESIDE].number);
		cr_assert(link_next(&l, ready, now, &at, &a, &b) == 1);
		link_made(&l, a, now);
		(void)link_over(&l, PROC_KUBESIDE, PROC_PLACER,
		    l.pair[PROC_KUBESIDE].number);
		cr_assert(link_next(&l, ready, now, &at, &a, &b) == 0);
		cr_assert(at == now + want, "%d: %ld", i, (long)(at - now));
		want = want * 2 > LINK_SLOW_MS ? LINK_SLOW_MS : want * 2;
	}
	/* One that lasted, and a worker that came anew, begin anew. */
	now = at;
	cr_assert(link_next(&l, ready, now, &at, &a, &b) == 1);
	now += LINK_LASTS_MS;
	link_made(&l, a, now);
	(void)link_over(&l, PROC_KUBESIDE, PROC_PLACER,
	    l.pair[PROC_KUBESIDE].number);
	cr_assert(link_next(&l, ready, now, &at, &a, &b) == 0);
	cr_assert(at == now + LINK_PACE_MS);
	link_started(&l, PROC_KUBESIDE);
	cr_assert(link_next(&l, ready, now, &at, &a, &b) == 1);
}

Test(supervisor_tend, link_of_which_nothing_came_is_tried_again)
{
	uint8_t ready[PROC_COUNT] = { 0, 1, 1, 1 };
	struct links l;
	int64_t at;
	enum proc a, b;

	link_init(&l);
	link_started(&l, PROC_KUBESIDE);
	cr_assert(link_next(&l, ready, 7, &at, &a, &b) == 1);
	cr_assert(link_next(&l, ready, 8, &at, &a, &b) == 0);
	link_again(&l, a);
	cr_assert(link_next(&l, ready, 8, &at, &a, &b) == 1);
	cr_assert(a == PROC_KUBESIDE && b == PROC_PLACER);
}

/* Whoever wants to know at once is told by the next PONG. */
Test(supervisor_tend, asked_at_once)
{
	struct tend t;

	tend_init(&t, 0);
	cr_assert(turn(&t, 0) == TEND_START);
	tend_ask(&t, 10);
	cr_assert(turn(&t, 10) == TEND_WAIT);
	tend_ready(&t, 20);
	cr_assert(t.heard == 20);
	tend_ask(&t, 30);
	cr_assert(turn(&t, 30) == TEND_PING);
	tend_ask(&t, 40);
	cr_assert(turn(&t, 40) == TEND_WAIT);
	cr_assert(wake(&t, 40) == 30 + TEND_SILENT_MS);
	cr_assert(t.heard == 20);
	tend_pong(&t, 50);
	cr_assert(t.heard == 50);
}

Test(supervisor_tend, mad_worker_fills_no_disk)
{
	unsigned int lost, written = 0, all_lost = 0;
	struct relog r;
	int64_t now;

	relog_init(&r, 0);
	for (now = 0; now < 10000; now++) {
		written += (unsigned int)relog_admit(&r, now, &lost);
		all_lost += lost;
		written += (unsigned int)relog_admit(&r, now, &lost);
		all_lost += lost;
	}
	cr_assert(written <= RELOG_BURST + 10 * RELOG_RATE);
	cr_assert(written >= RELOG_BURST + 10 * RELOG_RATE - 2);
	/* All that were left out are told, but for the latest. */
	cr_assert(all_lost + written + r.lost == 20000);
	cr_assert(relog_admit(&r, 1000000, &lost) == 1 && lost > 0);
}
