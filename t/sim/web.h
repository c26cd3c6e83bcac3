/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_WEB_H
#define T_SIM_WEB_H

/*
 * HTTP/1.1 over evhttp for the simulators: routes with captures, queries,
 * bodies, JSON answers, streams, optional TLS with client certificates, and
 * the faults tests ask for (listener gone, connection cut in mid-answer).
 *
 * One thread, one event base.  A request belongs to its handler from the call
 * until one of the answering functions, which take it; it may be kept and
 * answered later, also after its connection went away.
 */

#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct event_base;
struct json_object;
struct why;

struct web;
struct web_req;
struct web_stream;

enum web_method {
	WEB_GET = 1 << 0,
	WEB_POST = 1 << 1,
	WEB_HEAD = 1 << 2,
	WEB_PUT = 1 << 3,
	WEB_DELETE = 1 << 4,
	WEB_OPTIONS = 1 << 5,
	WEB_PATCH = 1 << 8,
	WEB_ANY = 0xfff,
};

typedef void web_fn(struct web_req *, void *arg);

/*
 * A pattern is a path whose segments are literal, ":name" (one segment,
 * captured) or, as the last one, "*" (all that is left).  First match wins.
 */
struct web_route {
	unsigned int methods; /* WEB_GET | ... */
	const char *pattern;  /* NULL ends the table */
	web_fn *fn;
};

struct web_tls {
	const char *cert;      /* PEM files */
	const char *key;       /* */
	const char *client_ca; /* NULL: clients are not asked */
	int client_must;       /* refuse handshakes without a certificate */
};

struct web_conf {
	struct event_base *base;
	const char *address;	   /* of this machine's own; NULL: 127.0.0.1 */
	uint16_t port;		   /* there; 0: any free one */
	const struct web_tls *tls; /* NULL: plain HTTP */
	const struct web_route *routes;
	/* Before any route; returns 1 when it took the request. */
	int (*gate)(struct web_req *, void *arg);
	web_fn *missing; /* no route; NULL: 404 in plain text */
	void *arg;
	size_t body_max;   /* larger ones: see web_too_large(); 0: 1 MiB */
	size_t chunk_over; /* longer answers are sent chunked; 0: none */
};

/* Listens; NULL with *why when it cannot.  The conf's pointers stay used. */
struct web *web_new(const struct web_conf *, struct why *);
void web_free(struct web *);
uint16_t web_port(const struct web *);

/* Connections refused, open ones cut, streams told; and back, same port. */
void web_down(struct web *);
int web_up(struct web *, struct why *);
int web_is_up(const struct web *);
/* Each error from now on repeats the request's credentials, or not again. */
void web_say_back(struct web *, int on);
/* Reads its certificate again and cuts its connections. */
int web_certify(struct web *, struct why *);

/* --- the request; all strings live as long as it --- */
enum web_method web_method(const struct web_req *);
const char *web_method_name(const struct web_req *);
const char *web_target(const struct web_req *);	 /* path and query, as sent */
const char *web_path(const struct web_req *);	 /* without query, encoded */
const char *web_pattern(const struct web_req *); /* NULL before routing */
/* Decoded; NULL when the pattern has no such name ("*" is named "*"). */
const char *web_capture(const struct web_req *, const char *name);
/* Decoded value of the first such key, "" without "="; NULL: absent. */
const char *web_query(const struct web_req *, const char *key);
const char *web_header(const struct web_req *, const char *name); /* or NULL */
/* The body, NUL-terminated; its length in *len unless NULL. */
const char *web_body(const struct web_req *, size_t *len);
int web_too_large(const struct web_req *); /* body over body_max: emptied */
/* Common name of the verified client certificate, or NULL. */
const char *web_peer(const struct web_req *);
/* Parsed body, the caller's; NULL when it is not one JSON value. */
struct json_object *web_body_json(const struct web_req *);

/* Goes on to the routes with a request that the gate took. */
void web_resume(struct web_req *);

/* --- answers: each of these takes the request --- */
/* Adds a header to the answer to come; does not take the request. */
void web_add_header(struct web_req *, const char *name, const char *value);
/* Takes the object as well. */
void web_json(struct web_req *, int status, struct json_object *);
void web_text(struct web_req *, int status, const char *type, const char *);
void web_bytes(struct web_req *, int status, const char *type, const void *,
    size_t);
/* Empties the buffer; it stays the caller's. */
void web_buffer(struct web_req *, int status, const char *type,
    struct evbuffer *);
/* Never answers and closes: what a dying server does. */
void web_drop(struct web_req *);
/* From now on any answer to this request stops after n body bytes. */
void web_cut_after(struct web_req *, size_t n);

/*
 * A chunked answer without end.  on_close is called once, when the client or
 * web_down() closed it; not after web_stream_end() or web_stream_cut().
 */
struct web_stream *web_stream(struct web_req *, int status, const char *type,
    void (*on_close)(void *), void *);
void web_stream_write(struct web_stream *, const void *, size_t);
size_t web_stream_pending(const struct web_stream *); /* bytes not yet sent */
void web_stream_end(struct web_stream *);	      /* clean end; frees it */
void web_stream_cut(struct web_stream *); /* no last chunk; frees it */

#endif
