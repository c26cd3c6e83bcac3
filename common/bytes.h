/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

/* Bytes that grow; all zero is empty.  No NUL at the end. */

#include <stddef.h>

#include "common/span.h"

struct bytes {
	char *p;
	size_t len;
	size_t cap;
};

void bytes_add(struct bytes *, struct span);
void bytes_add_text(struct bytes *, const char *);

/* Empty, with nothing allocated; for a cleanup attribute too. */
void bytes_free(struct bytes *);

/* Good until the next change. */
static inline struct span
bytes_span(const struct bytes *b)
{
	return (struct span){ b->p, b->len };
}

#define AUTO_BYTES __attribute__((cleanup(bytes_free)))

#endif
