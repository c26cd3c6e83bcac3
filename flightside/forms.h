/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_FORMS_H
#define FLIGHTSIDE_FORMS_H

/* The forms of admit.def: what a value may look like.  Pure. */

#include "flightside/unitcheck.h"

/* The file a value stands in. */
struct forms_file {
	const struct unit_app *app;
	char stem[MAX_NAME + 1]; /* C of C.container, V of vol_V.volume */
};

/* Is all of the value of that form? */
int forms_match(const struct forms_file *, struct span value, const char *form);

/* %Q of admit.def. */
int forms_is_component(struct span);

#endif
