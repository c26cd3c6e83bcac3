/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_HTTP_H
#define T_SIM_FLIGHT_HTTP_H

/* Answers in the forms of the service.  Each of them takes the request. */

struct flight;
struct flight_device;
struct out;
struct web_req;

/* The headers that every answer has. */
void flight_headers(struct web_req *);
/* Those of a request that was let in. */
void flight_headers_in(struct web_req *);

/* The JSON in *o, which is freed; NULL: no body. */
void flight_answer(struct web_req *, int code, struct out *o);
/* A Status object: Failure, or Success below 400. */
void flight_refuse(struct web_req *, int code, const char *message);
void flight_refusef(struct web_req *, int code, const char *, ...)
    __attribute__((format(printf, 3, 4)));
void flight_not_found(struct web_req *, const char *kind, const char *name);
/* Status with empty members but these: 406 and 429. */
void flight_refuse_bare(struct web_req *, int code, const char *reason,
    const char *message);
/* The device as it is stored. */
void flight_answer_device(struct web_req *, int code,
    const struct flight_device *);

/* "Not Found" and the like. */
const char *flight_reason(int code);

/*
 * 1: the caller may.  0: refused and answered.  resource "devices", verb
 * "get".
 */
int flight_may(struct flight *, struct web_req *, const char *resource,
    const char *verb);

#endif
