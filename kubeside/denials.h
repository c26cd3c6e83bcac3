/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_DENIALS_H
#define KUBESIDE_DENIALS_H

/*
 * What we are not allowed to do, so that each is said once: by its verb,
 * resource and namespace, whatever the object's name is.  A namespace that
 * is terminating refuses what is new in it with 403 too; no right is missing
 * then (facts/kubernetes.md surprise 22).  Pure: time is an argument.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/span.h"

enum {
	DENIALS_MAX = 32, /* then the one not heard of for longest goes */
	MAX_CAUSE = 160,
};

/* All 0: none. */
struct denials {
	struct denial {
		char cause[MAX_CAUSE];
		int64_t since_ms;
		int64_t last_ms;
		int logged;
	} all[DENIALS_MAX];
	size_t count;
};

/*
 * Of a 403: its body and the server's message in it.  1: to be said now; a
 * young server refuses everything, so not before it has lasted.
 */
int denials_note(struct denials *, struct span body, const char *message,
    int64_t now_ms);

#endif
