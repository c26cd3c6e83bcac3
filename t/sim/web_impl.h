/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_WEB_IMPL_H
#define T_SIM_WEB_IMPL_H

/* What web.c (server, routes), webreq.c (reading a request) and webout.c
 * (answers and streams) share; nobody else includes this. */

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

#include "t/sim/web.h"

#define WEB_CAPTURES 8
#define WEB_QUERIES 24

struct web {
	struct web_conf conf;
	struct evhttp *http; /* NULL: down */
	SSL_CTX *ctx;	     /* NULL: plain */
	uint16_t port;
	int says_back; /* a token, in each error */
};

struct web_pair {
	char *name;
	char *value;
};

struct web_req {
	struct web *web;
	struct evhttp_request *ev;	/* NULL: answered, or client gone */
	struct evhttp_connection *conn; /* NULL: client gone */
	enum web_method method;
	const char *pattern;
	struct web_pair captures[WEB_CAPTURES];
	struct web_pair queries[WEB_QUERIES];
	size_t ncaptures, nqueries;
	char *target, *path; /* own copies: they outlive the connection */
	char *body;
	size_t len;
	int too_large;
	int doomed;  /* answered, lives until its connection is closed */
	int cutting; /* answers stop after cut_after bytes */
	size_t cut_after;
	struct event *reaper; /* closes the connection from the loop */
	char *peer;
	struct web_stream *stream;
};

struct web_stream {
	struct web_req *req;
	void (*on_close)(void *);
	void *arg;
	size_t sent;
};

SSL_CTX *web_tls_new(const struct web_tls *, struct why *);
struct bufferevent *web_tls_accept(struct event_base *, void *ctx);

/* webreq.c */
int web_req_read(struct web_req *);
void web_req_peer(struct web_req *);
void web_req_free(struct web_req *);

/* webout.c: the connection of a request under way went away. */
void web_gone(struct evhttp_connection *, void *);

#endif
