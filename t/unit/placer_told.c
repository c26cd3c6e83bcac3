/* SPDX-License-Identifier: ISC */
/*
 * What was told is kept, bounded, and one cause is one trouble.
 */
#include "placer/told.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "t/unit/leaks.h"

struct seen {
	size_t n;
	uint64_t count;
	char first[64], last[64];
};

static void
note(void *arg, const struct told_line *l)
{
	struct seen *s = arg;

	snprintf(s->n++ == 0 ? s->first : s->last, 64, "%s", l->text);
}

static void
note_trouble(void *arg, const struct told_line *l, uint64_t count)
{
	((struct seen *)arg)->count += count;
	note(arg, l);
}

static void
say(struct told *t, int warning, const char *reason, const char *text)
{
	told_add(t,
	    &(struct told_line){ .kind = TOLD_EVENT,
		.warning = warning,
		.reason = reason,
		.text = text });
}

Test(told, the_last_are_kept_in_order)
{
	struct told *t = told_new();
	struct seen s = { 0 };
	char text[16];
	int i;

	for (i = 0; i < TOLD_KEPT + 7; i++) {
		snprintf(text, sizeof(text), "%d", i);
		say(t, 0, "R", text);
	}
	told_each(t, note, &s);
	cr_expect_eq(s.n, TOLD_KEPT);
	cr_expect_str_eq(s.first, "7");
	cr_expect_str_eq(s.last, "518");
	told_free(t);
	NO_LEAKS();
}

Test(told, who_listens_hears_each_at_once)
{
	struct told *t = told_new();
	struct seen s = { 0 };

	say(t, 0, "R", "before");
	told_listen(t, note, &s);
	say(t, 0, NULL, "after");
	cr_expect_eq(s.n, 1);
	cr_expect_str_eq(s.first, "after");
	told_listen(t, NULL, NULL);
	say(t, 0, NULL, "later");
	cr_expect_eq(s.n, 1);
	told_free(t);
	NO_LEAKS();
}

/* A crowd of one cause pushes out none of the others. */
Test(told, one_cause_is_one_trouble_the_latest_first)
{
	struct told *t = told_new();
	struct seen s = { 0 };
	char reason[32];
	int i;

	say(t, 1, "", "a line");
	say(t, 1, "", "another");
	say(t, 0, "Fine", "no trouble");
	for (i = 0; i < 1000; i++) {
		snprintf(reason, sizeof(reason), "no room on %d", i);
		say(t, 1, "NoRoom", reason);
	}
	say(t, 1, "", "a line");
	told_troubles(t, note_trouble, &s);
	cr_expect_eq(s.n, 3);
	cr_expect_eq(s.count, 1003);
	cr_expect_str_eq(s.first, "a line");
	cr_expect_str_eq(s.last, "another");
	for (i = 0; i < TOLD_TROUBLES; i++) {
		snprintf(reason, sizeof(reason), "R%d", i);
		say(t, 1, reason, reason);
	}
	s = (struct seen){ 0 };
	told_troubles(t, note_trouble, &s);
	cr_expect_eq(s.n, TOLD_TROUBLES);
	cr_expect_eq(s.count, TOLD_TROUBLES);
	cr_expect_str_eq(s.first, "R15");
	cr_expect_str_eq(s.last, "R0");
	told_free(t);
	NO_LEAKS();
}
