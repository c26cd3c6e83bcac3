/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BUCKET_H
#define COMMON_BUCKET_H

/*
 * Whole things at a rate per minute, some at once.  Pure: milliseconds of boot
 * time are an argument.
 */

#include <stdint.h>

enum {
	/* One thing: tenths a minute are units a millisecond. */
	BUCKET_UNIT = 10 * 60 * 1000,
};

struct bucket {
	int64_t have;	/* in BUCKET_UNITs */
	int64_t tenths; /* rate: tenths a minute, so units a ms */
	int64_t full;
	int64_t at_ms;
};

void bucket_init(struct bucket *, int64_t tenths, int64_t burst, int64_t now);

/* Another rate; what is there stays, as far as it fits. */
void bucket_change(struct bucket *, int64_t tenths, int64_t burst, int64_t now);

/* What is there, in BUCKET_UNITs. */
int64_t bucket_have(const struct bucket *, int64_t now);

/* 1: taken. */
int bucket_take(struct bucket *, int64_t now);

/* What was taken was not used. */
void bucket_give(struct bucket *);

/* Milliseconds until bucket_take() gives one; 0: now. */
int64_t bucket_wait(const struct bucket *, int64_t now);

/* Until there are so many; not more than fit. */
int64_t bucket_wait_for(const struct bucket *, int64_t n, int64_t now);

#endif
