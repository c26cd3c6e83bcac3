/* SPDX-License-Identifier: ISC */
#ifndef PLACER_FIT_H
#define PLACER_FIT_H

/*
 * Room: what a device has, what pods take of it, and whether one more fits.
 * Pure, exact, in thousandths of a CPU and bytes.
 */

#include <stdint.h>

struct fit_room {
	int64_t cpu_m;
	int64_t memory;
	uint32_t pods;
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
	X(PODS, "no room for pods")

enum fit {
#define X(name, words) FIT_##name,
	FIT_VERDICTS(X)
#undef X
	FIT_COUNT
};

enum fit fit_check(const struct fit_room *room, const struct fit_room *want);

/*
 * The mean of the free CPU and memory fractions that would be left, in
 * tenths, 0..10, rounded down.
 */
int fit_tenths(const struct fit_room *total, const struct fit_room *room,
    const struct fit_room *want);

const char *fit_words(enum fit);

#endif
