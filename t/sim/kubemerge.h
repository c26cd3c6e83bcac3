/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBEMERGE_H
#define T_SIM_KUBEMERGE_H

/* Patches as the server applies them. */

struct json_object;
struct ktype;
struct why;

/* RFC 7386, in place; the patch stays the caller's. */
void kmerge_json(struct json_object *into, struct json_object *patch);

/*
 * A strategic merge patch, in place: lists with a merge key element by
 * element, $patch delete and replace, $setElementOrder, $deleteFromPrimitive-
 * List, $retainKeys.  -1: the patch has not the type's shape.
 */
int kmerge_strategic(const struct ktype *, struct json_object *into,
    struct json_object *patch, struct why *);

#endif
