/* SPDX-License-Identifier: ISC */
#ifndef PLACER_IN_PLACE_H
#define PLACER_IN_PLACE_H

/*
 * A Pod as it was when its device took it.  A client may ask for more of a pod
 * that is there: other resources (pods/resize), a container to look into it
 * (pods/ephemeralcontainers).  A device can do neither in place, so both are
 * answered in the pod's status and change nothing else; which resources it has
 * stands there too, in the containers' own statuses, as a kubelet tells it.
 * Pure.
 */

#include "common/jread.h"

/* Reasons and words for people. */
#define IN_PLACE_RESIZE "ResizeInfeasible"
#define IN_PLACE_RESIZE_TEXT                                                  \
	"a device does not resize what it runs: the pod keeps the resources " \
	"it was admitted with; one that is made anew has the new ones"
#define IN_PLACE_DEBUGGER "EphemeralContainersNotSupported"
#define IN_PLACE_DEBUGGER_TEXT                                           \
	"spec.ephemeralContainers: not supported: the device's console " \
	"is there for that"

/*
 * Takes out what was asked for since.  1: other resources than the pod has are
 * asked for.  What the status says is taken when it is what we can have
 * written: any client with the right may write there.
 */
int in_place_undo(struct json_object *pod);

#endif
