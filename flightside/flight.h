/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_FLIGHT_H
#define FLIGHTSIDE_FLIGHT_H

/*
 * Flightctl as the rest of flightside sees it: requests that wait for their
 * turn in the budget, carry token and organisation, and tell whether the
 * service answers.
 */

#include "common/https.h"
#include "common/meter.h"
#include "common/settings.h"
#include "flightside/budget.h"
#include "flightside/right.h"
#include "ipc/msg.h"

struct event_base;
struct flight;
struct flight_call;

struct flight_req {
	enum https_method method;
	char *path; /* path_make(), taken */
	struct span body;
	unsigned int deadline_ms;
	unsigned int silence_ms;
	size_t body_max;  /* 0: MAX_ITEM; with data: any */
	enum right right; /* what a 403 of it refuses */
};

struct flight_ops {
	/*
	 * It is our turn: fill in the request.  0: nothing to send any more,
	 * the call is over without done().  Asked again when the service
	 * refused to look at the request.
	 */
	int (*ready)(struct flight_req *, void *arg);
	/* NULL, or as https_req.data. */
	int (*data)(struct span, void *arg, struct why *);
	/*
	 * Exactly once; 429 and a 401 that a newer token may mend are not
	 * seen here: ready() is asked again instead.  why.text ends with the
	 * service's message.
	 */
	void (*done)(const struct https_answer *, void *arg);
};

/* state: how the service answers, and why so; only when that changes. */
struct flight *flight_new(struct event_base *, const struct settings *,
    struct span token,
    void (*state)(enum flight_state, const char *text, void *), void *arg,
    struct why *);
void flight_free(struct flight *);

/* Within a class, the later first. */
enum flight_rank {
	FLIGHT_LAST,
	FLIGHT_FIRST,
	/* A read that a write follows: a request is kept for that. */
	FLIGHT_PAIR,
	/* The write, queued from within data() or done() of the read. */
	FLIGHT_KEPT,
};

/* Waits in line.  What is kept and not asked for by then is given back. */
struct flight_call *flight_queue(struct flight *, enum budget_class,
    enum flight_rank, const struct flight_ops *, void *arg);

/* done() is not called; only before it was.  NULL allowed. */
void flight_cancel(struct flight_call *);

void flight_pause(struct flight_call *);
void flight_resume(struct flight_call *);

/* For path_make(); never NULL once ready() is called. */
const char *flight_org(const struct flight *);

/* enum flight_state, -1 not known yet. */
int flight_state(const struct flight *);
const char *flight_text(const struct flight *);

/* Requests a minute that are sent at most: less after a 429. */
int64_t flight_rate(const struct flight *);
/* Calls when that is another. */
void flight_tell_rate(struct flight *, void (*)(void *arg), void *arg);

/* What was sent and answered since the start. */
struct meter *flight_meter(struct flight *);

/* What is left of the budget now, and who waits for it. */
void flight_budget(const struct flight *, struct body_budget *);

/* Credential files may be new, FLIGHTCTL_RATE may be another. */
void flight_reload(struct flight *, const struct settings *);

#endif
