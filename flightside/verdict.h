/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_VERDICT_H
#define FLIGHTSIDE_VERDICT_H

/* What the answer to a PUT of a device means.  Pure. */

#include "common/https.h"

enum verdict {
	VERDICT_STORED,
	VERDICT_PHANTOM, /* it made a device that nobody will ever poll */
	VERDICT_FASTER,	 /* somebody else wrote: read, splice anew */
	VERDICT_DOUBT,	 /* may be stored: read before anything else */
	VERDICT_REFUSED, /* see *why */
};

/*
 * *why as the answer's, with the kind of the refusal: ERR_DENIED by an owner
 * or for leaving, ERR_FORMAT the spec is not acceptable, ERR_AGAIN later.
 */
enum verdict verdict_of(const struct https_answer *, struct why *);

#endif
