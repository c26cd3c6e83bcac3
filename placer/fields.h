/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FIELDS_H
#define PLACER_FIELDS_H

/*
 * Which fields of a Pod are taken: the table fields.def, walked.  Pure.
 */

#include <stddef.h>

#include "common/jread.h"
#include "common/why.h"

#define VERDICTS(X)    \
	X(HONOURED)    \
	X(HONOURED_SO) \
	X(IGNORED)     \
	X(REFUSED)

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

/* ERR_DENIED for the first field of a Pod's spec that is refused. */
int fields_check(struct json_object *spec, struct why *);

/* A volume or mount of a service account's token that was added by itself. */
int fields_is_token_volume(struct json_object *);

#endif
