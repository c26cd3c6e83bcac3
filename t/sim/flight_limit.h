/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_LIMIT_H
#define T_SIM_FLIGHT_LIMIT_H

/*
 * The service's limiter: so many requests in a sliding window, all callers
 * being one address here; GET /auth/validate in a window of its own besides.
 */

#include "t/sim/flight.h"

struct web_req;

struct flight_limit *flight_limit_new(void); /* off */
void flight_limit_free(struct flight_limit *);

/* requests 0: off (no headers).  Windows in milliseconds. */
void flight_limit_set(struct flight *, unsigned int requests, int64_t window,
    unsigned int auth_requests, int64_t auth_window);

/* Adds the headers; 1: over the limit, and answered. */
int flight_limit_gate(struct flight *, struct web_req *);

#endif
