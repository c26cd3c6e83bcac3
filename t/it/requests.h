/* SPDX-License-Identifier: ISC */
#ifndef T_IT_REQUESTS_H
#define T_IT_REQUESTS_H

/* Requests to Flightctl, as the provider's log at level debug lists them. */

struct provider;

struct requests {
	unsigned int sent;	    /* since its start */
	unsigned int most_a_minute; /* in any 60 seconds */
};

struct requests requests_of(const struct provider *);

/*
 * What the simulated service counted by itself, of everybody's; since the
 * last such call.  WORLD_SIM only.
 */
unsigned int requests_served(void);

#endif
