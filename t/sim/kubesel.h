/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBESEL_H
#define T_SIM_KUBESEL_H

/* Which objects a list, a watch or a delete of many is about. */

#include "t/sim/kubestore.h"

struct why;
struct kselector;

/*
 * ns: "" all; name: NULL any; labels and fields as in the query, NULL: none.
 * NULL with the server's message in *why when they cannot be understood.
 */
struct kselector *kselector_new(enum kid, const char *ns, const char *name,
    const char *labels, const char *fields, struct why *);
void kselector_free(struct kselector *);
int kselector_fits(const struct kselector *, const struct kobj *);
/* Labels or fields were given. */
int kselector_narrows(const struct kselector *);
const char *kselector_namespace(const struct kselector *);

#endif
