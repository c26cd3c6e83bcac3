/* SPDX-License-Identifier: ISC */
#ifndef PLACER_EXPLAIN_OWN_H
#define PLACER_EXPLAIN_OWN_H

/* What the files explain*.c share. */

#include "placer/explain.h"

struct explain {
	struct answer *to;
	const struct world *world;
	struct now now;
};

enum {
	NO_CLOCK = -1,
};

/* One row but for its text; name and verdict may be NULL. */
struct explain_row {
	const char *about;
	const char *name;
	unsigned int rule; /* 0: none */
	const char *verdict;
	int64_t at_boot; /* when its clock runs out, or NO_CLOCK */
};

void explain_row(struct explain *, const struct explain_row *, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* explain_rank.c: each device, for a pod that has none. */
void explain_ranks(struct explain *, const struct wpod *);

/* explain_clock.c: the clocks of a device, and of a pod with its device. */
void explain_device_clocks(struct explain *, const struct wdevice *);
void explain_pod_clocks(struct explain *, const struct wpod *);

/* explain.c: a pod's state, the row that says it and what that row does. */
void explain_life(struct explain *, const struct wpod *,
    const struct life_facts *);

/* explain.c: who ordered what, if anybody did. */
void explain_order(struct explain *, const char *name, const char *verdict,
    const struct worded *);
void explain_orders(struct explain *, const struct wdevice *);

/* explain.c: "Online, read 3 s ago: words", as far as it is known. */
void explain_status(const struct wdevice *, struct now, char text[MAX_TEXT]);

#endif
