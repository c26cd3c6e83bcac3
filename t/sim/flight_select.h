/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_SELECT_H
#define T_SIM_FLIGHT_SELECT_H

/*
 * Label and field selectors.  A selector is parsed once and asked for each
 * object; the texts of what is refused are those of the service.  Pure.
 */

#include <stddef.h>

struct flight_selector;

enum flight_selector_kind {
	FLIGHT_LABELS, /* any key */
	FLIGHT_FIELDS, /* keys of a table */
};

enum flight_field_type {
	FLIGHT_STRING, /* contains is possible */
	FLIGHT_WORD,   /* enumerations */
	FLIGHT_TIME,
	FLIGHT_PRIVATE,
};

struct flight_field {
	const char *name; /* NULL ends the table, which is sorted */
	enum flight_field_type type;
};

/*
 * NULL: refused, *error is the text, the caller's.  fields: NULL for labels.
 */
struct flight_selector *flight_select(enum flight_selector_kind,
    const char *text, const struct flight_field *fields, char **error);
void flight_selector_free(struct flight_selector *); /* NULL allowed */

/*
 * get: the value of a key, NULL when the object has none.  "a or b" fields
 * are asked with each name.
 */
int flight_selects(const struct flight_selector *,
    const char *(*get)(const char *key, const void *object),
    const void *object);

#endif
