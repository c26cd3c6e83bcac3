/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_API_H
#define T_SIM_FLIGHT_API_H

/* The user API: routes and what stands in front of them. */

#include <stdint.h>

struct flight;
struct web;
struct web_req;
struct web_tls;
struct why;

struct web *flight_api_open(struct flight *, uint16_t port,
    const struct web_tls *, struct why *);

/* Limits, token, organisation: 1: the request was answered. */
int flight_api_enter(struct flight *, struct web_req *);

/* The pattern of the route a request goes to, its path when to none. */
const char *flight_api_pattern(const struct web_req *);

#endif
