/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_STATUS_H
#define T_SIM_FLIGHT_STATUS_H

/*
 * The status words that the service computes for a device, and the events
 * that their changes cause.
 */

#include <stdint.h>

#include "t/sim/flight_events.h"

struct flight;
struct flight_device;

/* 1: a word or its sentence changed (and events were written). */
int flight_compute(struct flight *, struct flight_device *, enum flight_source);
/* As if it had been seen right now: at a status push. */
int flight_compute_seen(struct flight *, struct flight_device *,
    enum flight_source);
/* Levels of cpu, memory and disk that were other ones before. */
void flight_tell_resources(struct flight *, const struct flight_device *,
    const char *const old[3], enum flight_source);
/* The words at creation: no events. */
void flight_compute_first(struct flight *, struct flight_device *);

#endif
