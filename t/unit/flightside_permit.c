/* SPDX-License-Identifier: ISC */
/* What a token may do, by the answers of the real service. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/scan.h"
#include "flightside/permit.h"
#include "t/unit/golden.h"

#define PROVIDER "013-auth-permissions-provider.json"
#define VIEWER "014-auth-permissions-viewer.json"
#define ADMIN "015-auth-permissions-admin.json"

static int
may(const char *recording, const char *verb, const char *resource)
{
	AUTO_FREE char *text = golden_read("flightctl", recording);
	struct span body;

	cr_assert_not_null(text, "run from the root of the tree");
	cr_assert_eq(scan_get(span_of(text), &body, "response", "body", NULL),
	    1);
	return permit_has(body, verb, resource);
}

Test(permit, an_operator_may_all_that_we_need)
{
	cr_expect_eq(may(PROVIDER, "list", "devices"), 1);
	cr_expect_eq(may(PROVIDER, "update", "devices"), 1);
	cr_expect_eq(may(PROVIDER, "list", "events"), 1, "as any resource");
	cr_expect_eq(may(PROVIDER, "list", "organizations"), 1);
}

Test(permit, a_viewer_may_read_only)
{
	cr_expect_eq(may(VIEWER, "get", "devices"), 1);
	cr_expect_eq(may(VIEWER, "update", "devices"), 0);
}

/* "devices/console": no operations, though "*" has some. */
Test(permit, its_own_entry_stands_in_place_of_any)
{
	cr_expect_eq(may(VIEWER, "get", "devices/console"), 0);
	cr_expect_eq(may(PROVIDER, "get", "devices/console"), 1);
}

Test(permit, any_operation_on_any_resource)
{
	cr_expect_eq(may(ADMIN, "update", "devices"), 1);
	cr_expect_eq(may(ADMIN, "list", "events"), 1);
}

Test(permit, what_is_no_such_answer_is_no_right)
{
	static const char *const texts[] = { "{}", "{\"permissions\":{}}",
		"{\"permissions\":[{}]}", "[]", "",
		"{\"permissions\":[{\"resource\":\"devices\"}]}",
		"{\"permissions\":[{\"resource\":\"x\",\"operations\":1}]}" };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_eq(permit_has(span_of(texts[i]), "get", "x"), -1,
		    "%s", texts[i]);
	cr_expect_eq(permit_has(span_of("{\"permissions\":[]}"), "get",
			 "devices"),
	    0);
}
