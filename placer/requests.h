/* SPDX-License-Identifier: ISC */
#ifndef PLACER_REQUESTS_H
#define PLACER_REQUESTS_H

/* How much CPU and memory a pod asks for, by Kubernetes' rule.  Pure. */

#include <stdint.h>

#include "common/jread.h"
#include "common/why.h"

/*
 * From a Pod's spec.  The sum of the containers and sidecars, or what the
 * hungriest init container needs with the sidecars started before it; where
 * the pod itself names an amount, that; and its overhead.  A limit stands for
 * an absent request.  ERR_FORMAT: not a quantity.
 */
int requests_of(struct json_object *spec, int64_t *cpu_m, int64_t *memory,
    struct why *);

#endif
