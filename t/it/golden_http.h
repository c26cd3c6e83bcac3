/* SPDX-License-Identifier: ISC */
#ifndef T_IT_GOLDEN_HTTP_H
#define T_IT_GOLDEN_HTTP_H

/* One request with any headers, its answer with headers, watches by line. */

#include <stddef.h>

struct golden_conn;

struct golden_request {
	const char *method, *url;
	const char *headers[8]; /* "Accept: x"; NULL ends them */
	const char *cert, *key; /* PEM files, or NULL */
	const char *body;	/* NULL: none */
	/* A line of an endless answer; 1: enough. */
	int (*line)(const char *, void *);
	void *arg;
};

struct golden_answer {
	long status; /* 0: none */
	int enough;  /* ended by line(), not by the server */
	char *type, *retry_after, *warning; /* NULL: not there */
	char *body;
	size_t len;
};

struct golden_conn *golden_conn_new(const char *ca_file);
void golden_conn_free(struct golden_conn *);
/* -1: no answer, or it did not end within ten seconds. */
int golden_send(struct golden_conn *, const struct golden_request *,
    struct golden_answer *);
void golden_answer_clear(struct golden_answer *);

#endif
