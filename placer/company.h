/* SPDX-License-Identifier: ISC */
#ifndef PLACER_COMPANY_H
#define PLACER_COMPANY_H

/* Which of the changes queued for a device go into one write.  Pure. */

#include "common/mono.h"
#include "placer/world.h"

enum {
	/* An image that is not there waits so long for those that are. */
	COMPANY_IMAGE_MS = 30 * 1000,
};

/* Those that do not go are queued no more, and looked at again. */
void company_choose(struct world *, struct wdevice *, struct now);

#endif
