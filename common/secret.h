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

/* Good until secret_free(). */
struct span secret_bytes(const struct secret *);

/* Wipes; NULL allowed. */
void secret_free(struct secret *);

#endif
