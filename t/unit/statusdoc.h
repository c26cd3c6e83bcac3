/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_STATUSDOC_H
#define T_UNIT_STATUSDOC_H

/* A status that was made, read as its readers do. */

#include "common/jread.h"
#include "placer/podstatus.h"

/* The caller's. */
struct json_object *statusdoc_read(const struct podstatus *);

/* NULL: there is none of that type. */
struct json_object *statusdoc_condition(struct json_object *status,
    const char *type);

/* A member's string, "" when it is none. */
const char *statusdoc_text(struct json_object *, const char *key);

#endif
