/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_EVENTS_H
#define T_SIM_FLIGHT_EVENTS_H

/*
 * The events of the service, oldest first, no two of one microsecond.  The
 * oldest go when there are too many.
 */

#include <stddef.h>
#include <stdint.h>

struct flight_events;
struct out;

/* Who caused it: gives actor and source. */
enum flight_source {
	FLIGHT_BY_USER,
	FLIGHT_BY_AGENT,
	FLIGHT_BY_WORKER,
	FLIGHT_BY_PERIODIC,
};

struct flight_event {
	int64_t us;
	char name[37];	    /* a UUID */
	const char *kind;   /* of the object; interned */
	const char *reason; /* interned */
	char *object;
	char *message;
	char *details; /* JSON object or NULL */
	enum flight_source source;
	int warning;
	uint64_t request; /* 0: no annotation */
};

struct flight_events *flight_events_new(size_t max);
void flight_events_free(struct flight_events *);

/* details is JSON, taken, may be NULL. */
void flight_event(struct flight_events *, enum flight_source, const char *kind,
    const char *object, const char *reason, int warning, const char *message,
    char *details);

size_t flight_events_count(const struct flight_events *);
const struct flight_event *flight_events_at(const struct flight_events *,
    size_t i);
const char *flight_event_actor(const struct flight_event *);
void flight_event_write(struct out *, const struct flight_event *);

#endif
