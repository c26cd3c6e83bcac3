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

struct pick_table {
	struct pick_row *rows;
	struct pick_measure *measures; /* of the same slots */
	struct wdevice **devices;
	size_t n;
	int stale;
};

/* Rules 1 to 4 of the device in that slot. */
enum pick_reason pick_excludes(const struct pick_table *, size_t slot,
    const struct wpod *);

/* Fills the answer for a pod that none takes; a->never says if it may be. */
void pick_none(const struct pick_table *, const struct wpod *,
    struct pick_answer *);

#endif
