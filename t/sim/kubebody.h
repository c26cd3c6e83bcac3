/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBEBODY_H
#define T_SIM_KUBEBODY_H

/* Request bodies: what they must be, and the failures when they are not. */

#include "t/sim/kube.h"

/* The body of a create or update, of the request's kind; NULL: a failure. */
struct json_object *kbody_object(struct kreq *, struct kfail *);
/* A body of another type (DeleteOptions, Binding); "" is an empty object. */
struct json_object *kbody_other(struct kreq *, const char *type,
    struct kfail *);
/* Content-Type of a patch. */
int kbody_patch_type(struct kreq *, struct kfail *);
struct json_object *kbody_patch(struct kreq *, struct kfail *);
int kbody_apply(struct kreq *, struct json_object *now,
    struct json_object *patch, struct kfail *);
/* The object's text; failures as the verb has them. */
int kbody_encode(struct kreq *, struct json_object *, struct ktext *,
    struct kfail *);

#endif
