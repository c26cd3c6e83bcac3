/* SPDX-License-Identifier: ISC */
/* How often all is listed, and which organisation and fleets are. */
#include "flightside/pages.h"

#include <criterion/criterion.h>
#include <string.h>

#include "flightside/fleets.h"
#include "flightside/org.h"
#include "t/unit/flightfake.h"
#include "t/unit/said.h"

Test(pages, period_follows_bytes_and_pages)
{
	cr_assert_eq(pages_period(1000, 1, 240, 300000), 30000);
	cr_assert_eq(pages_period(200000000, 1, 240, 300000), 100000);
	cr_assert_eq(pages_period(1000, 40, 240, 300000), 60000);
	cr_assert_eq(pages_period(1000, 40, 60, 300000), 240000);
	cr_assert_eq(pages_period(1000, 40, 960, 300000), 30000);
	cr_assert_eq(pages_period(UINT64_C(1) << 40, 4000, 240, 300000),
	    300000);
	cr_assert_eq(pages_period(1000, 1, 240, 5000), 5000);
}

Test(pages, page_is_about_four_megabytes)
{
	cr_assert_eq(pages_limit(0, 0), 100);
	cr_assert_eq(pages_limit(4000000, 1000), 1000);
	cr_assert_eq(pages_limit(400, 1), 1000);
	cr_assert_eq(pages_limit(20000000, 100), 20);
	cr_assert_eq(pages_limit(UINT64_C(800000000), 100), 10);
}

#define ORG "{\"metadata\":{\"name\":\"0-1\"},\"spec\":{\"displayName\":\"D\"}}"

static int
pick(const char *answer, char org[ORG_SIZE], struct why *why)
{
	return org_pick(span_of(answer), "", org, why);
}

Test(org, the_only_one_is_meant_and_of_several_none)
{
	char org[ORG_SIZE];
	struct why why;

	cr_assert_eq(pick("{\"items\":[" ORG "]}", org, &why), 0);
	cr_assert_str_eq(org, "0-1");
	cr_assert_eq(pick("{\"items\":[" ORG ",{\"metadata\":{\"name\":"
			  "\"0-2\"}}]}",
			 org, &why),
	    -1);
	cr_assert_eq(why.kind, ERR_DENIED);
	cr_assert_not_null(strstr(why.text,
			       "FLIGHTCTL_ORG to one of: 0-1 (D), 0-2"),
	    "%s", why.text);
	cr_assert_eq(pick("{\"items\":[]}", org, &why), -1);
	cr_assert_eq(why.kind, ERR_DENIED);
}

Test(org, what_is_no_list_is_told)
{
	static const struct {
		const char *answer, *error;
	} cases[] = {
		{ "{\"items\":[{}]}", "organizations: an item without a name" },
		{ "<html>", "organizations: no list" },
		{ "{}", "organizations: no list" },
		{ "{\"items\":{}}", "organizations: no list" },
		{ "{\"items\":[" ORG "}", "organizations: no list" },
	};
	char org[ORG_SIZE];
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(pick(cases[i].answer, org, &why), -1, "%s",
		    cases[i].answer);
		cr_expect_eq(why.kind, ERR_FORMAT);
		cr_expect_str_eq(why.text, cases[i].error);
	}
}

#define TWO "{\"items\":[" ORG ",{\"metadata\":{\"name\":\"0-2\"}}]}"

Test(org, the_wanted_one_must_be_there)
{
	char org[ORG_SIZE];
	struct why why;

	cr_assert_eq(org_pick(span_of(TWO), "0-2", org, &why), 0);
	cr_assert_str_eq(org, "0-2");
	cr_assert_eq(org_pick(span_of(TWO), "0-3", org, &why), -1);
	cr_assert_eq(why.kind, ERR_DENIED);
	cr_assert_str_eq(why.text,
	    "FLIGHTCTL_ORG=0-3: the Flightctl token does not belong to this "
	    "organization, but to 0-1 (D), 0-2");
	cr_assert_eq(org_pick(span_of("{\"items\":[]}"), "0-3", org, &why), -1);
	cr_assert_str_eq(why.text,
	    "the Flightctl token belongs to no organization");
}

Test(org, a_refused_organization_is_no_missing_right)
{
	cr_assert(org_is_refused(403,
	    "GET x: 403: access denied to "
	    "organization"));
	cr_assert(org_is_refused(403, "user belongs to no organizations"));
	cr_assert(org_is_refused(400, "invalid organization ID format"));
	cr_assert(!org_is_refused(403, "Forbidden"));
	cr_assert(!org_is_refused(404, "access denied to organization"));
}

static struct fleets *
fleets_of(const char *list)
{
	struct settings s;
	struct fleets *f;
	struct why why;

	settings_init(&s);
	cr_assert_eq(settings_set(&s, SET_FLEET_ID, list, &why), 0);
	f = fleets_new(&s, &why);
	cr_assert_not_null(f, "%s", why.text);
	settings_free(&s);
	return f;
}

static int
have(const struct fleets *f, const char *labels)
{
	struct base b = { .labels = span_of(labels) };

	return fleets_have(f, &b);
}

Test(fleets, selector_and_check_agree)
{
	struct fleets *f = fleets_of("a,b");

	cr_assert_eq(fleets_count(f), 1);
	cr_assert_str_eq(fleets_selector(f, 0), "fleet in (a,b)");
	cr_assert(have(f, "{\"fleet\":\"a\"}"));
	cr_assert(have(f, "{\"x\":1,\"fleet\":\"b\"}"));
	cr_assert(!have(f, "{\"fleet\":\"c\"}"));
	cr_assert(!have(f, "{\"fleet\":7}"));
	cr_assert(!have(f, "{}"));
	cr_assert(!have(f, ""));
	fleets_free(f);
	f = fleets_of("");
	cr_assert_eq(fleets_count(f), 1);
	cr_assert_null(fleets_selector(f, 0));
	cr_assert(have(f, ""));
	fleets_free(f);
}

Test(fleets, many_are_asked_for_in_several_requests)
{
	char list[2200] = "";
	struct fleets *f;
	size_t i, n = 0;

	for (i = 0; i < 32; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n,
		    "%s%02zu%060d", i > 0 ? "," : "", i, 7);
	f = fleets_of(list);
	cr_assert_gt(fleets_count(f), 3);
	for (i = n = 0; i < fleets_count(f); i++) {
		const char *p = fleets_selector(f, i);

		cr_assert_leq(strlen(p), 600);
		for (n++; (p = strchr(p, ',')) != NULL; p++)
			n++;
	}
	cr_assert_eq(n, 32);
	fleets_free(f);
}

/* -- what is no list, and what in one is no device -- */

static struct {
	unsigned int rounds;
	int complete;
	char good[64], bad[1024], text[512];
} round_of;

static void
on_begin(uint64_t round, int64_t read_boot, void *arg)
{
	(void)round, (void)read_boot, (void)arg;
}

static int
on_device(struct span device, int64_t read_boot, void *arg)
{
	(void)read_boot, (void)arg;
	snprintf(round_of.good, sizeof(round_of.good), "%.*s", (int)device.len,
	    device.p);
	return 0;
}

static int
on_bad(const char *name, int64_t read_boot, const struct why *why, void *arg)
{
	(void)read_boot, (void)arg;
	snprintf(round_of.bad, sizeof(round_of.bad), "%s: %s", name, why->text);
	return 0;
}

static void
on_end(uint64_t round, int complete, int64_t read_boot, const char *text,
    void *arg)
{
	(void)round, (void)read_boot, (void)arg;
	round_of.rounds++;
	round_of.complete = complete;
	snprintf(round_of.text, sizeof(round_of.text), "%s", text);
}

#define GOOD "{\"metadata\":{\"name\":\"a\"}}"
#define NONE "the device is no JSON, or metadata.name is no name of one"
#define UNREADABLE "a device in the list has no readable name: " NONE "\n"
#define CONTINUE                                                      \
	"list of devices: metadata.continue is no text of less than " \
	"1024 bytes"

Test(pages, what_cannot_be_read_is_told_and_spoils_no_other, .timeout = 60)
{
	static const struct {
		const char *answer, *text, *bad, *log;
	} cases[] = {
		{ "{\"items\":[7," GOOD "]}", "", "", UNREADABLE },
		{ "{\"items\":[{\"metadata\":{\"name\":\"E_\"}}," GOOD "]}", "",
		    "", UNREADABLE },
		{ "{\"items\":[{\"metadata\":{\"name\":\"b\"},?}," GOOD "]}",
		    "", "b: " NONE, "" },
		{ "{\"items\":[" GOOD "],\"metadata\":{\"continue\":7}}",
		    CONTINUE, "", "" },
	};
	static const struct pages_ops ops = { on_begin, on_device, on_bad,
		on_end };
	struct fleets *fleets;
	struct pages *pages;
	struct why why;
	size_t i;

	fake_start();
	fake_set(SET_FLIGHTCTL_RATE, "100000");
	fake_open();
	said_start();
	fleets = fleets_new(&fake.settings, &why);
	pages = pages_new(fake.base, fake.flight, fleets, &fake.settings, &ops,
	    NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		said_start();
		memset(&round_of, 0, sizeof(round_of));
		pages_start(pages);
		(void)fake_asked();
		fake_reply(200, cases[i].answer);
		FAKE_UNTIL(round_of.rounds > 0);
		cr_expect_eq(round_of.complete, cases[i].text[0] == '\0');
		cr_expect_str_eq(round_of.text, cases[i].text);
		cr_expect_str_eq(round_of.good, GOOD);
		cr_expect_str_eq(round_of.bad, cases[i].bad);
		cr_expect_str_eq(said(), cases[i].log);
	}
	said_stop();
	pages_free(pages);
	fleets_free(fleets);
	fake_stop();
}
