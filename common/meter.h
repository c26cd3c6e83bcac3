/* SPDX-License-Identifier: ISC */
#ifndef COMMON_METER_H
#define COMMON_METER_H

/*
 * How many requests of each kind a key holder has sent, how long they took and
 * how they ended; and what of it the placer was not told yet.  Pure.
 */

#include "common/why.h"
#include "ipc/msg.h"

enum request {
#define REQUEST(name, ...) REQUEST_##name,
#include "common/requests.def"
#undef REQUEST
	REQUEST_COUNT
};

/* Answers by how long they took: upper bounds in ms, then the rest. */
#define METER_BOUNDS(X) \
	X(10)           \
	X(25)           \
	X(50)           \
	X(100)          \
	X(250)          \
	X(500)          \
	X(1000)         \
	X(2500)         \
	X(5000)         \
	X(10000)        \
	X(30000)

/* All zero: nothing was sent. */
struct meter {
	struct body_tally of[REQUEST_COUNT];
	uint8_t news[REQUEST_COUNT];
};

/* One has ended, after so many us. */
void meter_add(struct meter *, enum request, int64_t us, enum why_kind);

/* Who hears of it next knows nothing of that process' requests. */
void meter_forget(struct meter *, enum proc);

/* What is to be told next, taken as told; NULL: nothing. */
const struct body_tally *meter_next(struct meter *);

enum proc meter_proc(enum request);
const char *meter_label(enum request);

/* Not a watch, whose time says nothing. */
int meter_is_timed(enum request);

/* Of body_tally.took[i], ms; INT64_MAX: the last. */
int64_t meter_bound(unsigned int i);

#endif
