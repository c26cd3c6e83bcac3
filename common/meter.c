/* SPDX-License-Identifier: ISC */
/*
 * meter.c: requests counted.
 *
 * Owns the kinds and the bounds of times.  Never sends, reads no clock.
 */
#include "common/meter.h"

#include <assert.h>

enum {
	TIMED_WATCH = 0,
	TIMED_ANY = 1,
	TIMED_GET = 1,
	TIMED_PUT = 1,
	TIMED_PATCH = 1,
	TIMED_DELETE = 1,
};

static const struct {
	enum proc proc;
	const char *label;
	int is_timed;
} kinds[REQUEST_COUNT] = {
#define REQUEST(name, proc, label, method, path) \
	{ PROC_##proc, label, TIMED_##method },
#include "common/requests.def"
#undef REQUEST
};

static const int64_t bounds[] = {
#define X(ms) ms,
	METER_BOUNDS(X)
#undef X
	    INT64_MAX
};

static_assert(sizeof(bounds) / sizeof(bounds[0]) == TALLY_TIMES,
    "a bound for each count");
static_assert((int)ERR_COUNT == (int)TALLY_ENDS, "a count for each kind");

void
meter_add(struct meter *m, enum request what, int64_t us, enum why_kind kind)
{
	struct body_tally *t = &m->of[what];
	unsigned int i = 0;

	t->what = what;
	t->ended[kind]++;
	m->news[what] = 1;
	if (!kinds[what].is_timed)
		return;
	t->took_us += (uint64_t)us;
	while (i < TALLY_TIMES - 1 && us > bounds[i] * 1000)
		i++;
	t->took[i]++;
}

void
meter_forget(struct meter *m, enum proc proc)
{
	enum request i;

	for (i = 0; i < REQUEST_COUNT; i++) {
		m->of[i].what = i;
		m->news[i] = kinds[i].proc == proc;
	}
}

const struct body_tally *
meter_next(struct meter *m)
{
	enum request i;

	for (i = 0; i < REQUEST_COUNT; i++) {
		if (!m->news[i])
			continue;
		m->news[i] = 0;
		return &m->of[i];
	}
	return NULL;
}

enum proc
meter_proc(enum request what)
{
	return kinds[what].proc;
}

const char *
meter_label(enum request what)
{
	return kinds[what].label;
}

int
meter_is_timed(enum request what)
{
	return kinds[what].is_timed;
}

int64_t
meter_bound(unsigned int i)
{
	return bounds[i];
}
