/* SPDX-License-Identifier: ISC */
#ifndef T_IT_LOOK_H
#define T_IT_LOOK_H

/* What vk-flightctl-provider --check says. */

#include <stddef.h>

#include "t/it/provider.h"

/*
 * Runs it, with checks that it ends so, in time, and with a command below each
 * line that is not ok; its output, the caller's.
 */
char *look_run(const char *name, const char *const *extra,
    const struct provider_look *, int wanted);

/* How often the extended regular expression is found. */
size_t look_lines(const char *text, const char *regex);

/* A check: one line begins so, with a command below that begins so. */
void look_says(const char *out, const char *line, const char *mend);

#endif
