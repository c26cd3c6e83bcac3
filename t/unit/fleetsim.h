/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_FLEETSIM_H
#define T_UNIT_FLEETSIM_H

/*
 * A fleet and a budget in virtual time.  The rules are the project's own
 * (budget, pages, group, pace); here are only the clock, the lines in front
 * of the budget and a Flightctl that answers after a fixed time.
 */

#include <stddef.h>
#include <stdint.h>

#include "flightside/budget.h"

enum {
	FLEETSIM_ANSWER_MS = 50,   /* Flightctl's answer to any request */
	FLEETSIM_BYTES = 6000,	   /* of a device in a list */
	FLEETSIM_BYTES_MS = 20000, /* of a list that come in a millisecond */
	FLEETSIM_APPLY_MS = 3000,  /* from the write until it runs */
	FLEETSIM_LOOK_MS = 10000,  /* STATUS_POLL_INTERVAL */
	FLEETSIM_LIST_MS = 300000, /* RESYNC_INTERVAL */
};

struct fleetsim;

struct fleetsim *fleetsim_new(unsigned int devices, uint32_t rate);
void fleetsim_free(struct fleetsim *);

int64_t fleetsim_now(const struct fleetsim *);

/* One pod for each of so many devices, decided on now. */
void fleetsim_pods(struct fleetsim *, unsigned int n);

/* The state of a device changes now, and an event says so or not. */
void fleetsim_change(struct fleetsim *, unsigned int device, int with_event);

/* Until so much later. */
void fleetsim_run(struct fleetsim *, int64_t ms);

/* The next request is refused: nothing for so long. */
void fleetsim_refuse(struct fleetsim *, int64_t pause_ms);

struct fleetsim_result {
	unsigned int written, running; /* devices */
	int64_t written_ms;  /* from the decision to the last PUT's answer */
	int64_t shown_ms;    /* the longest from running to seen */
	int64_t seen_ms;     /* the longest of changes with an event */
	int64_t listed_ms;   /* and without one */
	unsigned int unseen; /* changes that nobody has seen yet */
	int64_t period_ms;   /* between two full lists, the longest */
	size_t sent, most_in_a_minute;
	int64_t refused_at;		     /* when the 429 came */
	int64_t first_after, a_minute_after; /* ms and requests after it */
	int64_t waited_ms[BUDGET_CLASSES];   /* the longest, for a turn */
};

/* Since the last call (latencies) or since the start (counts). */
struct fleetsim_result fleetsim_result(struct fleetsim *);

#endif
