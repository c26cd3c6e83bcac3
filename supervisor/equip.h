/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_EQUIP_H
#define SUPERVISOR_EQUIP_H

/* What a worker is given on its control link before it may begin. */

#include "common/secret.h"
#include "common/settings.h"
#include "ipc/chan.h"

/* One setting; whether the worker is entitled to it is the caller's to know. */
int equip_setting(struct chan *, const struct settings *, enum setting);

/* All settings of the link's worker, and the token (NULL: none) if it is its.
 */
int equip_worker(struct chan *, const struct settings *,
    const struct secret *token);

#endif
