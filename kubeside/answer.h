/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_ANSWER_H
#define KUBESIDE_ANSWER_H

/* Whether a good status has an apiserver's answer with it.  Pure. */

#include "common/span.h"

/*
 * 1: one object of a kind, and no Status but of a success; what a portal, a
 * proxy or half an answer says is none of that, and what was asked is not
 * known to be done.
 */
int answer_is_object(struct span body);

#endif
