/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_PAUSE_H
#define T_SIM_FLIGHT_PAUSE_H

/* Devices after a restore of the database: nothing is rendered for them. */

#include <stdint.h>

struct flight;
struct flight_device;
struct web_req;

/* As the restore of a database so many rendered versions older marks it. */
void flight_await(struct flight *, struct flight_device *, uint64_t versions);
void flight_conflict(struct flight *, struct flight_device *);
/* Its first poll, with the version it has. */
void flight_reconnected(struct flight *, struct flight_device *,
    const char *known);

/* POST /deviceactions/resume */
void flight_resume(struct web_req *, void *);

#endif
