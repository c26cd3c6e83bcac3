/* SPDX-License-Identifier: ISC */
#ifndef PLACER_DEADLINE_H
#define PLACER_DEADLINE_H

/* spec.activeDeadlineSeconds of a pod: the provider's, as the kubelet's. Pure.
 */

#include "common/mono.h"
#include "placer/effects.h"
#include "placer/world.h"

#define DEADLINE_REASON "DeadlineExceeded"
#define DEADLINE_TEXT \
	"Pod was active on the node longer than the specified deadline"

/* It is being looked at: keeps its clock, wakes it, an Event when it is over.
 */
void deadline_look(struct world *, struct wpod *, struct now, struct effects *);

/* Its clock ran out before it ended. */
int deadline_is_over(const struct wpod *, struct now);

#endif
