/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_SELECT_IMPL_H
#define T_SIM_FLIGHT_SELECT_IMPL_H

/* What flight_select.c (reading) and flight_match.c (asking) share. */

#include "t/sim/flight_select.h"

enum flight_op {
	EQ,
	NE,
	IN,
	NOTIN,
	EXISTS,
	ABSENT,
	CONTAINS,
	LACKS,
	GT,
	GE,
	LT,
	LE
};

struct flight_requirement {
	char *key;
	enum flight_op op;
	enum flight_field_type type;
	char **values;
	size_t n;
};

struct flight_selector {
	struct flight_requirement *v;
	size_t n;
};

#endif
