/* SPDX-License-Identifier: ISC */
#ifndef T_IT_FLIGHT_H
#define T_IT_FLIGHT_H

/*
 * Flightctl as an administrator sees it.  There is no watch: waiting is
 * reading every 100 ms until the deadline.
 */

#include <json-c/json_object.h>
#include <stdint.h>

struct http;

void flight_open(struct http *, const char *fleet); /* stays the caller's */

/* From now on the devices of another fleet are listed too. */
void flight_also(const char *fleet);

/* One device, NULL: 404. */
struct json_object *flight_device(const char *name);

/* All devices of the fleet(s): an object, name to Device. */
struct json_object *flight_devices(void);
struct json_object *flight_every(void); /* of whatever fleet */

/* 1: the service has stored when it saw that device last. */
int flight_has_seen(const char *name);

/* Of all devices: how often containers were restarted, as they say. */
int64_t flight_restarts(struct json_object *set);

/*
 * 1: none was, and of simulated devices no running workload ever got other
 * bytes.
 */
int flight_is_undisturbed(struct json_object *set);

/* Of all devices: how often their specs were written, by whomever. */
int64_t flight_generations(struct json_object *set);

typedef int flight_fn(struct json_object *set, void *arg);
int flight_await(flight_fn *, void *arg, int ms);

/* Takes the body; status. */
long flight_send(const char *method, const char *path, struct json_object *body,
    struct json_object **out);

/* A PUT that may be refused: just its status. */
long flight_put(const char *path, struct json_object *body);

/* The labels, members of an object, take the place of all the device had. */
void flight_relabel(const char *name, const char *labels);

/* --- our entries --------------------------------------------------------- */

/* Names of applications with our mark in all specs: how many. */
size_t flight_count(struct json_object *set);

/* A device that has none of them, borrowed; dies when each has one. */
const char *flight_unused(struct json_object *set);
int flight_is_unused(struct json_object *set, const char *name);

/* Of these, how many are in the spec of another device too. */
size_t flight_doubled(struct json_object *set);

/* The same of all reports: what devices have, wanted or not. */
size_t flight_reported(struct json_object *set);

/*
 * The device whose spec holds the application of pod ns/name with that UID;
 * *n says how many do (NULL allowed).  NULL: none.  Borrowed from set.
 */
struct json_object *flight_holder(struct json_object *set, const char *uid,
    size_t *n);

/* The application of that pod in spec.applications, or NULL. */
struct json_object *flight_application(struct json_object *device,
    const char *uid);

/* 1: the device says that the application of that pod is Running. */
int flight_reports(struct json_object *device, const char *uid);

/* 1: within ms no spec of the fleet holds that pod and no report names it. */
int flight_await_removed(const char *uid, int ms);

#endif
