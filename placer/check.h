/* SPDX-License-Identifier: ISC */
#ifndef PLACER_CHECK_H
#define PLACER_CHECK_H

/* The placer's part of --check: its folder and what is in it. */

#include "common/settings.h"

struct event_base;

/* As worker_ops.check. */
void check_begin(struct event_base *, const struct settings *);

#endif
