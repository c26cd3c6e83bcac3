/* SPDX-License-Identifier: ISC */
#ifndef PLACER_WISH_H
#define PLACER_WISH_H

/* What a pod wishes: which device, and how long it waits for a lost one.  Pure.
 */

#include "common/jread.h"
#include "common/why.h"
#include "placer/block.h"
#include "placer/pod.h"

/* Where wishes stand in a Pod; NULL: absent. */
struct wish_lists {
	struct json_object *selector;  /* spec.nodeSelector */
	struct json_object *required;  /* of node affinity, the terms */
	struct json_object *preferred; /* likewise */
	struct json_object *annotations;
};

/*
 * The pod's wish and reconnect_ms.  -1 with *why: a term is not as an apiserver
 * admits it.  An annotation that is wrong counts as absent and is complained
 * of (ERR_DENIED); of more than one the last is.
 */
int wish_build(struct block *, const struct wish_lists *, struct pod *,
    struct why *why, struct why *complaint);

#endif
