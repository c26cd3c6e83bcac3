/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_FLEET_H
#define T_UNIT_FLEET_H

/* Worlds for tests: devices and pods as the two APIs would send them. */

#include "placer/world.h"

struct fleet_device {
	const char *name;
	int cores;
	int memory_mib;
	const char *labels;  /* more of them: "\"zone\":\"a\"", or NULL */
	const char *owner;   /* or NULL */
	const char *summary; /* or NULL: Online */
};

/* One node for all devices, default settings. */
struct world *fleet_world(void);
void fleet_free(struct world *);
/* What the API would send of it; for a world, which frees it. */
struct device *fleet_read(const struct fleet_device *);
struct wdevice *fleet_add(struct world *, const struct fleet_device *);

/* A pod of the node; spec: more members of the Pod's spec, or NULL. */
struct wpod *fleet_pod(struct world *, const char *name, const char *cpu,
    const char *memory, const char *controller, const char *spec);

#endif
