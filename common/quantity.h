/* SPDX-License-Identifier: ISC */
#ifndef COMMON_QUANTITY_H
#define COMMON_QUANTITY_H

/*
 * Kubernetes quantities in every legal form: "100m", "1.5", "1Gi", "12e6",
 * ".5G", "1E".  Exact; what is left over is rounded up, away from zero, as
 * Kubernetes' Value() and MilliValue() do.  Pure.
 */

#include <stdint.h>

#include "common/span.h"

/* Thousandths.  -1: not a quantity, or beyond 64 bits. */
int quantity_milli(struct span, int64_t *);

/* Whole units (bytes).  -1 as above. */
int quantity_value(struct span, int64_t *);

#endif
