/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_APISERVER_H
#define T_UNIT_APISERVER_H

/*
 * An apiserver on the loop of a test, which answers each request itself: what
 * was asked waits here, in order, until the test replies.
 */

#include <stddef.h>

struct api;
struct event_base;
struct evhttp_request;

struct asked {
	struct evhttp_request *req;  /* NULL: replied to */
	struct evhttp_request *lost; /* its connection is over */
	char method[8];
	char *target;
	char *body;
};

enum {
	ASKED_MAX = 512,
};

extern struct event_base *apiserver_base;
extern struct asked apiserver_asked[ASKED_MAX];
extern size_t apiserver_count; /* since the start */

/* A loop, the server, and a client of it. */
struct api *apiserver_open(void);
void apiserver_close(void);

/* Called with each request as it comes, which it may reply to; NULL: none. */
extern void (*apiserver_asks)(size_t i);

/* Of the request that came last. */
extern char apiserver_authorization[64];

/* Another token in the client's kubeconfig; NULL: no such file. */
void apiserver_token(const char *);

/* The same in a file that the kubeconfig names from now on. */
void apiserver_token_file(const char *);

/* Names a proxy in the client's kubeconfig, from its next reading on. */
void apiserver_proxy(const char *url);
/* It names the server by that name, no more by 127.0.0.1. */
void apiserver_host(const char *);

/* Closes the connections that wait for nothing. */
void apiserver_hang_up(void);

/* Whether the client holds the server for reachable. */
extern int apiserver_reachable;
extern int apiserver_replaced; /* how often it seemed to be another */

/* Runs the loop until so many requests came, or the condition holds. */
void apiserver_wait(size_t count);
void apiserver_until(const int *condition);

/* Runs what is ready now and so many milliseconds more. */
void apiserver_run(int ms);

void apiserver_reply(size_t i, int status, const char *body);
void apiserver_reply_after(size_t i, int status, const char *retry_after);

/* A stream: as many pieces as wanted between its start and its end. */
void apiserver_begin(size_t i);
void apiserver_piece(size_t i, const char *);
void apiserver_end(size_t i);

#endif
