/* SPDX-License-Identifier: ISC */
/* What a list tells of its devices. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/scan.h"
#include "common/xmem.h"
#include "flightside/census.h"
#include "t/unit/golden.h"

#define DEVICE(name, meta, spec, summary, info)                        \
	"{\"metadata\":{\"name\":\"" name "\"" meta "},\"spec\":" spec \
	",\"status\":{\"summary\":{\"status\":\"" summary              \
	"\"},\"systemInfo\":{" info "}}}"
#define SIZED "\"cpuCores\":\"4\",\"memoryTotalKb\":\"8000000\","

static struct census
taken(const char *items, const char *meta)
{
	AUTO_FREE char *list =
	    xasprintf("{\"items\":[%s],\"metadata\":{%s}}", items, meta);
	struct census c;

	cr_assert_eq(census_take(span_of(list), &c), 0, "%s", list);
	return c;
}

Test(census, each_is_counted_for_what_it_is)
{
	struct census c =
	    taken(DEVICE("a", "", "{}", "Online",
		      SIZED "\"agentVersion\":\"v1\"") "," DEVICE("b",
		      ",\"owner\":\"Fleet/x\"", "{}", "Degraded",
		      SIZED "\"agentVersion\":\"v2\"") "," DEVICE("c",
		      ",\"owner\":\"Fleet/y\"",
		      "{\"decommissioning\":{\"target\":\"Unenroll\"}}",
		      "Unknown", "\"agentVersion\":\"v1\"") "," DEVICE("d",
		      ",\"owner\":null", "{\"decommissioning\":null}",
		      "Unknown", "\"cpuCores\":\"4\",\"agentVersion\":\"\""),
		"");

	cr_expect_eq(c.devices, 4);
	cr_expect_eq(c.looked_at, 4);
	cr_expect_eq(c.online, 2);
	cr_expect_eq(c.owned, 2);
	cr_expect_str_eq(c.owned_name, "b");
	cr_expect_str_eq(c.owner, "Fleet/x");
	cr_expect_eq(c.leaving, 1);
	cr_expect_eq(c.silent, 2, "half a size is none");
	cr_expect_str_eq(c.silent_name, "c");
	cr_expect_eq(c.nagents, 2);
	cr_expect_str_eq(c.agents[1], "v2");
}

Test(census, those_of_later_pages_are_devices_too)
{
	struct census c = taken(DEVICE("a", "", "{}", "Online",
				    SIZED "\"agentVersion\":\"v1\""),
	    "\"continue\":\"x\",\"remainingItemCount\":119");

	cr_expect_eq(c.devices, 120);
	cr_expect_eq(c.looked_at, 1);
}

/* It becomes a word of a command. */
Test(census, what_is_no_name_names_no_device)
{
	struct census c =
	    taken(DEVICE("a;id", ",\"owner\":\"Fleet/x\"", "{}", "Online",
		      "") "," DEVICE("b", ",\"owner\":\"Fleet/x\"", "{}",
		      "Online", ""),
		"");

	cr_expect_eq(c.looked_at, 2);
	cr_expect_eq(c.owned, 1);
	cr_expect_str_eq(c.owned_name, "b");
	cr_expect_str_eq(c.silent_name, "b");
}

Test(census, an_empty_fleet)
{
	struct census c = taken("", "");

	cr_expect_eq(c.devices, 0);
}

Test(census, as_the_real_service_lists_them)
{
	AUTO_FREE char *text =
	    golden_read("flightctl", "104-devices-page-1.json");
	struct span body;
	struct census c;

	cr_assert_not_null(text, "run from the root of the tree");
	cr_assert_eq(scan_get(span_of(text), &body, "response", "body", NULL),
	    1);
	cr_assert_eq(census_take(body, &c), 0);
	cr_expect_gt(c.devices, c.looked_at, "there are more pages");
	cr_expect_gt(c.looked_at, 0);
}

Test(census, what_is_no_list)
{
	struct census c;

	cr_expect_eq(census_take(span_of("{}"), &c), -1);
	cr_expect_eq(census_take(span_of("{\"items\":[{]}"), &c), -1);
}
