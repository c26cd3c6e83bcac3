/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_DIARY_H
#define T_SIM_FLIGHT_DIARY_H

/*
 * What became of each device, a line for each change, in order:
 *	DEVICE spec NAME...		its spec names these applications
 *	DEVICE runs NAME=STATUS...	it reports these
 * flightsim's own devices only.
 */

struct edge_report;
struct flight;
struct flight_device;

/* Appended to that file from now on; NULL: no more.  -1: errno. */
int flight_diary_open(struct flight *, const char *path);

void flight_diary_spec(const struct flight *, const struct flight_device *);
void flight_diary_report(const struct flight *, const struct flight_device *,
    const struct edge_report *);

#endif
