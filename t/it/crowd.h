/* SPDX-License-Identifier: ISC */
#ifndef T_IT_CROWD_H
#define T_IT_CROWD_H

/*
 * Many pods at once, as controllers make them: several clients at work side by
 * side, because a single one would be the limit.
 */

#include "t/it/pod.h"

/* Pods APP-FROM .. APP-(TO-1), conf's app is their label; returns at once. */
void crowd_create(const struct pod_conf *, unsigned int from, unsigned int to);
void crowd_delete(const struct pod_conf *, unsigned int from, unsigned int to);

/* Until all that was begun has been asked for. */
void crowd_end(void);

/*
 * Status patches a second that the apiserver takes from eight connections,
 * that do nothing else, on pods 0 .. n-1.
 */
double crowd_patch_rate(const struct pod_conf *, unsigned int n, int ms);

#endif
