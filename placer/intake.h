/* SPDX-License-Identifier: ISC */
#ifndef PLACER_INTAKE_H
#define PLACER_INTAKE_H

/* What the key holders tell, taken into the world. */

#include "placer/plan.h"

void intake_writer(struct world *, const struct body_writer *, struct now);
void intake_former(struct world *, const struct body_former *);
void intake_node(struct world *, const struct body_node *);
void intake_pods_begin(struct world *, const struct body_pods *);
void intake_pod(struct world *, const struct body_pod *);
void intake_pods_end(struct world *, const struct body_pods *);
void intake_kube_lost(struct world *);

void intake_flight_state(struct world *, const struct body_flight_state *,
    struct now);
void intake_devices_begin(struct world *, const struct body_devices *);
void intake_device(struct world *, const struct body_device *, struct now,
    struct effects *);
void intake_device_bad(struct world *, const struct body_device_bad *);
void intake_devices_end(struct world *, const struct body_devices *);
/* The link is there, or not: that it is not is told if it lasts. */
void intake_flight_linked(struct world *);
void intake_flight_lost(struct world *, struct now);
void intake_look(struct world *, struct now);
int64_t intake_due(const struct world *); /* the next look; INT64_MAX: none */

#endif
