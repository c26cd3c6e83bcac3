/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_H
#define T_SIM_FLIGHT_H

/*
 * The simulated Flightctl service v1.2.0: what its parts share.  One thread,
 * one event base; every part keeps a pointer to this and owns one member.
 */

#include <stdint.h>
#include <stdio.h>

#include "t/sim/edge.h"

struct cert_ca;
struct event_base;
struct flight_auth;
struct flight_enrol;
struct flight_events;
struct flight_faults;
struct flight_fleets;
struct flight_limit;
struct flight_polls;
struct flight_store;
struct flight_worker;
struct web;

struct flight_conf {
	int64_t render_ms;     /* one event of the worker */
	int64_t disconnect_ms; /* silence that makes a device Unknown */
	int64_t wait_ms;       /* a long poll without news */
	int64_t batch_ms;      /* heartbeats are stored so often */
	int64_t refuse_ms;     /* a 401 for an expired token takes so long */
	int64_t patch_ms;      /* between read and write of a PATCH */
	int64_t latency_ms;    /* before any answer */
	struct edge_conf edge; /* of embedded devices */
	const char *dir;       /* certificates and tokens */
};

struct flight {
	struct event_base *base;
	struct flight_conf conf;
	struct flight_store *store;
	struct flight_events *events;
	struct flight_worker *worker;
	struct flight_polls *polls;
	struct flight_fleets *fleets;
	struct flight_enrol *enrol;
	struct flight_auth *auth;
	struct flight_limit *limit;
	struct flight_faults *faults;
	struct cert_ca *ca;	   /* signs servers */
	struct cert_ca *client_ca; /* signs devices */
	struct web *api, *agent;
	FILE *diary;
	unsigned int in_patch; /* a PATCH is between read and write */
};

/* Wall clock in microseconds. */
int64_t flight_us(void);

#endif
