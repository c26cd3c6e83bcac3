/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_GROUP_H
#define FLIGHTSIDE_GROUP_H

/* Which devices go together in one request by name.  Pure. */

#include <stddef.h>
#include <stdint.h>

enum {
	GROUP_NAMES = 25,
	GROUP_BYTES = 1500, /* of them in a URL, which ends at 2000 */
};

#define GROUP_HEAD "metadata.name in ("

struct group {
	size_t n, bytes;
	int alone; /* one that wants no company */
};

/* One more, of a name so long; 0: not with these. */
int group_add(struct group *, size_t name_len, int alone);

/* When n that wait for company, the most hurried until due, go. */
int64_t group_due(size_t n, int64_t due, int64_t now);

#endif
