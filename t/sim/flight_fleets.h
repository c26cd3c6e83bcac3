/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_FLEETS_H
#define T_SIM_FLIGHT_FLEETS_H

/* Fleets: their selector finds devices, their template becomes the spec. */

#include <stddef.h>

#include "t/sim/flight.h"

struct flight_device;
struct json_object;
struct web_req;

struct flight_fleets *flight_fleets_new(void);
void flight_fleets_free(struct flight_fleets *);
size_t flight_fleets_count(const struct flight *);

/* Owner of a device by its labels, as the worker finds it. */
void flight_fleets_match(struct flight *, struct flight_device *);
/* An owner by hand, "Fleet/NAME" or NULL; the spec stays. */
void flight_fleet_own(struct flight *, struct flight_device *,
    const char *owner);
/* The spec with the template was rendered. */
void flight_fleet_rendered(struct flight_device *);
/* 1: the fleet has a newer template than the device. */
int flight_fleet_is_behind(const struct flight *, const struct flight_device *);

/* /fleets, /fleets/NAME */
void flight_fleets_list(struct web_req *, void *);
void flight_fleets_get(struct web_req *, void *);
void flight_fleets_put(struct web_req *, void *);
void flight_fleets_delete(struct web_req *, void *);

#endif
