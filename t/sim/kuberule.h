/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBERULE_H
#define T_SIM_KUBERULE_H

/*
 * What the server fills in and what it refuses, for each resource, on trees
 * without kind and apiVersion.  Pure: no store, no clock but for new names.
 */

#include "t/sim/kubefail.h"

struct json_object;

/* Members a tree is read by; "" and NULL when they are not there. */
const char *kget(struct json_object *, const char *a, const char *b);
struct json_object *kget_obj(struct json_object *, const char *a,
    const char *b);
/* The member as an object, made when it is missing. */
struct json_object *kmake_obj(struct json_object *, const char *name);
void kset(struct json_object *, const char *name, const char *value);
/* Sets it when the object has no such member. */
void kdefault(struct json_object *, const char *name, const char *value);
void kdefault_int(struct json_object *, const char *name, long);
void kdefault_bool(struct json_object *, const char *name, int);

/* Before an object is created: defaults, admission, what status starts as. */
void krule_default(enum kid, struct json_object *);
/* Members that follow from others (podIPs from podIP); every write. */
void krule_normalise(enum kid, struct json_object *now,
    struct json_object *old);
void krule_check_new(enum kid, struct json_object *, struct kproblems *);
/* old and now differ; status: through the status subresource. */
void krule_check_change(enum kid, struct json_object *old,
    struct json_object *now, int status, struct kproblems *);

/* Parts of the above, one file each. */
void kpod_default(struct json_object *);
void kpod_check(struct json_object *, struct kproblems *);
void kpod_check_spec(struct json_object *old, struct json_object *now,
    struct kproblems *);
void kpod_check_status(struct json_object *old, struct json_object *now,
    struct kproblems *);
void kpod_normalise(struct json_object *now, struct json_object *old);
void knode_default(struct json_object *);
void knode_normalise(struct json_object *);
void knode_check(struct json_object *old, struct json_object *now,
    struct kproblems *);

/* Adds a condition, or replaces the one of its type; takes it. */
void kcondition_set(struct json_object *status, struct json_object *);
struct json_object *kcondition_find(struct json_object *status,
    const char *type);
/* reason and message may be NULL; pods: lastProbeTime null. */
struct json_object *kcondition_new(const char *type, const char *value,
    const char *reason, const char *message);

/* DNS-1123 subdomain and label, label values: NULL, or the server's words. */
const char *kname_subdomain(const char *);
const char *kname_label(const char *);
const char *kname_value(const char *);
/* The prefix/name of a label or taint; NULL or words. */
const char *kname_qualified(const char *);

#endif
