/* SPDX-License-Identifier: ISC */
#ifndef T_IT_FAULT_H
#define T_IT_FAULT_H

/*
 * A proxy between the provider and one of the servers that does to requests
 * and answers what fault.def says, and counts what was asked when.  To the
 * provider it is a TLS server of its own certificate.  One process a
 * connection; what they do is in memory that all share.
 */

#include <stdint.h>

enum fault {
#define FAULT(name, sent, act, number, slow, text) FAULT_##name,
#include "t/it/fault.def"
#undef FAULT
	FAULT_COUNT,
	FAULT_IN_TURN, /* each of the table but those slow there */
	FAULT_NONE,
};

enum fault_server {
	FAULT_KUBE,
	FAULT_FLIGHT,
};

enum fault_kind {
#define KIND(server, name, method, path) KIND_##name,
#include "t/it/fault_kinds.def"
#undef KIND
	KIND_COUNT,
	KIND_ANY,
};

/* Which requests fail from now on. */
struct fault_rule {
	enum fault fault;
	enum fault_kind kind;
	unsigned int every; /* 1: each of a kind, 2: every other */
	unsigned int most;  /* so many; 0: all */
};

struct fault_proxy;

/* base: "https://host:port"; pem: certificate and key in one file, read for
 * each connection. */
struct fault_proxy *fault_start(enum fault_server, const char *base,
    const char *pem);
/* The port that it listens on, on 127.0.0.1. */
uint16_t fault_port(const struct fault_proxy *);

void fault_set(struct fault_proxy *, const struct fault_rule *);
/* No more faults; who was held or had an endless answer is let go. */
void fault_end(struct fault_proxy *);
/* Cuts all connections. */
void fault_cut(struct fault_proxy *);

/* Since the proxy began. */
unsigned int fault_done(const struct fault_proxy *, enum fault,
    enum fault_kind);
/* The most requests in any window of so many ms since (it_ms()), and how many
 * of each kind. */
unsigned int fault_busiest(const struct fault_proxy *, int64_t since_ms,
    int window_ms, unsigned int of[KIND_COUNT]);
/* A redirection was followed, or the like: who came to no known server. */
unsigned int fault_strayed(const struct fault_proxy *);

const char *fault_name(enum fault);
int fault_is_slow(enum fault, enum fault_server);
const char *fault_kind_name(enum fault_kind);
enum fault_server fault_kind_server(enum fault_kind);

#endif
