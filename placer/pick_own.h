/* SPDX-License-Identifier: ISC */
#ifndef PLACER_PICK_OWN_H
#define PLACER_PICK_OWN_H

/* What the files pick*.c share. */

#include "placer/pick.h"

/* What the walk reads of each device: as little as decides most of them. */
struct pick_row {
	int32_t free; /* fit_scale()'s */
	uint32_t npods;
	uint32_t same;	 /* rule 5, filled and emptied by each choice */
	uint32_t reason; /* pick_usable() */
};

/* What it reads of those that may win. */
struct pick_measure {
	struct fit_room room;
	struct fit_scale scale; /* rule 6 without a division */
};

/* What no row of some is better than; npods UINT32_MAX: none can be chosen. */
struct pick_sum {
	struct fit_scale scale;
	uint32_t npods;
};

enum {
	PICK_FAN = 16, /* rows, or sums of the level below, in a sum */
	PICK_LEVELS = 8
};

struct pick_level {
	struct pick_sum *sums;
	size_t n;
};

struct pick_table {
	struct pick_row *rows;
	struct pick_measure *measures; /* of the same slots */
	struct wdevice **devices;
	struct pick_level levels[PICK_LEVELS]; /* the last has one sum */
	size_t nlevels;
	size_t n;
	int stale;
};

/* The first that is not below the at-th sum, of n. */
static inline size_t
pick_end(size_t at, size_t n)
{
	return (at + 1) * PICK_FAN < n ? (at + 1) * PICK_FAN : n;
}

/* The sums of all rows; after one row changed, those above it. */
void pick_index_new(struct pick_table *);
void pick_index_update(struct pick_table *, size_t slot);
void pick_index_free(struct pick_table *);

/* The node's table, its devices in the order of their names. */
struct pick_table *pick_sorted(struct wnode *);

/* Rules 1 to 4 of the device in that slot. */
enum pick_reason pick_excludes(const struct pick_table *, size_t slot,
    const struct wpod *);

/* Fills the answer for a pod that none takes; a->never says if it may be. */
void pick_none(const struct pick_table *, const struct wpod *,
    struct pick_answer *);

#endif
