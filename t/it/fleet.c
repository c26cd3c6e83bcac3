/* SPDX-License-Identifier: ISC */
/*
 * fleet.c: sums over devices, quantities of a node.
 *
 * Owns nothing; counts by itself what the provider publishes.
 */
#include "t/it/fleet.h"

#include <stdlib.h>

#include "common/auto.h"
#include "common/quantity.h"
#include "common/xmem.h"
#include "t/it/js.h"

struct fleet_sum
fleet_sum(struct json_object *set)
{
	struct fleet_sum sum = { 0 };
	struct json_object *device;
	struct lh_entry *at = NULL;

	while (js_next(set, &at, NULL, &device)) {
		sum.cpu_m += 1000 *
		    strtoll(js_str(device, "/status/systemInfo/cpuCores"), NULL,
			10);
		sum.memory += 1024 *
		    strtoll(js_str(device, "/status/systemInfo/memoryTotalKb"),
			NULL, 10);
	}
	return sum;
}

static const char *
figure(struct json_object *node, const char *which, const char *resource)
{
	AUTO_FREE char *path = xasprintf("/status/%s/%s", which, resource);

	return js_str(node, path);
}

int64_t
node_cpu_m(struct json_object *node, const char *which)
{
	int64_t value;

	if (quantity_milli(span_of(figure(node, which, "cpu")), &value) == -1)
		return -1;
	return value;
}

int64_t
node_bytes(struct json_object *node, const char *which)
{
	int64_t value;

	if (quantity_value(span_of(figure(node, which, "memory")), &value) ==
	    -1)
		return -1;
	return value;
}
