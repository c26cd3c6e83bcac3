/* SPDX-License-Identifier: ISC */
/* What the placer is told of the workers. */
#include "supervisor/roll.h"

#include <criterion/criterion.h>
#include <string.h>

static void
start(struct roll *r, enum proc who, int64_t now)
{
	roll_state(r, who, TEND_STARTING, now);
	roll_state(r, who, TEND_READY, now + 1);
}

Test(supervisor_roll, each_is_told_once_until_it_changes)
{
	struct roll r = { 0 };
	const struct body_crew *m;

	cr_assert_null(roll_next(&r));
	start(&r, PROC_KUBESIDE, 10);
	start(&r, PROC_PLACER, 20);
	m = roll_next(&r);
	cr_assert(m->who == PROC_KUBESIDE && m->state == CREW_READY &&
	    m->since_boot == 11 && m->restarts == 0 && m->ended_boot == 0 &&
	    m->end[0] == '\0');
	cr_assert(roll_next(&r)->who == PROC_PLACER);
	cr_assert_null(roll_next(&r));
	roll_state(&r, PROC_KUBESIDE, TEND_READY, 99);
	cr_assert_null(roll_next(&r), "nothing is new");
}

Test(supervisor_roll, an_end_and_a_restart_are_counted)
{
	struct roll r = { 0 };
	const struct body_crew *m;

	start(&r, PROC_FLIGHTSIDE, 10);
	(void)roll_next(&r);
	roll_end(&r, PROC_FLIGHTSIDE, "signal 9 (Killed)", 500);
	roll_state(&r, PROC_FLIGHTSIDE, TEND_DOWN, 500);
	m = roll_next(&r);
	cr_assert(m->state == CREW_DOWN && m->restarts == 0 &&
	    m->ended_boot == 500 && !strcmp(m->end, "signal 9 (Killed)"));
	start(&r, PROC_FLIGHTSIDE, 600);
	m = roll_next(&r);
	cr_assert(m->state == CREW_READY && m->restarts == 1 &&
	    m->ended_boot == 500 && m->since_boot == 601);
}

Test(supervisor_roll, a_placer_that_comes_anew_is_told_all)
{
	struct roll r = { 0 };
	const struct body_crew *m;

	start(&r, PROC_KUBESIDE, 10);
	roll_refused(&r, PROC_KUBESIDE);
	(void)roll_next(&r);
	roll_forget(&r);
	m = roll_next(&r);
	cr_assert(m->who == PROC_KUBESIDE && m->refused == 1);
	cr_assert_null(roll_next(&r), "who is not here is not spoken of");
}

Test(supervisor_roll, a_long_end_is_cut)
{
	char how[2 * ROLL_END];
	struct roll r = { 0 };
	uint8_t bytes[512];
	struct wbuf b = { bytes, 0, sizeof(bytes) };

	memset(how, 'x', sizeof(how) - 1);
	how[sizeof(how) - 1] = '\0';
	roll_state(&r, PROC_PLACER, TEND_STARTING, 1);
	roll_end(&r, PROC_PLACER, how, 2);
	cr_assert(body_crew_put(&b, roll_next(&r)) == 0, "it can be sent");
}
