/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_HISTORY_H
#define T_SIM_FLIGHT_HISTORY_H

struct web_req;

/* GET /events */
void flight_history(struct web_req *, void *);

#endif
