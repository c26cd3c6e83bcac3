/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_PAUSE_H
#define T_SIM_FLIGHT_PAUSE_H

/* Devices after a restore of the database: nothing is rendered for them. */

struct flight;
struct flight_device;
struct web_req;

/* As the restore marks it. */
void flight_await(struct flight *, struct flight_device *);
void flight_conflict(struct flight *, struct flight_device *);
/* Its first poll, with the version it has. */
void flight_reconnected(struct flight *, struct flight_device *,
    const char *known);

/* POST /deviceactions/resume */
void flight_resume(struct web_req *, void *);

#endif
