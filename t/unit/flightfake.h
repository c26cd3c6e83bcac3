/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_FLIGHTFAKE_H
#define T_UNIT_FLIGHTFAKE_H

/*
 * A Flightctl whose every answer the test says, on the loop of the test, and
 * flightside's queue in front of it.  One at a time.
 */

#include <event2/event.h>

#include "common/mono.h"
#include "common/settings.h"
#include "flightside/flight.h"

#define FAKE_ORG "00000000-0000-0000-0000-000000000000"

struct evhttp;
struct evhttp_request;

enum {
	FAKE_PATIENCE_MS = 15000,
	FAKE_REQUESTS = 16,
};

struct fake {
	struct event_base *base;
	struct evhttp *http;
	struct settings settings;
	struct flight *flight;
	struct evhttp_request *asked[FAKE_REQUESTS]; /* oldest first */
	size_t nasked;				     /* not replied to */
	unsigned int gets, puts;		     /* all of them */
};
extern struct fake fake;

/* Listens; settings may be changed until fake_open(), which makes flight. */
void fake_start(void);
void fake_set(enum setting, const char *);
void fake_open(void);
void fake_stop(void); /* after whatever uses flight is freed */

/*
 * The oldest request that is not replied to, waited for: its method and what
 * follows /api/v1/, unescaped; both until the next call.
 */
const char *fake_asked(void);
/* Its body; likewise. */
const char *fake_body(void);
/* 429 asks for a second. */
void fake_reply(unsigned int status, const char *body);

/* -- the budget -- */

/* How many requests could be sent now. */
unsigned int fake_left(void);
/* And how many of those are kept for writes. */
int64_t fake_kept(void);
/* From now on hardly any are added: one in ten minutes. */
void fake_stand_still(void);
/* All but one are gone. */
void fake_spend(void);

/* Until it holds; the test fails when it does not in time. */
#define FAKE_UNTIL(cond)                                                    \
	do {                                                                \
		int64_t end_ = now_read().boot_ms + FAKE_PATIENCE_MS;       \
		while (!(cond)) {                                           \
			cr_assert_lt(now_read().boot_ms, end_, "never: %s", \
			    #cond);                                         \
			fake_turn();                                        \
		}                                                           \
	} while (0)
void fake_turn(void); /* one event, or 200 ms */

#endif
