/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FIT_H
#define PLACER_FIT_H

/*
 * Room: what a device has, what pods take of it, and whether one more fits.
 * Pure, exact, in thousandths of a CPU and bytes of memory and of text.
 */

#include <stdint.h>

struct fit_room {
	int64_t cpu_m;
	int64_t memory;
	uint32_t pods;
	int64_t spec; /* bytes of the device's document */
};

void fit_add(struct fit_room *, const struct fit_room *);
void fit_take(struct fit_room *, const struct fit_room *);

/* total - used, never below 0 (a device may shrink under its pods). */
struct fit_room fit_free(const struct fit_room *total,
    const struct fit_room *used);

#define FIT_VERDICTS(X)                 \
	X(OK, "fits")                   \
	X(CPU, "no room for CPU")       \
	X(MEMORY, "no room for memory") \
	X(PODS, "no room for pods")     \
	X(SPEC, "no room in the spec")

enum fit {
#define X(name, words) FIT_##name,
	FIT_VERDICTS(X)
#undef X
	FIT_COUNT
};

enum fit fit_check(const struct fit_room *room, const struct fit_room *want);

/*
 * What is missing, in thousandths of the total, each of the four rounded up and
 * added: 0 when FIT_OK.
 */
int64_t fit_lack(const struct fit_room *total, const struct fit_room *room,
    const struct fit_room *want);

/*
 * The mean of the free CPU and memory fractions that would be left, in
 * tenths, 0..10, rounded down.
 */
int fit_tenths(const struct fit_room *total, const struct fit_room *room,
    const struct fit_room *want);

/*
 * The same without a division, never too low: fit_tenths() is at most t when
 * fit_bound() < 200 * (t + 1).  A device keeps its scale and the sum that
 * fit_bound() starts from.
 */
struct fit_scale {
	uint64_t cpu; /* thousandths of the total in one, << 50 */
	uint64_t memory;
	int32_t free; /* thousandths of both that are free, summed */
};

struct fit_scale fit_scale(const struct fit_room *total,
    const struct fit_room *room);

enum {
	FIT_SHIFT = 50,
	FIT_SLACK = 4 /* four roundings, each below one */
};

static inline int
fit_scaled(uint64_t by, int64_t want)
{
	return (int)(((unsigned __int128)by * (uint64_t)want) >> FIT_SHIFT);
}

/* Inline: asked for each of ten thousand devices. */
static inline int
fit_bound(const struct fit_scale *s, const struct fit_room *want)
{
	return s->free + FIT_SLACK - fit_scaled(s->cpu, want->cpu_m) -
	    fit_scaled(s->memory, want->memory);
}

const char *fit_words(enum fit);

#endif
