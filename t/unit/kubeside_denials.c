/* SPDX-License-Identifier: ISC */
/* What is not allowed is said once, and nothing else keeps it from that. */
#include "kubeside/denials.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct denials d;

static int
note(const char *message, int64_t now_ms)
{
	return denials_note(&d, span_of("{}"), message, now_ms);
}

Test(denials, a_right_that_is_missing_is_said_once_when_it_lasts)
{
	static const char patch[] =
	    "pods \"a\" is forbidden: User \"u\" cannot patch resource "
	    "\"pods/status\" in API group \"\" in the namespace \"n\"";
	static const char other[] =
	    "pods \"b\" is forbidden: User \"u\" cannot patch resource "
	    "\"pods/status\" in API group \"\" in the namespace \"n\"";

	cr_expect(!note(patch, 1000));
	cr_expect(!note(other, 5999));
	cr_expect(note(other, 6000));
	cr_expect(!note(patch, 7000), "the same, of another pod");
	cr_expect(!note(" cannot get x", 7000));
	cr_expect(note(" cannot get x", 12000));
}

Test(denials, a_policy_is_one_refusal_whatever_the_pod)
{
	cr_expect(!note("pods \"a\" is forbidden: by policy p", 1000));
	cr_expect(note("pods \"b\" is forbidden: by policy p", 6000));
	cr_expect(!note("pods \"c\" is forbidden: by policy p", 12000));
}

/* Recorded; the name in it is each time another. */
Test(denials, a_namespace_that_ends_is_no_missing_right)
{
	static const char form[] =
	    "events \"e%d\" is forbidden: unable to create new content in "
	    "namespace dying%d because it is being terminated";
	static const char body[] =
	    "{\"kind\":\"Status\",\"details\":{\"kind\":\"events\",\"causes\":"
	    "[{\"reason\":\"NamespaceTerminating\",\"message\":\"namespace "
	    "dying is being terminated\",\"field\":\"metadata.namespace\"}]}}";
	char message[256];
	int i;

	for (i = 0; i < 2 * DENIALS_MAX; i++) {
		snprintf(message, sizeof(message), form, i, i);
		cr_expect(!denials_note(&d, span_of(body), message, 1000));
		cr_expect(!denials_note(&d, span_of(body), message, 60000));
	}
	cr_expect_eq(d.count, 0);
}

Test(denials, the_one_not_heard_of_for_longest_goes)
{
	char message[256];
	int i;

	cr_expect(!note(" cannot list pods", 0));
	for (i = 0; i < 3 * DENIALS_MAX; i++) {
		snprintf(message, sizeof(message), " cannot get x%d", i);
		cr_expect(!note(message, i));
		if (i % 8 == 0)
			cr_expect(!note(" cannot list pods", i));
	}
	cr_expect_eq(d.count, DENIALS_MAX);
	cr_expect(note(" cannot list pods", 6000), "heard of all the time");
	/* When it is full a new one is still said. */
	cr_expect(!note(" cannot watch pods", 6000));
	cr_expect(note(" cannot watch pods", 11000));
}
