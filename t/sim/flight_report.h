/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_REPORT_H
#define T_SIM_FLIGHT_REPORT_H

/* Status pushes: what a device says of itself, stored. */

struct edge_report;
struct flight;
struct flight_device;
struct json_object;

/* Of a device in this process. */
void flight_report_edge(struct flight *, struct flight_device *,
    const struct edge_report *);
/* A status that came over the agent endpoint and passed its schema. */
void flight_report_json(struct flight *, struct flight_device *,
    struct json_object *status);

#endif
