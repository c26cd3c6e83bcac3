/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

/*
 * Bytes that must not be swapped, dumped, inherited by a fork or left behind.
 * Never printed: there is no way from here to a format string.
 */

#include "common/span.h"

struct secret;

/* A copy in pages of its own; never NULL. */
struct secret *secret_new(struct span);

/* The same with a text before it, which is none. */
struct secret *secret_join(const char *before, struct span);

/* One more owner of the same bytes, who frees it too; NULL: NULL. */
struct secret *secret_share(struct secret *);

/*
 * Good until the last owner's secret_free(); a NUL follows.  To be written to
 * by nobody, though libcurl wants it so.
 */
struct span secret_bytes(const struct secret *);
char *secret_text(struct secret *);

/* Its last owner wipes; NULL allowed. */
void secret_free(struct secret *);

#endif
