/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_STORE_H
#define T_SIM_FLIGHT_STORE_H

/* The devices of the service, by name. */

#include <stddef.h>

struct flight_device;
struct flight_store;

struct flight_store *flight_store_new(void);
void flight_store_free(struct flight_store *); /* and its devices */

struct flight_device *flight_store_get(const struct flight_store *,
    const char *name);
/* Taken; its name must be new. */
void flight_store_add(struct flight_store *, struct flight_device *);
/* Out of the store, and the caller's. */
struct flight_device *flight_store_take(struct flight_store *,
    const char *name);

size_t flight_store_count(const struct flight_store *);
struct flight_device *flight_store_at(const struct flight_store *, size_t i);
/* Index of the first whose name is not below this one. */
size_t flight_store_from(const struct flight_store *, const char *name);

#endif
