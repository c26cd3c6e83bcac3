/* SPDX-License-Identifier: ISC */
#ifndef T_IT_HTTP_H
#define T_IT_HTTP_H

/*
 * A client of one server, one request at a time, and streams with a deadline.
 * It shares no code with the provider's own.
 */

#include <json-c/json_object.h>
#include <stddef.h>

struct http;

struct http_answer {
	long status; /* 0: no answer */
	char *body;
	size_t len;
};

/* token_file NULL: none.  Texts are copied. */
struct http *http_new(const char *base, const char *ca_file,
    const char *token_file);
/* A client certificate, of PEM files. */
void http_certificate(struct http *, const char *cert, const char *key);
/* Each request in the name of another account, which an administrator may. */
void http_impersonate(struct http *, const char *user);
void http_free(struct http *);

/* body NULL: none; type NULL: application/json.  Returns the status. */
long http_send(struct http *, const char *method, const char *path,
    const char *type, const char *body, struct http_answer *);
void http_answer_clear(struct http_answer *);

/* Asks again and again, where nothing can be watched: 1: it had that status. */
int http_await(struct http *, const char *path, long status, int ms);

/* 1: its /metrics has that text. */
int http_metric(struct http *, const char *text);

/* The parsed body; status in *status (NULL allowed).  NULL: none. */
struct json_object *http_json(struct http *, const char *method,
    const char *path, struct json_object *body, long *status);

/*
 * GET of an endless answer: each line is handed to fn until it returns 1.
 * 1: it did; 0: the deadline (boot-time ms) came; -1: the stream ended or
 * there was none.
 */
int http_lines(struct http *, const char *path,
    int (*fn)(const char *line, void *), void *, int64_t deadline);

/* The same; pause is called whenever the lines of the moment are read. */
int http_lines_pausing(struct http *, const char *path,
    int (*fn)(const char *line, void *), int (*pause)(void *), void *,
    int64_t deadline);

/* One escaped value of a query; caller frees. */
char *http_escape(const char *);

#endif
