/* SPDX-License-Identifier: ISC */
#ifndef T_IT_TAP_H
#define T_IT_TAP_H

/*
 * A proxy that passes requests on to a server as they are and records what
 * went both ways: what the provider says to a server, byte for byte, whichever
 * server it is.  Plain HTTP on the provider's side.
 */

#include <stddef.h>

/*
 * Starts one before the server at base (its CA in ca_file, NULL: none); the
 * address to be used instead, the caller's.
 */
char *tap_start(const char *base, const char *ca_file);

struct tap_exchange {
	char method[16];
	const char *path; /* with its query */
	long status;
	const char *request, *answer; /* bodies */
	size_t request_len, answer_len;
};

/*
 * Calls fn with all that was exchanged until now, in the order in which the
 * answers came; how many there were.
 */
size_t tap_read(void (*fn)(const struct tap_exchange *, void *), void *arg);

#endif
