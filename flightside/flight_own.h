/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_FLIGHT_OWN_H
#define FLIGHTSIDE_FLIGHT_OWN_H

/* What the files flight*.c share; nobody else includes this. */

#include <sys/queue.h>

#include "common/limits.h"
#include "flightside/client.h"
#include "flightside/creds.h"
#include "flightside/flight.h"
#include "flightside/org.h"
#include "flightside/reach.h"

struct flight_call {
	TAILQ_ENTRY(flight_call) entry;
	struct flight *flight;
	enum budget_class class;
	const struct flight_ops *ops;
	void *arg;
	struct https_call *https; /* NULL: waits */
	enum flight_rank rank;
	int kept; /* holds one of the budget's */
	enum right right;
	unsigned int token; /* which one it was sent with */
	int renewed;	    /* sent again with a newer one */
	enum request kind;
	int64_t began_us;
};

TAILQ_HEAD(calls, flight_call);

struct flight {
	struct event_base *base;
	struct https *https;
	struct https_conf conf;
	struct client client;
	struct creds *creds;
	unsigned int token;	   /* counts them */
	char token_text[MAX_TEXT]; /* what is wrong with its file */
	char org[ORG_SIZE];	   /* empty: not known yet */
	const char *wanted;	   /* FLIGHTCTL_ORG, or empty */
	int settled;		   /* token and organisation were accepted */
	struct flight_call *org_call;
	struct event *org_again;
	struct event *look;    /* for another token, while it is not */
	unsigned int refusals; /* since any other request was answered */
	struct budget budget;
	int64_t told; /* of its rate */
	void (*tell)(void *);
	void *tell_arg;
	struct calls waiting[BUDGET_CLASSES];
	struct calls sent;
	struct flight_call *giver; /* its data() or done() is called */
	size_t nsent;
	struct event *pump;  /* a turn may be there */
	struct event *count; /* debug line a minute */
	uint64_t counted;
	struct reach *reach;
	struct meter meter;
	uint64_t limited; /* 429 */
};

/* flight_entry.c */

/* Once, and after 401 or a refused organisation: asks for both anew. */
void entry_open(struct flight *);
void entry_close(struct flight *);

/* 1: the file has another token by now; now: even if it was just read. */
int entry_renew(struct flight *, int now);

/* SIGHUP: credentials may be better. */
void entry_reload(struct flight *);

/* 1: not to be sent again with another token. */
int entry_accepts(struct flight_call *, const struct https_answer *);

/* The answer with the service's own words, and ours, in its reason. */
struct https_answer entry_explain(const struct flight_call *,
    const struct https_answer *);

/* Before the caller, and its judgement after. */
void entry_look(struct flight_call *, const struct https_answer *);
void entry_judge(struct flight *, const struct https_answer *, enum right);

#endif
