/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_SPLICE_H
#define FLIGHTSIDE_SPLICE_H

/*
 * Puts entries of ours into a device's spec and takes them out, leaving every
 * other byte as it was.  Pure.
 */

#include "common/bytes.h"
#include "common/why.h"
#include "flightside/base.h"

/* One array of the spec; spans are raw arrays, len 0: absent. */
struct edit_part {
	struct span set; /* elements with a name: replaced or appended */
	struct span cut; /* names */
};

struct edit {
	struct edit_part applications, config;
	int adds; /* anything is set: not a mere removal */
};

/* The text of a CHANGE; spans point into it. */
int edit_read(struct span text, struct edit *, struct why *);

/* The text of an edit that cuts whatever this one sets; caller frees. */
char *edit_cuts(const struct edit *);

struct splice {
	struct bytes body; /* of the PUT */
	size_t spec_at, spec_len;
	int changed; /* 0: all is as the edit wants it */
};

/*
 * ERR_FORMAT: an element to be set has no name, or two have the same.  An
 * element that already says the same is left alone, whatever its spelling.
 */
int splice(const struct base *, const struct edit *, struct splice *,
    struct why *);
struct span splice_spec(const struct splice *);
void splice_free(struct splice *);

#define AUTO_SPLICE __attribute__((cleanup(splice_free)))

#endif
