/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_FLEETS_H
#define FLIGHTSIDE_FLEETS_H

/* The fleets that are ours to serve, by the label that names them.  Pure. */

#include "common/settings.h"
#include "flightside/base.h"

struct fleets;

struct fleets *fleets_new(const struct settings *, struct why *);
void fleets_free(struct fleets *);

/* Is the device in one of them? */
int fleets_have(const struct fleets *, const struct base *);

/* The one that these labels (a raw object) name; NULL: none of ours. */
const char *fleets_named(const struct fleets *, struct span labels);

/*
 * Label selectors that together list all their devices, each short enough
 * for a URL; one of NULL: all devices.
 */
size_t fleets_count(const struct fleets *);
const char *fleets_selector(const struct fleets *, size_t);

#endif
