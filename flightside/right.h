/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_RIGHT_H
#define FLIGHTSIDE_RIGHT_H

/* The rights that our requests need (right.def).  Pure. */

enum right {
#define RIGHT(name, verb, resource, without) RIGHT_##name,
#include "flightside/right.def"
#undef RIGHT
	RIGHT_COUNT
};

enum without {
	WITHOUT_BLIND,
	WITHOUT_PART,
	WITHOUT_SELF,
};

enum without right_without(enum right);
const char *right_verb(enum right);
const char *right_resource(enum right);

/*
 * What a 403 refuses, and which role permits it; org may be empty.  The
 * caller's to free.
 */
char *right_refusal(enum right, const char *org);

#endif
