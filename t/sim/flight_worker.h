/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_WORKER_H
#define T_SIM_FLIGHT_WORKER_H

/*
 * The one worker of the service: one event at a time, in order.  It renders
 * specs (annotations, condition, status: two or three steps of the
 * resourceVersion) and finds owners after label changes.
 */

#include "t/sim/flight.h"

struct flight_device;

struct flight_worker *flight_worker_new(struct flight *);
void flight_worker_free(struct flight_worker *);

/* The spec of a device changed (or may have). */
void flight_worker_render(struct flight *, struct flight_device *);
/* Labels of a device, or a fleet, changed. */
void flight_worker_own(struct flight *, struct flight_device *);
/* A fleet is new or changed. */
void flight_worker_fleet(struct flight *, const char *name);
/* Not later than this turn: how a device is that was always there. */
void flight_render_now(struct flight *, struct flight_device *);
/* render_ms < 0 stops it: what comes waits. */
void flight_worker_pace(struct flight *, int64_t render_ms);
size_t flight_worker_waiting(const struct flight *);

#endif
