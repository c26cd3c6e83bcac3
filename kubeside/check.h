/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_CHECK_H
#define KUBESIDE_CHECK_H

/* kubeside's part of --check: what the apiserver says of us. */

#include "common/settings.h"

struct event_base;

/* As worker_ops.check and worker_ops.end. */
void check_begin(struct event_base *, const struct settings *);
void check_end(void);

#endif
