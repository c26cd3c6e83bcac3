/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_PAGES_H
#define FLIGHTSIDE_PAGES_H

/*
 * Full lists of the devices of our fleets, page by page and round after
 * round, each device handed on as it came.
 */

#include <stdint.h>

#include "common/settings.h"
#include "common/span.h"
#include "common/why.h"

struct event_base;
struct fleets;
struct flight;
struct pages;

struct pages_ops {
	void (*begin)(uint64_t round, int64_t read_boot, void *);
	/* 1: no more for now, until pages_go_on(). */
	int (*device)(struct span, int64_t read_boot, void *);
	int (*bad)(const char *name, int64_t read_boot, const struct why *,
	    void *);
	/* text: why not, when it is not complete. */
	void (*end)(uint64_t round, int complete, int64_t read_boot,
	    const char *text, void *);
};

struct pages *pages_new(struct event_base *, struct flight *,
    const struct fleets *, const struct settings *, const struct pages_ops *,
    void *arg);
void pages_free(struct pages *);

/* A round begins now (one under way is given up), then again and again. */
void pages_start(struct pages *);
/* A round that waits for its time begins now, unless one has just been. */
void pages_catch_up(struct pages *);
/* No more rounds; one under way ends without end(). */
void pages_stop(struct pages *);
void pages_go_on(struct pages *);

/*
 * Milliseconds from the start of one full list to the next, for one that had
 * so many bytes and pages: at most 2 MB/s and, of so many requests a minute,
 * the full list's least share; 30 s at least; longest_ms is RESYNC_INTERVAL.
 * Pure.
 */
int64_t pages_period(uint64_t bytes, uint64_t pages, int64_t rate,
    int64_t longest_ms);

/* Devices in a page of about 4 MB, 10..1000, after so many of so many bytes. */
unsigned int pages_limit(uint64_t bytes, uint64_t devices);

#endif
