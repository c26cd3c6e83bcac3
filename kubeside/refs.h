/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_REFS_H
#define KUBESIDE_REFS_H

/* The ConfigMaps and Secrets that a pod's volumes and containers name. */

#include "common/span.h"
#include "ipc/msg.h"

/* "c/NAME\n" and "s/NAME\n" one after another; NULL: none.  Caller frees. */
char *refs_of(struct span pod);

int refs_have(const char *refs, enum object_kind, const char *name);

#endif
