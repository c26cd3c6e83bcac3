/* SPDX-License-Identifier: ISC */
/* Fleets of Flightctl, as recorded, and which of them name one of ours. */
#include "flightside/rivals.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/scan.h"
#include "flightside/fleets.h"
#include "golden.h"

/* The body of a recorded answer; *text is the caller's. */
static struct span
recorded(const char *name, char **text)
{
	struct span body;
	char file[64];

	(void)snprintf(file, sizeof(file), "%s.json", name);
	*text = golden_read("flightctl", file);
	cr_assert_not_null(*text, "%s", name);
	cr_assert_eq(scan_get(span_of(*text), &body, "response", "body", NULL),
	    1);
	return body;
}

Test(rivals, one_by_name_and_with_its_devices)
{
	struct rival f;
	struct why why;
	char *text;

	cr_assert_eq(rival_read(recorded("613-fleet-get", &text), &f, &why), 0,
	    "%s", why.text);
	cr_expect_str_eq(f.name, "red");
	cr_expect_str_eq(f.selector, "group=red");
	cr_expect_eq(f.devices, -1, "nobody asked for them");
	free(text);
	cr_assert_eq(rival_read(recorded("624-fleet-get-summary", &text), &f,
			 &why),
	    0, "%s", why.text);
	cr_expect_str_eq(f.name, "red");
	cr_expect_eq(f.devices, 1);
	free(text);
}

#define FLEET(selector) \
	"{\"metadata\":{\"name\":\"x\"},\"spec\":{" selector "}}"
#define MATCH(labels) FLEET("\"selector\":{\"matchLabels\":" labels "}")

Test(rivals, what_selects_nothing_has_no_selector)
{
	static const char *const texts[] = { FLEET(""),
		FLEET("\"selector\":{}"), MATCH("null"), MATCH("{}"),
		MATCH("[\"a\"]") };
	struct rival f;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_assert_eq(rival_read(span_of(texts[i]), &f, &why), 0,
		    "%s: %s", texts[i], why.text);
		cr_expect_str_eq(f.selector, "");
	}
}

Test(rivals, what_is_malformed_is_refused)
{
	static const char *const texts[] = { "", "7", "{}", MATCH("{\"a\":7}"),
		MATCH("{\"a\""), "{\"metadata\":{\"name\":\"../x\"}}" };
	struct rival f;
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(rival_read(span_of(texts[i]), &f, &why), -1, "%s",
		    texts[i]);
}

Test(rivals, a_selector_that_is_long_is_cut)
{
	char text[2200];
	struct rival f;
	struct why why;

	(void)snprintf(text, sizeof(text), MATCH("{\"a\":\"%0999d\"}"), 0);
	cr_assert_eq(rival_read(span_of(text), &f, &why), 0, "%s", why.text);
	cr_expect_eq(strlen(f.selector), MAX_TEXT);
}

Test(rivals, one_names_a_fleet_of_ours_by_its_label)
{
	struct settings s;
	struct fleets *fleets;
	struct rival f;
	struct why why;
	const char *named;

	settings_init(&s);
	cr_assert_eq(settings_set(&s, SET_FLEET_ID, "a,b", &why), 0);
	fleets = fleets_new(&s, &why);
	cr_assert_eq(rival_read(span_of(MATCH("{\"x\":\"y\",\"fleet\":\"b\"}")),
			 &f, &why),
	    0);
	named = fleets_named(fleets, f.match);
	cr_assert_not_null(named);
	cr_expect_str_eq(named, "b");
	cr_expect_str_eq(f.selector, "x=y,fleet=b");
	cr_assert_eq(rival_read(span_of(MATCH("{\"fleet\":\"c\"}")), &f, &why),
	    0);
	cr_expect_null(fleets_named(fleets, f.match));
	fleets_free(fleets);
	settings_free(&s);
}
