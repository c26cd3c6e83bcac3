/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_POLLS_H
#define T_SIM_FLIGHT_POLLS_H

/* Long polls for a device's rendered spec, and the heartbeats they are. */

#include "t/sim/flight.h"

struct flight_device;
struct web_req;

struct flight_polls *flight_polls_new(struct flight *);
void flight_polls_free(struct flight_polls *);

/* Takes the request.  from_agent: the poll is a heartbeat. */
void flight_poll(struct flight *, struct flight_device *, struct web_req *,
    int from_agent);
/* A new version is there. */
void flight_polls_wake(struct flight *, struct flight_device *);
/* The device goes: its polls run out. */
void flight_polls_orphan(struct flight *, struct flight_device *);

/* A poll that started now; stored with the next batch. */
void flight_heartbeat(struct flight *, struct flight_device *);

/* What the clocks do from time to time, now: store, and look who is silent. */
void flight_store_heartbeats(struct flight *);
void flight_look_out(struct flight *);

#endif
