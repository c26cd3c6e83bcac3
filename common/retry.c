/* SPDX-License-Identifier: ISC */
/*
 * retry.c: back-off by kind of failure, capped, with full jitter.
 *
 * Owns the table of waits and nothing else: no clock, no randomness, no
 * counting.
 */
#include "common/retry.h"

/*
 * The first wait is anywhere below `first`, each further failure doubles the
 * bound up to `longest`.  Full jitter: after an outage all clients come back
 * spread over the whole span.
 */
static const struct {
	int64_t first;
	int64_t longest;
} waits[ERR_COUNT] = {
	[ERR_NONE] = { 1, 1 },
	[ERR_AGAIN] = { 250, 30000 },
	/* credentials are read again first; a refusal may last for hours */
	[ERR_AUTH] = { 1000, 60000 },
	[ERR_CONFLICT] = { 50, 5000 },
	[ERR_GONE] = { 1000, 30000 },
	[ERR_LIMIT] = { 5000, 60000 },
	[ERR_FORMAT] = { 5000, 60000 },
	/* a young apiserver refuses everything for a second */
	[ERR_DENIED] = { 1000, 60000 },
	[ERR_SYSTEM] = { 1000, 30000 },
	[ERR_BUG] = { 30000, 300000 },
};

/* Anywhere in 1..bound. */
static int64_t
spread(int64_t bound, uint32_t random)
{
	return 1 + (int64_t)(((uint64_t)bound * random) >> 32);
}

int64_t
retry_wait_ms(enum why_kind kind, unsigned int failures, int64_t retry_after_ms,
    uint32_t random)
{
	int64_t bound = retry_doubled_ms(waits[kind].first,
	    failures > 1 ? failures - 1 : 0, waits[kind].longest);

	if (retry_after_ms < 0)
		return spread(bound, random);
	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	return retry_after_ms + spread(bound, random);
}

int64_t
retry_longest_ms(enum why_kind kind)
{
	return waits[kind].longest;
}
