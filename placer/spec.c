/* SPDX-License-Identifier: ISC */
/*
 * spec.c: decides what is to be done about one device's spec.
 *
 * Owns the order of the rows.  Never looks at a device itself.
 */
#include "placer/spec.h"

#include <stddef.h>

#define ANY_WRITE ((1u << SPEC_NWRITES) - 1)
#define NOT_RENDERED (STALE | UNRENDERED | STALLED)
#define ANY_VERSION ((1u << SPEC_NVERSIONS) - 1)
#define ANY_SEARCH (CALM | SEARCHING)
#define ANY_QUEUE ((1u << SPEC_NQUEUES) - 1)
#define SOMETHING (GATHERING | ADDITION | REMOVAL)
#define REFUSED (JUDGED | INNOCENT | SKIPPED)
#define ANY_DOOR (SHUT | PAUSED | OPEN)
#define ANY_MOTION (STILL | MOVING)
#define AS_NAME(name) #name,

static const struct {
	unsigned int write, version, search, queue, door, motion;
	struct spec_verdict verdict;
} rows[] = {
#define ROW(n, write, version, search, queue, door, motion, state, action, \
    read)                                                                  \
	{ write, version, search, queue, door, motion,                     \
		{ n, SPEC_##state, SPEC_DO_##action, read } },
#include "placer/spec.def"
#undef ROW
};

static const char *const states[] = { SPEC_STATES(AS_NAME) };

struct spec_verdict
spec_decide(const struct spec_facts *f)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].write & f->write) &&
		    (rows[i].version & f->version) &&
		    (rows[i].search & f->search) &&
		    (rows[i].queue & f->queue) && (rows[i].door & f->door) &&
		    (rows[i].motion & f->motion))
			return rows[i].verdict;
	return (struct spec_verdict){ 0, SPEC_UNREAD, SPEC_DO_AWAIT, REST };
}

const char *
spec_state_name(enum spec_state state)
{
	return states[state];
}
