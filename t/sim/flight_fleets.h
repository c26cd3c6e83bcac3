/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_FLEETS_H
#define T_SIM_FLIGHT_FLEETS_H

/* Fleets: their selector finds devices, their template becomes the spec. */

#include <stddef.h>

#include "t/sim/flight.h"
#include "t/sim/flight_device.h"

struct web_req;

struct flight_fleet {
	char *name;
	struct flight_pairs labels, match;
	char *spec; /* device spec of the template */
	int valid;  /* the worker has looked at it */
	char *hash; /* of the whole spec */
	uint64_t generation, resource_version, template;
	int64_t created_us;
};

struct flight_fleets *flight_fleets_new(void);
void flight_fleets_free(struct flight_fleets *);
size_t flight_fleets_count(const struct flight *);

struct flight_fleet *flight_fleet_at(const struct flight *, size_t i);
struct flight_fleet *flight_fleet_get(const struct flight *, const char *name);
/* Empty, in its place. */
struct flight_fleet *flight_fleet_add(struct flight *, const char *name);
void flight_fleet_drop(struct flight *, struct flight_fleet *);
/* Its fleet, or NULL. */
const struct flight_fleet *flight_fleet_of(const struct flight *,
    const struct flight_device *);
/* The worker's part: a version of the template, and its rollout. */
void flight_fleet_validate(struct flight *, const char *name);
/* A fleet changed: the worker looks at all devices. */
void flight_fleets_match_all(struct flight *);

/* Owner of a device by its labels, as the worker finds it. */
void flight_fleets_match(struct flight *, struct flight_device *);
/* An owner by hand, "Fleet/NAME" or NULL; the spec stays. */
void flight_fleet_own(struct flight *, struct flight_device *,
    const char *owner);
/* The spec with the template was rendered. */
void flight_fleet_rendered(struct flight_device *);
/* 1: the fleet has a newer template than the device. */
int flight_fleet_is_behind(const struct flight *, const struct flight_device *);

/* /fleets, /fleets/NAME (flight_fleet_api.c) */
void flight_fleets_list(struct web_req *, void *);
void flight_fleets_get(struct web_req *, void *);
void flight_fleets_put(struct web_req *, void *);
void flight_fleets_delete(struct web_req *, void *);

#endif
