/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_ENROL_H
#define T_SIM_FLIGHT_ENROL_H

/* Enrolment: requests for certificates and for becoming a device. */

#include "t/sim/flight.h"

struct out;
struct web_req;

struct flight_enrol *flight_enrol_new(void);
void flight_enrol_free(struct flight_enrol *);

/* The request of a device that was deleted goes with it. */
void flight_enrol_forget(struct flight *, const char *name);

/* User API. */
void flight_enrol_config(struct web_req *, void *);
void flight_enrol_list(struct web_req *, void *);
void flight_enrol_get(struct web_req *, void *);
void flight_enrol_approve(struct web_req *, void *);
void flight_signing_post(struct web_req *, void *);

/* Agent endpoint, with the enrolment certificate. */
void flight_enrol_agent_post(struct web_req *, void *);
void flight_enrol_agent_get(struct web_req *, void *);

#endif
