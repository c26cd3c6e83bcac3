/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_EQUIP_H
#define SUPERVISOR_EQUIP_H

/* What a worker is given over its control link.  All: 0, -1 not sent. */

#include "common/secret.h"
#include "common/settings.h"

struct chan;

/* Those that go to the worker, where changed[i]; NULL: all. */
int equip_settings(struct chan *, enum proc, const struct settings *,
    const uint8_t *changed);

int equip_token(struct chan *, const struct secret *);

/* Copies of these, by enum listener, -1: none. */
int equip_listeners(struct chan *, const int *listeners);

#endif
