/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FIELDS_H
#define PLACER_FIELDS_H

/*
 * Which fields of a Pod are taken: the table fields.def, walked.  Pure.
 */

#include <stddef.h>

#include "common/jread.h"
#include "common/why.h"

/* The last three: values other than those named only with leave. */
#define VERDICTS(X)    \
	X(HONOURED)    \
	X(HONOURED_SO) \
	X(IGNORED)     \
	X(REFUSED)     \
	X(HOST)        \
	X(SECRET)      \
	X(STARTED)

enum verdict {
#define X(name) name,
	VERDICTS(X)
#undef X
};

struct field {
	const char *path;
	enum verdict verdict;
	const char *values; /* "a|b", or NULL: any */
	const char *text;
};

/* The table; *n is its length. */
const struct field *fields_table(size_t *n);

/* What a pod has leave for. */
enum {
	LEAVE_HOST = 1,	   /* ALLOW_PRIVILEGED=yes */
	LEAVE_SECRET = 2,  /* SECRETS=inline */
	LEAVE_STARTED = 4, /* the pod's annotation FIELDS_READINESS: started */
};

#define FIELDS_READINESS "vk.flightctl.io/readiness"

/*
 * ERR_DENIED when fields of a Pod's spec are refused: one text with all of
 * them by their paths, or with as many as it holds and the number of others.
 */
int fields_check(struct json_object *spec, unsigned int leave, struct why *);

/* A volume or mount of a service account's token that was added by itself. */
int fields_is_token_volume(struct json_object *);

#endif
