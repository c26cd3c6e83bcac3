/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_CHECK_H
#define FLIGHTSIDE_CHECK_H

/* flightside's part of --check: what Flightctl says of us and our fleets. */

#include "common/settings.h"
#include "common/span.h"

struct event_base;

/* As worker_ops.check and worker_ops.end; token as serve_new() has it. */
void check_begin(struct event_base *, const struct settings *,
    struct span token);
void check_end(void);

#endif
