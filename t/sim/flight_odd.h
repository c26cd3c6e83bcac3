/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_ODD_H
#define T_SIM_FLIGHT_ODD_H

/* Other writers, and devices as no service would send them. */

#include <stddef.h>

struct flight;
struct flight_device;
struct flight_pairs;
struct out;

/* Another user replaces the labels. */
void flight_odd_labels(struct flight *, struct flight_device *,
    const struct flight_pairs *);
/* Another user adds an application in front of all; -1: cannot. */
int flight_odd_foreign(struct flight *, struct flight_device *,
    const char *app);
/* Another user takes those away that fit; how many. */
size_t flight_odd_remove(struct flight *, struct flight_device *,
    const char *app_glob);

/* From now on it is sent with a member of that many bytes in its spec. */
void flight_odd_size(struct flight_device *, size_t bytes);
/* From now on members have types that no schema has. */
void flight_odd_types(struct flight_device *);

/* {"devices":{"Online":3},"pods":{"Running":7},"specs":7,"settled":3} */
void flight_odd_summary(struct out *, struct flight *);

#endif
