/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_EDGES_H
#define T_SIM_FLIGHT_EDGES_H

/* Devices that run in the process of the service: no TLS, thousands. */

#include "t/sim/edge.h"
#include "t/sim/flight.h"

struct flight_device;
struct flight_pairs;

/*
 * A device that is and was always there: rendered, applied, Online.  With
 * settled 0 it enrols now: first Unknown, with the flaps of its first time.
 */
struct flight_device *flight_edge_add(struct flight *, const char *name,
    const struct flight_pairs *labels, int settled);
/* It runs no more (the device object stays). */
void flight_edge_remove(struct flight_device *);

/* A version was rendered. */
void flight_edge_offer(struct flight *, struct flight_device *);

void flight_edge_connect(struct flight *, struct flight_device *, int on);
/* Unknown now, Online with the next push half a second later. */
void flight_edge_flap(struct flight *, struct flight_device *);
void flight_edge_restart(struct flight *, struct flight_device *);
void flight_edge_fail(struct flight *, struct flight_device *,
    const char *app_glob, enum edge_mode);
void flight_edge_apply_ms(struct flight *, struct flight_device *, int64_t);

#endif
