/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_LIST_H
#define T_SIM_FLIGHT_LIST_H

/* What list calls share: limits, continue tokens, summaries. */

#include <stddef.h>
#include <stdint.h>

struct flight_device;
struct out;
struct web_req;

struct flight_page {
	size_t limit;
	char **names; /* of the first item, NULL: from the start */
	size_t nnames;
	int64_t count; /* remaining, as the token says */
};

/* -1: refused and answered. */
int flight_page_read(struct web_req *, size_t nnames, struct flight_page *);
void flight_page_clear(struct flight_page *);
/* Members continue and remainingItemCount; names of the next first item. */
void flight_page_write(struct out *, const char *const *names, size_t nnames,
    int64_t remaining);

struct flight_count {
	const char *status; /* interned */
	size_t n;
};

enum {
	FLIGHT_WORDS = 16
}; /* more than any enumeration has, and an end */

struct flight_summary {
	struct flight_count apps[FLIGHT_WORDS], summary[FLIGHT_WORDS],
	    updated[FLIGHT_WORDS];
	size_t total;
};

void flight_summary_add(struct flight_summary *, const struct flight_device *);
void flight_summary_write(struct out *, const struct flight_summary *);

/* details of an event ResourceUpdated: "spec", "labels", "spec, labels". */
char *flight_updated_details(const char *fields);

#endif
