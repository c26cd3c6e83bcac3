/* SPDX-License-Identifier: ISC */
#ifndef PLACER_SELECTOR_H
#define PLACER_SELECTOR_H

/*
 * What a pod asks of its device: label selectors as people type them, and the
 * terms of nodeSelector and node affinity.  term_holds() is in pod.h.  Pure.
 */

#include "common/jread.h"
#include "common/why.h"
#include "placer/block.h"
#include "placer/pod.h"

/*
 * "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2" as Kubernetes reads it.
 * ERR_DENIED: what is wrong with which part.
 */
int selector_parse(struct block *, const char *, struct term *, struct why *);

/* An object of key: value, all of which must hold (nodeSelector). */
int selector_of_map(struct block *, struct json_object *, const char *at,
    struct term *, struct why *);

/*
 * A nodeSelectorTerm: matchExpressions and matchFields.  One without any
 * becomes a term that never holds, as in Kubernetes.
 */
int selector_of_term(struct block *, struct json_object *, const char *at,
    struct term *, struct why *);

#endif
