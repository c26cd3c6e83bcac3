/* SPDX-License-Identifier: ISC */
#ifndef PLACER_TELL_H
#define PLACER_TELL_H

/* What people and the API are told about a pod.  Pure. */

#include "common/mono.h"
#include "placer/effects.h"
#include "placer/world.h"

/* Why it waits: reason a literal, an Event for each new text. */
void tell_waits(struct effects *, struct wpod *, const char *reason,
    const char *text);
/* Likewise, of what it wants and p->unmounted. */
void tell_lacks(struct effects *, struct wpod *, const char *text);
/* Likewise, where nothing is wrong: no Event, and the reason is the usual. */
void tell_holds(struct wpod *, const char *text);
void tell_holds_no_more(struct wpod *);
void tell_waits_no_more(struct wpod *);

/* It is being taken out of its device: one Event. */
void tell_killing(struct wpod *, struct effects *);

/* Its status, when the API does not show the same and is not about to. */
void tell_status(struct world *, struct wpod *, struct now, struct effects *);

#endif
