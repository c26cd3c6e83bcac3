/* SPDX-License-Identifier: ISC */
#ifndef T_IT_RENEWALS_H
#define T_IT_RENEWALS_H

/*
 * How old the two Leases of the world's node get, as the apiserver has them:
 * the writer's in NAMESPACE, the Node's in kube-node-lease.  A process of its
 * own looks ten times a second, whatever else the scenario is busy with.
 */

/* From now on.  Both Leases are there, or it dies. */
void renewals_watch(void);

/*
 * Three checks, once both were renewed as often as this is worth: each Lease's
 * age was never above what writes and the Node bear, and all looks but few
 * were answered.  Ends the watch.
 */
void renewals_judge(const char *when);

#endif
