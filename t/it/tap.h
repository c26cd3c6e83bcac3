/* SPDX-License-Identifier: ISC */
#ifndef T_IT_TAP_H
#define T_IT_TAP_H

/*
 * A proxy that passes requests on to a server as they are and records what
 * went both ways: what the provider says to a server, byte for byte, whichever
 * server it is.  What it is to the provider is the test's: plain HTTP, or TLS
 * with any certificate, for everybody or for certified clients.
 */

#include <stddef.h>

struct tap_conf {
	const char *base;    /* the server */
	const char *ca_file; /* its CA, NULL: none */
	/*
	 * Certificate and key in one file, NULL: plain HTTP.  Read for each
	 * connection, which ends after one answer: another file there is what
	 * the next request meets.
	 */
	const char *pem;
	const char *client_ca; /* who is asked for a certificate of it */
};

/* Starts one; the address to be used instead of base, the caller's. */
char *tap_start(const struct tap_conf *);

struct tap_exchange {
	char method[16];
	const char *path; /* with its query */
	long status;
	const char *request, *answer; /* bodies */
	size_t request_len, answer_len;
};

/*
 * Calls fn with all that the one started last exchanged until now, in the order
 * in which the answers came; how many there were.
 */
size_t tap_read(void (*fn)(const struct tap_exchange *, void *), void *arg);

#endif
