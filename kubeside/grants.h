/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_GRANTS_H
#define KUBESIDE_GRANTS_H

/* Which of the rights of rights.def we have: asked of the apiserver. */

#include <stddef.h>

#include "common/settings.h"

struct api;
struct grants;

/*
 * Asks for each, and calls done once; nodes and settings stay the caller's.
 */
struct grants *grants_ask(struct api *, const struct settings *,
    const struct fleet_node *nodes, size_t n, void (*done)(void *), void *arg);
void grants_free(struct grants *);

/* After done(): findings, one a row of the table. */
void grants_tell(const struct grants *);

/*
 * After done(): whether that right of the table is ours, its name as it was
 * asked for.
 */
int grants_has(const struct grants *, const char *verb, const char *resource,
    const char *ns, const char *name);

/* The command that gives all but what is for Pods' own objects. */
char *grants_mend(const struct settings *);

#endif
