/* SPDX-License-Identifier: ISC */
#ifndef T_IT_GOLDEN_FLIGHT_H
#define T_IT_GOLDEN_FLIGHT_H

/* One replay: golden_flight.c has the order, golden_flight_play.c plays and
 * compares, golden_flight_setup.c makes what is to be there before. */

#include <stddef.h>

#include "t/it/golden_allow.h"

#define GOLDEN_FLIGHT "t/golden/flightctl"

struct json_object;

struct flight_replay {
	struct golden_allow *allow;
	char *dir;    /* flightsim's */
	char *keys;   /* certificates of devices */
	char *socket; /* its commands */
	char *api, *agent;
	char *expired; /* a token that is so from some row on */
	int standing;  /* the worker does nothing: nobody waits for it */
	const char *recording;
	unsigned int differences;
	char *first; /* the first difference that is not allowed */
};

/* --- requests (golden_flight_http.c) */
struct flight_request {
	const char *actor; /* "provider", "device", "enroll", "anonymous" */
	const char *method, *target;
	struct json_object *headers; /* [["Name","value"],...] or NULL */
	const char *body;	     /* NULL: none */
	const char *device;	     /* whose certificate; NULL: the path's */
};

struct flight_answer {
	long status;		     /* 0: none */
	struct json_object *headers; /* {"name in lower case":"value"} */
	char *body;
};

void flight_send_as(const struct flight_replay *, const struct flight_request *,
    struct flight_answer *);
void flight_answer_clear(struct flight_answer *);

/* --- commands and set-up (golden_flight_setup.c) */
/* A command to flightsim; its answer, the caller's. */
char *flight_command(const struct flight_replay *, const char *command);
/* Until the worker has nothing to do. */
void flight_wait_idle(const struct flight_replay *);
/* Must succeed; the body parsed, the caller's, or NULL. */
struct json_object *flight_must(const struct flight_replay *, const char *actor,
    const char *method, const char *target, struct json_object *body);
/* A request for a certificate of the device, with a key that is kept. */
char *flight_csr(const struct flight_replay *, const char *device);
void flight_keep_certificate(const struct flight_replay *, const char *device,
    const char *pem);
/* The device enrols, with the labels of the recorded one, or with {...}. */
void flight_set_enrolled(struct flight_replay *, const char *device,
    const char *recording);
/* It pushes the status that was recorded. */
void flight_set_reported(struct flight_replay *, const char *device,
    const char *recording);
/*
 * It pushes the steps of a version: from what it says now to the recorded
 * status; at its beginning, to version 1 without applications.
 */
void flight_set_stepped(struct flight_replay *, const char *device,
    const char *recording, int begins);
/* Its spec is the recorded one. */
void flight_set_spec(struct flight_replay *, const char *device,
    const char *recording);
/* A recording as trim wrote it, the caller's; dies when there is none. */
struct json_object *flight_recording(const char *name);

/* --- playing (golden_flight_play.c) */
/*
 * how: "", "rv": with the version of now, "shape": names and types alone,
 * "as": with the certificate of that device.
 */
void flight_play(struct flight_replay *, const char *name, const char *how,
    const char *device);

/* --- comparing (golden_flight_diff.c) */
/* what: "missing", "extra", "type", "value", "length". */
typedef void flight_found(const char *where, const char *what,
    struct json_object *recorded, struct json_object *live, void *);
void flight_diff(struct json_object *recorded, struct json_object *live,
    int shape_only, flight_found *, void *);

#endif
