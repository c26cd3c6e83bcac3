/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_FAULTS_H
#define T_SIM_FLIGHT_FAULTS_H

/*
 * What tests do to the service: hanging, slowness, errors on demand, answers
 * that are cut; and what they ask: requests by verb and path.
 */

#include <stddef.h>

#include "t/sim/flight.h"

struct out;
struct web_req;

struct flight_faults *flight_faults_new(struct flight *);
void flight_faults_free(struct flight_faults *);

/* 1: the request was taken, and goes on later or never. */
int flight_faults_gate(struct flight *, struct web_req *);
int flight_faults_agent_gate(struct flight *, struct web_req *);

/* Requests wait until the second call. */
void flight_hang(struct flight *, int on);
/* The next n requests that fit get this status; method "*": any. */
void flight_fail_next(struct flight *, const char *method,
    const char *path_glob, int code, unsigned int n);
/* The next n answers that fit are cut after so many bytes of their body. */
void flight_cut_next(struct flight *, const char *method, const char *path_glob,
    size_t bytes, unsigned int n);

/* {"GET /api/v1/devices":12,...} of the user API. */
void flight_counts_write(struct out *, const struct flight *);
void flight_counts_reset(struct flight *);

/* Appends each request's method and target; NULL: no more.  -1: errno. */
int flight_history_to(struct flight *, const char *path);

#endif
