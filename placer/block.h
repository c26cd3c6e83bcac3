/* SPDX-License-Identifier: ISC */
#ifndef PLACER_BLOCK_H
#define PLACER_BLOCK_H

/*
 * A struct with all that it points to in one allocation, so that ten thousand
 * of them cost no more than their bytes and free() frees each.  Built twice
 * by the same function: once to count, once into exactly that much.
 */

#include <stddef.h>

struct block;

/*
 * Runs build() on a block that grows, then on one of the size that took.  The
 * first block_get() of build() is the result; NULL when build() returns -1.
 */
void *block_build(int (*build)(struct block *, void *), void *arg);

/* Zeroed, aligned for any type. */
void *block_get(struct block *, size_t n, size_t size);
/* A copy; NULL for NULL. */
char *block_str(struct block *, const char *);
char *block_strn(struct block *, const char *, size_t);

#endif
