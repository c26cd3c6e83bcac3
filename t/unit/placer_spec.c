/* SPDX-License-Identifier: ISC */
/*
 * What must hold of the machine of a device's spec, whatever rows the table
 * has: every combination of facts is tried.
 */
#include "placer/spec.h"

#include <criterion/criterion.h>

#define ROWS 18

struct each {
	struct spec_facts f;
	struct spec_verdict v;
};

static struct each all[SPEC_NWRITES * SPEC_NVERSIONS * SPEC_NSEARCHES *
    SPEC_NQUEUES * SPEC_NDOORS * SPEC_NMOTIONS];
static size_t nall;

static void
add(const unsigned int n[6])
{
	struct spec_facts f = { 1u << n[0], 1u << n[1], 1u << n[2], 1u << n[3],
		1u << n[4], 1u << n[5] };

	all[nall++] = (struct each){ f, spec_decide(&f) };
}

/* Counts up as an odometer does. */
static void
fill(void)
{
	static const unsigned int of[6] = { SPEC_NWRITES, SPEC_NVERSIONS,
		SPEC_NSEARCHES, SPEC_NQUEUES, SPEC_NDOORS, SPEC_NMOTIONS };
	unsigned int n[6] = { 0 }, i;

	nall = 0;
	do {
		add(n);
		for (i = 0; i < 6 && ++n[i] == of[i]; i++)
			n[i] = 0;
	} while (i < 6);
}

TestSuite(spec, .init = fill);

#define FOR_EACH(x) for (struct each *x = all; x < all + nall; x++)

Test(spec, every_combination_meets_a_row_and_every_row_is_met)
{
	unsigned int met = 0;

	cr_assert_eq(nall, sizeof(all) / sizeof(all[0]));
	FOR_EACH(x)
	{
		cr_expect(x->v.rule >= 1 && x->v.rule <= ROWS);
		met |= 1u << x->v.rule;
	}
	cr_expect_eq(met, (1u << (ROWS + 1)) - 2, "%x", met);
}

Test(spec, nothing_is_written_while_a_write_is_on_its_way)
{
	FOR_EACH(x)
	if (x->f.write == FLYING)
		cr_expect(x->v.action == SPEC_DO_AWAIT && x->v.read == REST);
}

Test(spec, nothing_is_written_past_a_door_that_is_not_open)
{
	FOR_EACH(x)
	if (x->f.door != OPEN)
		cr_expect(x->v.action != SPEC_DO_WRITE &&
			x->v.action != SPEC_DO_NUDGE &&
			x->v.action != SPEC_DO_RETRY,
		    "rule %u", x->v.rule);
}

Test(spec, a_removal_waits_for_no_render_no_device_and_no_search)
{
	FOR_EACH(x)
	if (x->f.queue == REMOVAL && x->f.door == OPEN &&
	    x->f.write != FLYING && x->f.write != NEVER_READ)
		cr_expect(x->v.action == SPEC_DO_WRITE ||
			x->v.action == SPEC_DO_JUDGE || /* then anew */
			x->v.action == SPEC_DO_PARK,
		    "rule %u", x->v.rule);
}

Test(spec, an_addition_waits_until_the_write_before_it_is_rendered)
{
	FOR_EACH(x)
	if (x->f.queue == ADDITION && x->v.action == SPEC_DO_WRITE)
		cr_expect(x->f.write & (RENDERED | STALLED), "rule %u",
		    x->v.rule);
}

Test(spec, an_addition_never_waits_for_what_the_device_makes_of_the_last)
{
	FOR_EACH(x)
	if (x->f.queue == ADDITION && x->f.write == RENDERED &&
	    x->f.door == OPEN && !(x->f.version & (HUNG | BROKEN | BLOCKED)))
		cr_expect_eq(x->v.action, SPEC_DO_WRITE, "rule %u", x->v.rule);
}

Test(spec, judged_is_only_what_the_device_was_given)
{
	FOR_EACH(x)
	if (x->v.action == SPEC_DO_JUDGE)
		cr_expect(
		    x->f.write == RENDERED && (x->f.version & (HUNG | BROKEN)));
}

Test(spec, what_failed_is_judged_before_anything_is_written)
{
	FOR_EACH(x)
	if (x->f.write == RENDERED && (x->f.version & (HUNG | BROKEN)))
		cr_expect_eq(x->v.action, SPEC_DO_JUDGE);
}

Test(spec, what_was_refused_is_tried_again_when_nothing_else_is_to_be_written)
{
	FOR_EACH(x)
	{
		int refused = x->f.write == RENDERED &&
		    (x->f.version & (INNOCENT | SKIPPED));

		if (x->v.action == SPEC_DO_RETRY)
			cr_expect(refused && x->f.queue == EMPTY);
		if (refused && x->f.queue == EMPTY && x->f.door == OPEN &&
		    x->f.motion == MOVING)
			cr_expect_eq(x->v.action, SPEC_DO_RETRY, "rule %u",
			    x->v.rule);
	}
}

Test(spec, suspects_come_back_only_when_all_that_was_tried_holds)
{
	FOR_EACH(x)
	if (x->v.action == SPEC_DO_RELEASE)
		cr_expect(x->f.search == SEARCHING && x->f.queue == EMPTY &&
		    x->f.write == RENDERED && x->f.version == SETTLED);
}

Test(spec, whoever_waits_for_a_device_hears_of_it)
{
	FOR_EACH(x)
	if (x->f.motion == MOVING && x->f.write != FLYING)
		cr_expect(x->v.read != REST, "rule %u", x->v.rule);
	FOR_EACH(x)
	if (x->f.search == SEARCHING && x->v.action == SPEC_DO_AWAIT &&
	    x->f.write != FLYING)
		cr_expect(x->v.read == POLL, "rule %u", x->v.rule);
}

Test(spec, a_device_at_rest_is_not_polled)
{
	FOR_EACH(x)
	if (x->v.state == SPEC_CLEAN)
		cr_expect(x->v.read == REST && x->f.motion == STILL &&
		    x->f.queue == EMPTY);
}
