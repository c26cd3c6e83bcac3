/* SPDX-License-Identifier: ISC */
/*
 * The text of /metrics.
 */
#include "placer/metrics.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

#define OWNED "vk_flightctl_devices_owned{fleet=\"\",owner="

Test(metrics, commits_are_a_counter)
{
	struct world *w = fleet_world();
	char *text;

	w->commits = UINT64_C(1) << 40;
	text = metrics_text(w);
	cr_expect(strstr(text,
		      "# TYPE vk_flightctl_store_commits_total counter\n"
		      "vk_flightctl_store_commits_total 1099511627776\n"),
	    "%s", text);
	free(text);
	fleet_free(w);
	NO_LEAKS();
}

Test(metrics, devices_of_fleets_are_counted_by_owner)
{
	static const char *const owners[] = { "Fleet/x", "Fleet/y", "Fleet/x",
		NULL };
	static const char *const names[] = { "a", "b", "c", "d" };
	struct world *w = fleet_world();
	char *text, *at;
	size_t i, n = 0;

	for (i = 0; i < 4; i++)
		fleet_add(w,
		    &(struct fleet_device){ names[i], 4, 1024, NULL, owners[i],
			NULL });
	text = metrics_text(w);
	cr_expect(strstr(text, OWNED "\"Fleet/x\"} 2\n"), "%s", text);
	cr_expect(strstr(text, OWNED "\"Fleet/y\"} 1\n"), "%s", text);
	for (at = text; (at = strstr(at, OWNED)) != NULL; at++)
		n++;
	cr_expect_eq(n, 2, "each once");
	free(text);
	fleet_free(w);
	NO_LEAKS();
}
