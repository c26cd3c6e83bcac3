/* SPDX-License-Identifier: ISC */
#ifndef COMMON_FINDING_HTTPS_H
#define COMMON_FINDING_HTTPS_H

/* What --check says of a server that cannot be spoken with. */

#include "common/https.h"

struct finding_server {
	const char *subject;
	const char *base;    /* "https://host:port" */
	const char *ca_file; /* NULL: another source, which ca names */
	const char *ca;	     /* where its CA is set, for people */
	const char *set;     /* where its address is set */
};

/* Of an answer with status 0: why there was none, and what to do. */
void finding_unreachable(const struct finding_server *,
    const struct https_answer *);

#endif
