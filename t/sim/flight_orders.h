/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_ORDERS_H
#define T_SIM_FLIGHT_ORDERS_H

/* Commands of flightsim about devices, and what all commands share. */

#include <stdint.h>

struct evbuffer;
struct flight;
struct flight_device;

/* An error's text: -1. */
int flight_say(struct evbuffer *, const char *);
/* -1: none, and said so. */
int flight_number(struct evbuffer *, const char *, int64_t *);
/* NULL: there is none, and said so. */
struct flight_device *flight_named(struct flight *, const char *name,
    struct evbuffer *);

/* For struct control_cmd; what they do is in the table's usage. */
int flight_order_disconnect(int, char **, struct evbuffer *, void *);
int flight_order_connect(int, char **, struct evbuffer *, void *);
int flight_order_apply_ms(int, char **, struct evbuffer *, void *);
int flight_order_fail_app(int, char **, struct evbuffer *, void *);
int flight_order_agent_restart(int, char **, struct evbuffer *, void *);
int flight_order_flap(int, char **, struct evbuffer *, void *);
int flight_order_add_device(int, char **, struct evbuffer *, void *);
int flight_order_delete_device(int, char **, struct evbuffer *, void *);
int flight_order_set_owner(int, char **, struct evbuffer *, void *);
int flight_order_decommission(int, char **, struct evbuffer *, void *);
int flight_order_set_labels(int, char **, struct evbuffer *, void *);
int flight_order_foreign_app(int, char **, struct evbuffer *, void *);
int flight_order_remove_app(int, char **, struct evbuffer *, void *);
int flight_order_oversize(int, char **, struct evbuffer *, void *);
int flight_order_garble(int, char **, struct evbuffer *, void *);
int flight_order_heal(int, char **, struct evbuffer *, void *);
int flight_order_await(int, char **, struct evbuffer *, void *);
int flight_order_conflict(int, char **, struct evbuffer *, void *);
int flight_order_age(int, char **, struct evbuffer *, void *);
int flight_order_heartbeats(int, char **, struct evbuffer *, void *);
int flight_order_look_out(int, char **, struct evbuffer *, void *);
int flight_order_remade(int, char **, struct evbuffer *, void *);

#endif
