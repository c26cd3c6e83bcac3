/* SPDX-License-Identifier: ISC */
#ifndef COMMON_HTTPS_OWN_H
#define COMMON_HTTPS_OWN_H

/* What https.c and https_loop.c share; nobody else includes this. */

#include <bsd/sys/queue.h>
#include <curl/curl.h>
#include <stdint.h>

#include "common/https.h"
#include "common/secret.h"

#define HTTPS_BEARER "Authorization: Bearer "

enum {
	HTTPS_BEARER_LEN = sizeof(HTTPS_BEARER) - 1,
};

enum {
	HTTPS_CONNECT_MS = 10000, /* for its name, TCP and TLS */
};

/* An option that is not set would be another request than was meant. */
#define SETOPT(easy, option, value) \
	https_must(curl_easy_setopt(easy, option, value))

struct https_call {
	TAILQ_ENTRY(https_call) entry;
	struct https *h;
	CURL *easy;
	struct curl_slist auth; /* its token's line, before headers */
	struct secret *token;	/* NULL: none, or not needed any more */
	struct secret *key;
	struct curl_slist *headers;
	struct event *silence; /* NULL: no limit */
	struct curl_slist *connect_to;
	struct https_req req;
	char *method_path; /* "GET /path" */
	char *sent;	   /* req.body, ours */
	char *body;
	size_t body_len;
	size_t body_size;
	size_t bytes;	  /* received, after decompression */
	int64_t sent_ms;  /* its caller asked */
	int64_t began_ms; /* libcurl has it since; 0: it waits */
	int64_t due_ms;	  /* 0: no deadline */
	int64_t heard_ms;
	int added;
	int paused;
	int resume; /* wanted, done by the loop */
	int silent; /* for longer than allowed */
	int fresh;  /* it may use no open connection */
	int dead;   /* cancelled inside curl: swept afterwards */
	struct why why;
	char detail[CURL_ERROR_SIZE];
};

TAILQ_HEAD(calls, https_call);

struct https {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct event *kick;
	struct event *nudge;
	struct event *overdue;
	struct calls calls;   /* that libcurl has */
	struct calls waiting; /* for a connection, or until curl is left */
	unsigned int running, connections; /* calls; at most so many */
	char *origin;			   /* what goes before the path */
	char *host;	  /* whose name is looked up, but for a proxy */
	char *connect_to; /* "server_name:port:host:port" or NULL */
	char *host_header;
	char *user_agent;
	char *proxy; /* as libcurl takes it, NULL: none; may hold a password */
	char *ca_file, *cert_file, *key_file;
	struct curl_blob ca_pem, cert_pem; /* data NULL: none */
	struct secret *key_pem;		   /* NULL: none */
	struct secret *authorization;	   /* "Authorization: Bearer ..." */
	int64_t forgot_ms;
	int64_t connected_ms; /* the last new connection */
	int64_t ca_since_ms;  /* a CA file read before is read again */
	uint64_t count;
	int in_curl;
	int doomed; /* freed inside a callback: freed for good after it */
};

/* https_answer.c: done() with what came of it; the call is freed. */
void https_call_end(struct https_call *, CURLcode);

/* https_proxy.c */
int https_set_proxy(struct https *, const char *url, struct why *);
void https_use_proxy(const struct https *, CURL *);

/* https_loop.c */
/* Aborts for what libcurl could not do. */
void https_must(CURLcode);
void https_loop_open(struct https *, unsigned int connections);
void https_loop_close(struct https *);

/* Begins a call, or queues it. */
void https_start(struct https_call *);
/* Out of its list; libcurl has it no more. */
void https_take_out(struct https_call *);

/* Callbacks into our callers run between these two only. */
void https_enter(struct https *);
void https_leave(struct https *); /* *h may be gone */

/* https.c: NULL: not a URL; else by curl_url_cleanup(). */
CURLU *https_url(const char *, unsigned int flags);

/* The second for an https_free() from inside a callback */
void https_call_free(struct https_call *);
/* https_request.c: its token, authorities and limits are those of now. */
void https_ready(struct https_call *);
void https_destroy(struct https *);

#endif
