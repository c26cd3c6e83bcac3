/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_SERVE_H
#define FLIGHTSIDE_SERVE_H

/* The link to the placer, and which request each answer belongs to. */

#include "common/settings.h"
#include "common/span.h"
#include "common/why.h"

struct event_base;
struct serve;

/* -1 with *why: a setting that only shows here to be wrong. */
struct serve *serve_new(struct event_base *, const struct settings *,
    struct span token, struct why *);
void serve_free(struct serve *);

/* A new link; an earlier one is over. */
void serve_link(struct serve *, int fd);

void serve_reload(struct serve *, const struct settings *);

#endif
