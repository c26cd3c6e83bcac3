/* SPDX-License-Identifier: ISC */
#ifndef PLACER_DEVICE_OWN_H
#define PLACER_DEVICE_OWN_H

/* What device.c and device_ours.c share. */

#include "common/jread.h"
#include "placer/block.h"
#include "placer/device.h"

/* Where what is ours stands in a device's answer, among others'. */
struct device_lists {
	struct json_object *apps;    /* spec.applications */
	struct json_object *configs; /* spec.config */
	struct json_object *reports; /* status.applications */
};

/* The device's entries, configs and reports; -1 with *why. */
int device_build_ours(struct block *, const struct device_lists *,
    const char *prefix, struct device *, struct why *);

/* A decimal number of units; 0 for any other text, or too much to be true. */
int64_t device_amount(const char *, uint64_t unit);

#endif
