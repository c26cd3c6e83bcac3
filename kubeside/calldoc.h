/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_CALLDOC_H
#define KUBESIDE_CALLDOC_H

/* What is written to a pod, and what the answer to it says.  Pure. */

#include "common/span.h"
#include "common/why.h"
#include "ipc/msg.h"

struct https_answer;
struct pod;

/* "/api/v1/namespaces/NS/pods/NAME" and what is below.  Caller frees. */
char *calldoc_path(const struct pod *, const char *below);

/* One object, and not one that says where the pod can be reached. */
int calldoc_check(struct span status, struct why *);

/* A strategic merge patch of the status, for that uid only.  Caller frees. */
char *calldoc_status(const struct pod *, struct span status);

/* DeleteOptions for that uid only; NO_GRACE: the pod's own.  Caller frees. */
char *calldoc_delete(const struct pod *, uint32_t grace_s);

/*
 * Another pod has the name now: a 422 whose cause is metadata.uid
 * (facts/kubernetes.md surprise 1).
 */
int calldoc_is_replaced(const struct https_answer *);

/* The pod that was read by this one's name has another uid. */
int calldoc_is_another(const struct pod *, const struct https_answer *);

/* It is a ConfigMap or Secret that the pod names, or the pod itself. */
int calldoc_may_read(const struct pod *, const struct body_get_object *);

/* Where that is.  Caller frees. */
char *calldoc_object_path(const struct body_get_object *);

#endif
