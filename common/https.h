/* SPDX-License-Identifier: ISC */
#ifndef COMMON_HTTPS_H
#define COMMON_HTTPS_H

/*
 * The one HTTP client: libcurl's multi interface on libevent.  One struct
 * https is one server with one set of credentials.  TLS >= 1.2, names always
 * verified; plain http only to loopback.
 */

#include <stdint.h>

#include "common/span.h"
#include "common/why.h"

struct event_base;
struct https;
struct https_call;

struct https_conf {
	const char *base;      /* "https://host:port", no trailing slash */
	const char *ca_file;   /* NULL: the system's; read again for a new
				  connection when that was a minute ago, or
				  when the last one could not be verified */
	struct span ca_pem;    /* instead of ca_file when len > 0 */
	const char *cert_file; /* client certificate, NULL: none; both are
				  read for each new connection */
	const char *key_file;
	struct span cert_pem; /* instead of the files when len > 0 */
	struct span key_pem;
	const char *server_name; /* name to verify, NULL: host of base */
	const char *proxy; /* NULL: none; "scheme://[user:password@]host[:port]"
			      of http, https (known to the system's CAs) or
			      socks5, which knows the server's name */
	const char *user_agent;
	unsigned int connections; /* requests at once, 0: 8; others wait */
};

enum https_method {
	HTTPS_GET,
	HTTPS_POST,
	HTTPS_PUT,
	HTTPS_PATCH,
	HTTPS_DELETE,
};

/* Why there was no answer, for people who are to mend it. */
enum https_cause {
	HTTPS_OTHER,
	HTTPS_NO_NAME,	  /* the host's name is not known */
	HTTPS_REFUSED,	  /* nobody listens, or no way leads there */
	HTTPS_TIMED_OUT,  /* no answer within the deadline */
	HTTPS_UNVERIFIED, /* the server's certificate, or the CA file */
};

struct https_answer {
	const char *asked;	/* "GET /path", borrowed */
	unsigned int status;	/* 0: no answer, see why */
	struct span body;	/* all of it; for a stream: of an error only; of
				   gzip that its sender cut: what was there,
				   which is then no whole JSON */
	int64_t retry_after_ms; /* Retry-After, -1: absent, or over an hour */
	int64_t limit_reset_s;	/* X-Ratelimit-Reset, -1: absent */
	int64_t limit_remaining; /* X-Ratelimit-Remaining, -1: absent */
	int64_t date_ms;	 /* Date, 0: absent */
	enum https_cause cause;	 /* status 0 */
	int os_error;		 /* errno of HTTPS_REFUSED, 0: not known */
	int new_connection;	 /* none that was open could be used, though
				    they were not forgotten */
	int silent;		 /* a stream, ended for its silence */
	int maybe_done; /* no answer, but it may have been carried out */
	struct why why; /* ERR_NONE for 2xx; else kind by status */
};

struct https_req {
	enum https_method method;
	const char *path;	  /* "/api/v1/pods?limit=500", escaped */
	const char *content_type; /* NULL: application/json */
	struct span body;	  /* copied */
	unsigned int deadline_ms; /* of the whole; 0 with data: no deadline,
				     without: 30 s */
	unsigned int silence_ms;  /* stream: longest silence, 0: any */
	size_t body_max;	  /* larger answers fail with ERR_LIMIT; 0:
				     MAX_ITEM, with data: any */
	/* NULL, or: pieces of a 2xx body as they come; -1 with *why ends it.
	 * Called from inside the client: may send, pause and cancel. */
	int (*data)(struct span, void *, struct why *);
	void (*done)(const struct https_answer *, void *); /* exactly once */
	void *arg;
};

struct https *https_new(struct event_base *, const struct https_conf *,
    struct why *);
void https_free(struct https *); /* calls in flight end without done() */

/* The TCP port that it connects to: the server's, or that of the proxy. */
uint16_t https_port(const struct https *);

/* Replaces the bearer token (copied, wiped when replaced); len 0: none. */
void https_token(struct https *, struct span);

/* New certificates and proxy for connections from now on; base must be the
 * same. */
int https_renew(struct https *, const struct https_conf *, struct why *);

/* Idle connections are not used again; calls in flight go on. */
void https_forget(struct https *);

/* Never fails at once: what is wrong comes to done(). */
struct https_call *https_send(struct https *, const struct https_req *);

/* done() is not called; only before it was. */
void https_cancel(struct https_call *);

/* A stream stops and goes on reading; a paused one is never silent. */
void https_pause(struct https_call *);
void https_resume(struct https_call *);

/* Requests sent since start, by design 7's count. */
uint64_t https_count(const struct https *);

/*
 * 2xx NONE; 401 AUTH; 403 DENIED; 404, 410 GONE; 409, 412 CONFLICT;
 * 408, 425, 429, 5xx AGAIN; 413, 414, 431 LIMIT; other 4xx FORMAT.
 */
enum why_kind https_kind(unsigned int status);

/* One escaped path segment or query value; caller frees. */
char *https_escape(const char *);

#endif
