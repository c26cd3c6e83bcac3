/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_EDGE_CLIENT_H
#define T_SIM_EDGE_CLIENT_H

/*
 * One simulated device as a client of an agent endpoint: enrolment, long
 * poll, status pushes, with a certificate of its own that is kept in a folder.
 */

#include "t/sim/edge.h"

struct edge_client;
struct event_base;
struct https;

/* What all devices of a process share. */
struct edge_site {
	struct event_base *base;
	const char *dir; /* certificates and keys */
	const char *agent_url;
	const char *ca_file;
	const char *labels;  /* JSON object, for the approval */
	struct https *enrol; /* agent endpoint, enrolment certificate */
	struct https *admin; /* user API, administrator */
	struct edge_conf conf;
	/* The service said for the first time that it is Online. */
	void (*online)(struct edge_client *, void *);
	void *arg;
};

/* Begins at once: with the certificate of an earlier run, or enrols. */
struct edge_client *edge_client_new(const struct edge_site *, const char *name);
void edge_client_free(struct edge_client *);

const char *edge_client_name(const struct edge_client *);
struct edge *edge_client_edge(struct edge_client *);

/* The network is gone, or back. */
void edge_client_connect(struct edge_client *, int on);
/* Something of its edge was changed from outside. */
void edge_client_poke(struct edge_client *);

/*
 * Enrolment alone (edge_enrol.c): done is called with 0 when DIR/NAME.crt is
 * there, else with -1 and a text; again and again is the caller's.
 */
struct edge_enrolment;

struct edge_enrolment *edge_enrol(const struct edge_site *, const char *name,
    void (*done)(int rc, const char *text, void *), void *);
void edge_enrolment_free(struct edge_enrolment *); /* NULL allowed */

#endif
