/* SPDX-License-Identifier: ISC */
#ifndef T_IT_FLEET_H
#define T_IT_FLEET_H

/* Figures of a fleet and of its node. */

#include <json-c/json_object.h>
#include <stdint.h>

struct fleet_sum {
	int64_t cpu_m, memory; /* thousandths, bytes */
};

/* Of all devices in the set, by what they report of their machines. */
struct fleet_sum fleet_sum(struct json_object *set);

/* status.capacity or status.allocatable of a Node; -1: none. */
int64_t node_cpu_m(struct json_object *node, const char *which);
int64_t node_bytes(struct json_object *node, const char *which);

#endif
