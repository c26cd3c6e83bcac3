/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_ELEMENTS_H
#define FLIGHTSIDE_ELEMENTS_H

/*
 * One element of ours against the device policy; admit.h's errors, their place
 * from "inline[0]" on.  Pure.
 */

#include "flightside/admit.h"

int elements_application(const struct admit_rules *, const char *name,
    struct span element, struct why *);
int elements_config(const struct admit_rules *, const char *name,
    struct span element, struct why *);

#endif
