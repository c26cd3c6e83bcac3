/* SPDX-License-Identifier: ISC */
#ifndef PLACER_EXPAND_H
#define PLACER_EXPAND_H

/*
 * $(NAME) in command, args and env, as Kubernetes expands it: known names are
 * replaced, unknown ones stay, "$$" is "$".  Pure.
 */

#include <stddef.h>

#include "common/why.h"

struct expand_var {
	const char *name;
	char *value;
};

/*
 * The last variable of a name counts; for a name that is none of them stands
 * unknown (NULL: the reference itself).  Caller frees; NULL with ERR_LIMIT when
 * the text grows beyond max bytes.
 */
char *expand(const char *, const struct expand_var *, size_t,
    const char *unknown, size_t max, struct why *);

#endif
