/* SPDX-License-Identifier: ISC */
#ifndef T_IT_WORLD_H
#define T_IT_WORLD_H

/*
 * The two servers and the devices that a scenario runs against.
 *	IT_WORLD unset	kubesim and flightsim, started here
 *	IT_WORLD=real	those of t/real/run; devices by edgesim
 *	IT_WORLD=edge	those, and the one real device of t/edge/run
 */

#include <stddef.h>

enum world_kind {
	WORLD_SIM,
	WORLD_REAL,
	WORLD_EDGE,
};

struct world_conf {
	const char *fleet;    /* NULL: the scenario's name */
	unsigned int devices; /* named fleet-0, fleet-1, ... by simulators */
	int apply_ms;	      /* a device takes so long; 0: 300, -1: none */
	int disconnect_ms;    /* simulators: silence that counts; 0: theirs */
	int status_ms;	      /* and reports applications so often; 0: 200 */
	int kube_ipv6;	      /* kubesim is at [::1], not at 127.0.0.1 */
};

/* Starts what is to be started; returns when all devices are Online. */
void world_open(const struct world_conf *);

/* New connections, for a forked copy of the scenario. */
void world_reopen(void);

enum world_kind world_kind(void); /* also before world_open() */
const char *world_fleet(void);
const char *world_node(void); /* of the fleet */
unsigned int world_devices(void);

/* For the provider: NAME=value, NULL at the end; servers and credentials. */
char *const *world_settings(void);

/* Outages: the port refuses connections; and back. */
void world_kube(int up);
void world_flight(int up);

/* The real servers, each with its programs. */
enum world_pair {
	PAIR_KUBE,
	PAIR_FLIGHT,
};

/*
 * One program of the real servers: t/real/PAIR VERB, with more words, NULL at
 * the end.  Returns when that is done; dies when it cannot be.
 */
void world_server(enum world_pair, const char *verb, const char *program, ...)
    __attribute__((sentinel));

/*
 * As a kubelet would, starts again each program of the real servers that ended
 * by itself, and says how that ended.
 */
void world_tend(void);

/*
 * The real controller manager anew: a node that says nothing for grace_s
 * seconds is dead; 0: for as long as is usual.
 */
void world_node_grace(int grace_s);

/* A command to a simulator; its answer after "ok ", the caller's. */
enum world_sim {
	SIM_KUBE,
	SIM_FLIGHT, /* the devices too, unless they are real */
	SIM_EDGE,   /* where the simulated devices are, on any servers */
};
char *world_tell(enum world_sim, const char *command, ...)
    __attribute__((format(printf, 2, 3)));

#endif
