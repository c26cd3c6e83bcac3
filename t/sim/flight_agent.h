/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_AGENT_H
#define T_SIM_FLIGHT_AGENT_H

/* The agent endpoint: mTLS, a few calls. */

#include <stdint.h>

struct flight;
struct web;
struct web_tls;
struct why;

struct web *flight_agent_open(struct flight *, uint16_t port,
    const struct web_tls *, struct why *);

#endif
